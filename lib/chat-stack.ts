import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib';
import { HttpMethod } from 'aws-cdk-lib/aws-apigatewayv2';
import { Dashboard } from 'aws-cdk-lib/aws-cloudwatch';
import { AttributeType, ProjectionType, StreamViewType } from 'aws-cdk-lib/aws-dynamodb';
import type { Topic } from 'aws-cdk-lib/aws-sns';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { chatScope, environmentNames as names, pipeInputTemplate, tables } from '../lambda/chat/contract.ts';
import { alarmTopic } from './alarm-topic.ts';
import type { StageConfig } from './config.ts';
import { DataTable, type DataTableProps } from './data-table.ts';
import type { IdentityStack } from './identity-stack.ts';
import { JwtHttpApi } from './jwt-http-api.ts';
import { NodeFunction, type Access } from './node-function.ts';
import { outputOperated } from './operator-outputs.ts';
import { QueueWorker } from './queue-worker.ts';
import { apiNameOf } from './stage-names.ts';
import { StreamPipe } from './stream-pipe.ts';
import { TokenWebSocketApi } from './token-web-socket-api.ts';

export interface ChatStackProps extends StackProps {
  readonly config: StageConfig;
  readonly identity: IdentityStack;
  readonly alarmEmails: readonly string[];
}

/** The async tempo: a message goes through the table's stream, a pipe and a queue to its recipient's devices. */
export class ChatStack extends Stack {
  private readonly config: StageConfig;
  private readonly messages: DataTable;
  private readonly inbox: DataTable;
  private readonly acknowledgements: DataTable;
  private readonly connections: DataTable;
  private readonly rateLimits: DataTable;
  private readonly conversations: DataTable;
  private readonly alarms: Topic;

  constructor(scope: Construct, id: string, props: ChatStackProps) {
    super(scope, id, props);
    const { config, identity } = props;
    this.config = config;
    this.alarms = alarmTopic(this, props.alarmEmails);

    this.messages = this.messagesTable();
    this.inbox = this.table('Notifications', names.notificationsTable, { keys: tables.inbox });
    this.acknowledgements = this.table('Acknowledgements', names.acknowledgementsTable, {
      keys: tables.acknowledgements,
    });
    this.connections = this.table('Connections', names.connectionsTable, { keys: tables.connections });
    this.rateLimits = this.table('RateLimits', names.rateLimitsTable, {
      keys: tables.rateLimits,
      sortKeyType: AttributeType.NUMBER,
    });
    this.conversations = this.table('Conversations', names.conversationsTable, {
      keys: tables.conversations,
    });

    const notification = this.notificationWorker();
    const pipe = this.pipe(notification.queue);
    const drain = this.drainWorker();
    const live = this.webSocketApi(identity, drain);
    for (const { worker } of [notification, drain]) live.allowConnections(worker, ['POST', 'DELETE']);
    const api = this.httpApi(identity);
    new Dashboard(this, 'Dashboard', {
      widgets: [
        api.widgets(),
        live.widgets(),
        [...pipe.widgets(), ...notification.widgets()],
        drain.widgets(),
      ],
    });

    for (const [name, value] of Object.entries({ ApiUrl: api.url, WebSocketUrl: live.url })) {
      new CfnOutput(this, name, { value });
    }
    outputOperated(this);
  }

  private messagesTable(): DataTable {
    const { byMessageId } = tables.messages;
    const messages = this.table('Messages', names.messagesTable, {
      keys: tables.messages,
      sortKeyType: AttributeType.NUMBER,
      stream: StreamViewType.NEW_IMAGE,
    });
    messages.addLocalSecondaryIndex({
      indexName: byMessageId.name,
      sortKey: { name: byMessageId.sortKey, type: AttributeType.STRING },
      projectionType: ProjectionType.KEYS_ONLY,
    });
    return messages;
  }

  private table(id: string, variable: string, props: Omit<DataTableProps, 'config' | 'variable'>): DataTable {
    return new DataTable(this, id, { ...props, variable, config: this.config });
  }

  private notificationWorker(): QueueWorker {
    return new QueueWorker(this, 'Notification', {
      entry: 'chat/deliver/handler',
      description: 'Puts messages into their recipients’ inboxes and pushes them to devices',
      access: [
        this.messages.access('GetItem'),
        this.inbox.access('DeleteItem', 'PutItem'),
        this.acknowledgements.access('GetItem'),
        this.connections.access('DeleteItem', 'Query'),
      ],
      urlVariable: names.notificationQueueUrl,
      logRetention: this.config.logRetentionDays,
      tempo: this.config.notification,
      // A pass that ends before all devices are reached leaves fewer to the next, or ends the chain.
      sendsToItself: true,
      reportsBatchItemFailures: true,
      deadLetters: {
        impact:
          'A chat message was not put into its recipient’s inbox, or not pushed to a device that is online.',
        runbookHeading: 'A message in the notification dead-letter queue',
      },
      alarmTopic: this.alarms,
    });
  }

  /** A queue of their own, so that no written message waits for a drain. */
  private drainWorker(): QueueWorker {
    return new QueueWorker(this, 'Drain', {
      entry: 'chat/drain/handler',
      description: 'Pushes what waits to devices that come online',
      access: [
        this.messages.access('Query'),
        this.inbox.access('Query'),
        this.acknowledgements.access('BatchGetItem'),
        this.connections.access('DeleteItem', 'UpdateItem'),
        this.conversations.access('Query'),
      ],
      urlVariable: names.drainQueueUrl,
      logRetention: this.config.logRetentionDays,
      tempo: this.config.drain,
      // Each pass of a drain pushes part of an inbox; the last one, or a device that is gone, ends the chain.
      sendsToItself: true,
      reportsBatchItemFailures: true,
      deadLetters: {
        impact: 'A device came online and was not pushed what waits for its user; all of it still waits.',
        runbookHeading: 'A message in the drain dead-letter queue',
      },
      alarmTopic: this.alarms,
    });
  }

  private pipe(queue: Queue): StreamPipe {
    return new StreamPipe(this, 'MessagePipe', {
      description: 'Every message that is written, to the notification queue',
      table: this.messages,
      eventNames: ['INSERT'],
      inputTemplate: pipeInputTemplate,
      queue,
      failure: {
        impact: 'Messages are written, but nobody is notified. The stream keeps them for 24 hours.',
        runbookHeading: 'The message pipe fails',
      },
      deadLetters: {
        impact:
          'The pipe gave up messages that it could not deliver in 23 hours: nobody is notified of them.',
        runbookHeading: 'A message in the pipe’s dead-letter queue',
      },
      logRetention: this.config.logRetentionDays,
      alarmTopic: this.alarms,
    });
  }

  private webSocketApi(identity: IdentityStack, drain: QueueWorker): TokenWebSocketApi {
    const live = new TokenWebSocketApi(this, 'WebSocketApi', {
      apiName: apiNameOf(this.config.stage, 'chat-live'),
      description: 'Chat notifications, the moment they are written',
      authorizer: new NodeFunction(this, 'Authorize', {
        entry: 'chat/devices/authorize-handler',
        description: 'Lets chat users connect',
        environment: {
          [names.issuer]: identity.issuer,
          [names.issuerKeysUrl]: `${identity.issuer}/.well-known/jwks.json`,
          [names.chatClientId]: identity.chatClient.userPoolClientId,
        },
        logRetention: this.config.logRetentionDays,
      }),
      urlVariable: names.connectionsUrl,
      stageName: 'live',
      throttle: this.config.throttle,
      alarmTopic: this.alarms,
      logRetention: this.config.logRetentionDays,
    });
    live.serve([
      {
        id: 'Disconnect',
        entry: 'chat/devices/disconnect-handler',
        description: 'Forgets a connection',
        routeKey: '$disconnect',
        access: [this.connections.access('DeleteItem')],
      },
      {
        id: 'Hello',
        entry: 'chat/devices/hello-handler',
        description: 'Takes a device online',
        routeKey: 'hello',
        access: [this.connections.access('UpdateItem'), drain.access('SendMessage')],
        answers: true,
      },
      {
        id: 'Ack',
        entry: 'chat/inbox/ack-handler',
        description: 'Acknowledges notifications',
        routeKey: 'ack',
        access: this.acknowledging(),
        answers: true,
      },
      {
        id: 'Read',
        entry: 'chat/devices/read-handler',
        description: 'Moves a read position and sends receipts',
        routeKey: 'read',
        access: [
          this.messages.access('Query'),
          this.conversations.access('UpdateItem'),
          this.connections.access('DeleteItem', 'Query'),
        ],
        answers: true,
      },
      {
        id: 'UnknownAction',
        entry: 'chat/devices/unknown-action-handler',
        description: 'Answers frames that ask for nothing',
        routeKey: '$default',
        answers: true,
      },
    ]);
    return live;
  }

  private httpApi(identity: IdentityStack): JwtHttpApi {
    const { messageRate } = this.config;
    const api = new JwtHttpApi(this, 'HttpApi', {
      apiName: apiNameOf(this.config.stage, 'chat'),
      description: 'Chat messages and what waits for a user',
      issuer: identity.issuer,
      audience: [identity.chatClient.userPoolClientId],
      throttle: this.config.throttle,
      logRetention: this.config.logRetentionDays,
      alarmTopic: this.alarms,
      notFoundId: 'UnknownPath',
    });
    const { DELETE, GET, POST } = HttpMethod;
    api.serve([
      {
        id: 'PostMessage',
        entry: 'chat/messages/handler',
        description: 'Writes a message',
        routes: [[POST, '/messages', chatScope]],
        environment: {
          [names.rateLimitMessages]: String(messageRate.messages),
          [names.rateLimitWindowSeconds]: String(messageRate.windowSeconds),
        },
        access: [
          this.messages.access('GetItem', 'PutItem', 'Query'),
          this.messages.query(tables.messages.byMessageId),
          this.rateLimits.access('UpdateItem'),
          this.conversations.access('UpdateItem'),
        ],
      },
      {
        id: 'ListConversations',
        entry: 'chat/messages/conversations-handler',
        description: 'Shows a user’s conversations',
        routes: [[GET, '/conversations', chatScope]],
        access: [this.messages.access('Query'), this.conversations.access('Query')],
      },
      {
        id: 'ListMessages',
        entry: 'chat/messages/history-handler',
        description: 'Shows a conversation',
        routes: [[GET, '/conversations/{conversationId}/messages', chatScope]],
        access: [this.messages.access('GetItem', 'Query')],
      },
      {
        id: 'ListNotifications',
        entry: 'chat/inbox/handler',
        description: 'Shows what waits for a user',
        routes: [[GET, '/notifications', chatScope]],
        access: [this.inbox.access('Query'), this.acknowledgements.access('BatchGetItem')],
      },
      {
        id: 'DeleteNotification',
        entry: 'chat/inbox/acknowledge-handler',
        description: 'Acknowledges a notification',
        routes: [[DELETE, '/notifications/{notificationId}', chatScope]],
        access: this.acknowledging(),
      },
    ]);
    return api;
  }

  private acknowledging(): readonly Access[] {
    return [this.inbox.access('DeleteItem', 'GetItem'), this.acknowledgements.access('GetItem', 'PutItem')];
  }
}
