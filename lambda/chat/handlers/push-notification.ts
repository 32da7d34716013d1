import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import * as v from 'valibot';
import { batchResponse, parseJsonBody, PermanentError, type RecordFailure } from '../../shared/batch.ts';
import { systemClock } from '../../shared/clock.ts';
import { createDynamoDbClient } from '../../shared/dynamodb.ts';
import { environmentVariable } from '../../shared/environment.ts';
import { logger } from '../../shared/log.ts';
import { createSqsClient } from '../../shared/sqs.ts';
import { environmentNames, NotificationMessage } from '../contract.ts';
import { deliver, type DeliveryServices } from '../deliver.ts';
import { notificationIdOf } from '../domain/identifiers.ts';
import { drain, DRAIN_PASS_NOTIFICATIONS, type DrainServices } from '../drain.ts';
import { createPushFrame } from '../push.ts';
import { notificationQueueSender } from '../queues/notification-queue.ts';
import { isConnected, liveConnections, markLive, removeConnection } from '../tables/connections.ts';
import { getMessage, lastMessage } from '../tables/messages.ts';
import { isAcknowledged, putNotification, queueOf } from '../tables/notifications.ts';

export type PushServices = DeliveryServices & DrainServices;

/** Works on the notification queue: delivers the message that was written, or drains what waits for a device. */
export async function pushNotifications(
  records: readonly SQSRecord[],
  services: PushServices,
): Promise<SQSBatchResponse> {
  const failures: RecordFailure[] = [];
  // The batch size is 1: a failure holds nobody else up.
  for (const record of records) {
    let about: RecordFailure['about'];
    try {
      const message = parse(record);
      about = namesOf(message);
      await work(message, services);
    } catch (error) {
      failures.push({ record, error, ...(about === undefined ? {} : { about }) });
    }
  }
  return batchResponse(failures);
}

type Work = v.InferOutput<typeof NotificationMessage>;

function parse(record: SQSRecord): Work {
  const parsed = v.safeParse(NotificationMessage, parseJsonBody(record));
  if (!parsed.success) throw new PermanentError('The message is no notification message.');
  return parsed.output;
}

/** By what the log tells a message on the queue. */
function namesOf(message: Work): NonNullable<RecordFailure['about']> {
  if (message.kind === 'device-online') return { connectionId: message.connectionId };
  const { conversationId, sequence, requestId } = message;
  const notificationId = notificationIdOf({ conversationId, sequence });
  return { notificationId, conversationId, sequence, requestId };
}

async function work(message: Work, services: PushServices): Promise<void> {
  const startedAt = performance.now();
  const milliseconds = (): number => Math.round(performance.now() - startedAt);
  if (message.kind === 'message') {
    const delivery = await deliver(message.conversationId, message.sequence, services);
    logger.info('message delivered', { ...namesOf(message), ...delivery, milliseconds: milliseconds() });
    return;
  }
  const notificationIds: string[] = [];
  const drained = await drain(message, {
    ...services,
    pushFrame: async (connectionId, frame) => {
      const result = await services.pushFrame(connectionId, frame);
      if (result === 'sent' && frame.type === 'notification') notificationIds.push(frame.notificationId);
      return result;
    },
  });
  logger.info('device drained', {
    ...namesOf(message),
    ...drained,
    notificationIds,
    milliseconds: milliseconds(),
  });
}

function buildServices(): PushServices {
  const client = createDynamoDbClient();
  const messagesTable = environmentVariable(environmentNames.messagesTable);
  const notificationsTable = environmentVariable(environmentNames.notificationsTable);
  const connectionsTable = environmentVariable(environmentNames.connectionsTable);
  const queueUrl = environmentVariable(environmentNames.notificationQueueUrl);
  return {
    now: systemClock,
    getMessage: (conversationId, sequence) => getMessage(client, messagesTable, conversationId, sequence),
    putNotification: (message) => putNotification(client, notificationsTable, message, systemClock()),
    isAcknowledged: (message) => isAcknowledged(client, notificationsTable, message.to, message),
    liveConnections: (userId) => liveConnections(client, connectionsTable, userId, systemClock()),
    pushFrame: createPushFrame(environmentVariable(environmentNames.connectionsUrl)),
    removeConnection: (device) => removeConnection(client, connectionsTable, device),
    isConnected: (device) => isConnected(client, connectionsTable, device),
    markLive: (device) => markLive(client, connectionsTable, device),
    queueOf: (userId, after) =>
      queueOf(client, notificationsTable, userId, {
        after,
        now: systemClock(),
        pageItems: DRAIN_PASS_NOTIFICATIONS + 1,
      }),
    lastSequence: async (conversationId) =>
      (await lastMessage(client, messagesTable, conversationId))?.sequence,
    sendMessage: notificationQueueSender(createSqsClient(), queueUrl),
  };
}

let services: PushServices | undefined;

export async function handler(
  event: SQSEvent,
  context: Pick<Context, 'awsRequestId'>,
): Promise<SQSBatchResponse> {
  services ??= buildServices();
  logger.resetKeys();
  logger.appendKeys({ functionRequestId: context.awsRequestId });
  return pushNotifications(event.Records, services);
}
