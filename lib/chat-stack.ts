import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib';
import { HttpMethod } from 'aws-cdk-lib/aws-apigatewayv2';
import { Dashboard } from 'aws-cdk-lib/aws-cloudwatch';
import { AttributeType, ProjectionType, StreamViewType, type Table } from 'aws-cdk-lib/aws-dynamodb';
import type { RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Topic } from 'aws-cdk-lib/aws-sns';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { chatScope, environmentNames as names, pipeInputTemplate, tables } from '../lambda/chat/contract.ts';
import { alarmTopic } from './alarm-topic.ts';
import type { StageConfig } from './config.ts';
import { dataTable } from './data-table.ts';
import type { IdentityStack } from './identity-stack.ts';
import { JwtHttpApi } from './jwt-http-api.ts';
import { NodeFunction, type Grant } from './node-function.ts';
import { outputOperated } from './operator-outputs.ts';
import { QueueWorker, tempoOf } from './queue-worker.ts';
import { apiNameOf } from './stage-names.ts';
import { StreamPipe } from './stream-pipe.ts';
import { TokenWebSocketApi } from './token-web-socket-api.ts';

export interface ChatStackProps extends StackProps {
  readonly config: StageConfig;
  readonly identity: IdentityStack;
  /** Addresses that get a mail for each alarm. */
  readonly alarmEmails: readonly string[];
}

/**
 * The async tempo. A message that is written goes from the table's stream through a pipe into the notification queue,
 * and one by one, at once, to its recipient's devices.
 */
export class ChatStack extends Stack {
  private readonly config: StageConfig;
  private readonly logRetention: RetentionDays;
  private readonly messages: Table;
  private readonly notifications: Table;
  private readonly acknowledgements: Table;
  private readonly connections: Table;
  private readonly rateLimits: Table;
  private readonly conversations: Table;
  private readonly alarms: Topic;

  constructor(scope: Construct, id: string, props: ChatStackProps) {
    super(scope, id, props);
    const { config, identity } = props;
    this.config = config;
    this.logRetention = config.logRetentionDays;
    this.alarms = alarmTopic(this, props.alarmEmails);

    this.messages = this.messagesTable();
    this.notifications = this.table('Notifications', tables.notifications);
    this.acknowledgements = this.table('Acknowledgements', tables.acknowledgements);
    this.connections = this.table('Connections', tables.connections);
    this.rateLimits = this.table('RateLimits', tables.rateLimits, AttributeType.NUMBER);
    this.conversations = this.table('Conversations', tables.conversations);

    const notification = this.notificationWorker();
    const pipe = this.pipe(notification.queue);
    const drain = this.drainWorker();
    const live = this.webSocketApi(identity, drain);
    for (const { worker } of [notification, drain]) {
      this.pushAs(worker, live);
      live.allowDisconnecting(worker);
    }
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

  private messagesTable(): Table {
    const { byMessageId } = tables.messages;
    const messages = this.table('Messages', tables.messages, AttributeType.NUMBER, StreamViewType.NEW_IMAGE);
    messages.addLocalSecondaryIndex({
      indexName: byMessageId.name,
      sortKey: { name: byMessageId.sortKey, type: AttributeType.STRING },
      projectionType: ProjectionType.KEYS_ONLY,
    });
    return messages;
  }

  private table(
    id: string,
    keys: { readonly partitionKey: string; readonly sortKey: string; readonly timeToLive?: string },
    sortKeyType = AttributeType.STRING,
    stream?: StreamViewType,
  ): Table {
    return dataTable(this, id, this.config, {
      partitionKey: { name: keys.partitionKey, type: AttributeType.STRING },
      sortKey: { name: keys.sortKey, type: sortKeyType },
      ...(keys.timeToLive === undefined ? {} : { timeToLiveAttribute: keys.timeToLive }),
      ...(stream === undefined ? {} : { stream }),
    });
  }

  private notificationWorker(): QueueWorker {
    const { notification } = this.config;
    const worker = new QueueWorker(this, 'Notification', {
      entry: 'chat/deliver/handler',
      description: 'Puts messages into their recipients’ notification queues and pushes them to devices',
      environment: {
        [names.messagesTable]: this.messages.tableName,
        [names.notificationsTable]: this.notifications.tableName,
        [names.acknowledgementsTable]: this.acknowledgements.tableName,
        [names.connectionsTable]: this.connections.tableName,
      },
      logRetention: this.logRetention,
      ...tempoOf(notification),
      // A pass that ends before all devices are reached leaves fewer to the next, or ends the chain.
      allowsRecursion: true,
      reportsBatchItemFailures: true,
      deadLetters: {
        impact:
          'A chat message was not put into its recipient’s notification queue, or not pushed to a device that is online.',
        runbookHeading: 'A message in the notification dead-letter queue',
      },
      alarmTopic: this.alarms,
    });
    worker.worker.function.addEnvironment(names.notificationQueueUrl, worker.queue.queueUrl);
    worker.worker.allow(['dynamodb:GetItem'], [this.messages.tableArn]);
    worker.worker.allow(['dynamodb:DeleteItem', 'dynamodb:PutItem'], [this.notifications.tableArn]);
    worker.worker.allow(['dynamodb:GetItem'], [this.acknowledgements.tableArn]);
    worker.worker.allow(['dynamodb:DeleteItem', 'dynamodb:Query'], [this.connections.tableArn]);
    worker.worker.allow(['sqs:SendMessage'], [worker.queue.queueArn]);
    return worker;
  }

  /** Drains have a queue of their own: however many there are, a message that is written waits for none. */
  private drainWorker(): QueueWorker {
    const worker = new QueueWorker(this, 'Drain', {
      entry: 'chat/drain/handler',
      description: 'Pushes what waits to devices that come online',
      environment: {
        [names.messagesTable]: this.messages.tableName,
        [names.notificationsTable]: this.notifications.tableName,
        [names.acknowledgementsTable]: this.acknowledgements.tableName,
        [names.connectionsTable]: this.connections.tableName,
        [names.conversationsTable]: this.conversations.tableName,
      },
      logRetention: this.logRetention,
      ...tempoOf(this.config.drain),
      // A drain goes on in passes: as many as what waits for the user makes, and none after the device is gone.
      allowsRecursion: true,
      reportsBatchItemFailures: true,
      deadLetters: {
        impact: 'A device came online and was not pushed what waits for its user; all of it still waits.',
        runbookHeading: 'A message in the drain dead-letter queue',
      },
      alarmTopic: this.alarms,
    });
    worker.worker.function.addEnvironment(names.drainQueueUrl, worker.queue.queueUrl);
    worker.worker.allow(['dynamodb:Query'], [this.messages.tableArn]);
    worker.worker.allow(['dynamodb:Query'], [this.notifications.tableArn]);
    worker.worker.allow(['dynamodb:BatchGetItem'], [this.acknowledgements.tableArn]);
    worker.worker.allow(['dynamodb:DeleteItem', 'dynamodb:UpdateItem'], [this.connections.tableArn]);
    worker.worker.allow(['dynamodb:Query'], [this.conversations.tableArn]);
    worker.worker.allow(['sqs:SendMessage'], [worker.queue.queueArn]);
    return worker;
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
      logRetention: this.logRetention,
      alarmTopic: this.alarms,
    });
  }

  private webSocketApi(identity: IdentityStack, { queue }: QueueWorker): TokenWebSocketApi {
    const connections = { [names.connectionsTable]: this.connections.tableName };
    const authorizer = this.routeFunction(
      'Authorize',
      'chat/devices/authorize-handler',
      'Lets chat users connect',
      {
        [names.issuer]: identity.issuer,
        [names.issuerKeysUrl]: `${identity.issuer}/.well-known/jwks.json`,
        [names.chatClientId]: identity.chatClient.userPoolClientId,
      },
    );
    const live = new TokenWebSocketApi(this, 'WebSocketApi', {
      apiName: apiNameOf(this.config.stage, 'chat-live'),
      description: 'Chat notifications, the moment they are written',
      authorizer,
      stageName: 'live',
      throttle: this.config.throttle,
      alarmTopic: this.alarms,
      logRetention: this.logRetention,
    });

    const disconnect = this.routeFunction(
      'Disconnect',
      'chat/devices/disconnect-handler',
      'Forgets a connection',
      connections,
    );
    disconnect.allow(['dynamodb:DeleteItem'], [this.connections.tableArn]);
    live.addRoute('$disconnect', disconnect);

    const hello = this.routeFunction('Hello', 'chat/devices/hello-handler', 'Takes a device online', {
      ...connections,
      [names.drainQueueUrl]: queue.queueUrl,
    });
    hello.allow(['dynamodb:UpdateItem'], [this.connections.tableArn]);
    hello.allow(['sqs:SendMessage'], [queue.queueArn]);

    const ack = this.routeFunction(
      'Ack',
      'chat/inbox/ack-handler',
      'Acknowledges notifications',
      this.notificationTables(),
    );
    for (const grant of this.acknowledging()) ack.allow(...grant);

    const read = this.routeFunction(
      'Read',
      'chat/devices/read-handler',
      'Moves a read position and sends receipts',
      {
        ...connections,
        [names.messagesTable]: this.messages.tableName,
        [names.conversationsTable]: this.conversations.tableName,
      },
    );
    read.allow(['dynamodb:Query'], [this.messages.tableArn]);
    read.allow(['dynamodb:UpdateItem'], [this.conversations.tableArn]);
    read.allow(['dynamodb:DeleteItem', 'dynamodb:Query'], [this.connections.tableArn]);

    const refuse = this.routeFunction(
      'UnknownAction',
      'chat/devices/unknown-action-handler',
      'Answers frames that ask for nothing',
      {},
    );
    for (const [routeKey, handler] of [
      ['hello', hello],
      ['ack', ack],
      ['read', read],
      ['$default', refuse],
    ] as const) {
      live.addRoute(routeKey, handler);
      this.pushAs(handler, live);
    }
    return live;
  }

  /** Lets a function post frames to the connections of the WebSocket API. */
  private pushAs(pusher: NodeFunction, live: TokenWebSocketApi): void {
    pusher.function.addEnvironment(names.connectionsUrl, live.connectionsUrl);
    live.allowPosting(pusher);
  }

  private httpApi(identity: IdentityStack): JwtHttpApi {
    const { messageRate } = this.config;
    const messages = { [names.messagesTable]: this.messages.tableName };
    const conversations = { [names.conversationsTable]: this.conversations.tableName };

    const api = new JwtHttpApi(this, 'HttpApi', {
      apiName: apiNameOf(this.config.stage, 'chat'),
      description: 'Chat messages and what waits for a user',
      issuer: identity.issuer,
      audience: [identity.chatClient.userPoolClientId],
      throttle: this.config.throttle,
      logRetention: this.logRetention,
      alarmTopic: this.alarms,
      notFoundId: 'UnknownPath',
    });
    const { DELETE, GET, POST } = HttpMethod;
    const messagesTable = this.messages.tableArn;
    const byMessageId = `${messagesTable}/index/${tables.messages.byMessageId.name}`;
    api.serve([
      {
        id: 'PostMessage',
        entry: 'chat/messages/handler',
        description: 'Writes a message',
        routes: [[POST, '/messages', chatScope]],
        environment: {
          ...messages,
          ...conversations,
          [names.rateLimitsTable]: this.rateLimits.tableName,
          [names.rateLimitMessages]: String(messageRate.messages),
          [names.rateLimitWindowSeconds]: String(messageRate.windowSeconds),
        },
        may: [
          [['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:Query'], [messagesTable]],
          [['dynamodb:Query'], [byMessageId]],
          [['dynamodb:UpdateItem'], [this.rateLimits.tableArn]],
          [['dynamodb:UpdateItem'], [this.conversations.tableArn]],
        ],
      },
      {
        id: 'ListConversations',
        entry: 'chat/messages/conversations-handler',
        description: 'Shows a user’s conversations',
        routes: [[GET, '/conversations', chatScope]],
        environment: { ...messages, ...conversations },
        may: [
          [['dynamodb:Query'], [messagesTable]],
          [['dynamodb:Query'], [this.conversations.tableArn]],
        ],
      },
      {
        id: 'ListMessages',
        entry: 'chat/messages/history-handler',
        description: 'Shows a conversation',
        routes: [[GET, '/conversations/{conversationId}/messages', chatScope]],
        environment: messages,
        may: [[['dynamodb:GetItem', 'dynamodb:Query'], [messagesTable]]],
      },
      {
        id: 'ListNotifications',
        entry: 'chat/inbox/handler',
        description: 'Shows what waits for a user',
        routes: [[GET, '/notifications', chatScope]],
        environment: this.notificationTables(),
        may: [
          [['dynamodb:Query'], [this.notifications.tableArn]],
          [['dynamodb:BatchGetItem'], [this.acknowledgements.tableArn]],
        ],
      },
      {
        id: 'DeleteNotification',
        entry: 'chat/inbox/acknowledge-handler',
        description: 'Acknowledges a notification',
        routes: [[DELETE, '/notifications/{notificationId}', chatScope]],
        environment: this.notificationTables(),
        may: this.acknowledging(),
      },
    ]);
    return api;
  }

  private notificationTables(): Readonly<Record<string, string>> {
    return {
      [names.notificationsTable]: this.notifications.tableName,
      [names.acknowledgementsTable]: this.acknowledgements.tableName,
    };
  }

  private acknowledging(): readonly Grant[] {
    return [
      [['dynamodb:DeleteItem', 'dynamodb:GetItem'], [this.notifications.tableArn]],
      [['dynamodb:GetItem', 'dynamodb:PutItem'], [this.acknowledgements.tableArn]],
    ];
  }

  private routeFunction(
    id: string,
    entry: string,
    description: string,
    environment: Readonly<Record<string, string>>,
  ): NodeFunction {
    return new NodeFunction(this, id, {
      entry,
      description,
      environment,
      logRetention: this.logRetention,
    });
  }
}
