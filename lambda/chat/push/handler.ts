import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import * as v from 'valibot';
import { batchResponse, parseJsonBody, PermanentError, type RecordFailure } from '../../shared/batch.ts';
import { systemClock } from '../../shared/clock.ts';
import { createDynamoDbClient } from '../../shared/dynamodb.ts';
import { environmentVariable } from '../../shared/environment.ts';
import { logger } from '../../shared/log.ts';
import { createSqsClient } from '../../shared/sqs.ts';
import { environmentNames, NotificationMessage } from '../contract.ts';
import { deliver, type DeliveryServices } from './deliver.ts';
import { notificationIdOf } from '../domain/identifiers.ts';
import { queueSender } from '../store/queue-sender.ts';
import { isAcknowledged } from '../store/acknowledgements.ts';
import { liveConnections } from '../store/connections.ts';
import { getMessage } from '../store/messages.ts';
import { putNotification, removeNotification } from '../store/notifications.ts';
import { pushServices, withinTime } from './worker.ts';

/** Works on the notification queue: delivers the messages that were written. */
export async function pushNotifications(
  records: readonly SQSRecord[],
  services: DeliveryServices,
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
function namesOf({ conversationId, sequence, requestId }: Work): NonNullable<RecordFailure['about']> {
  return {
    notificationId: notificationIdOf({ conversationId, sequence }),
    conversationId,
    sequence,
    requestId,
  };
}

async function work(message: Work, services: DeliveryServices): Promise<void> {
  const startedAt = performance.now();
  const delivery = await deliver(
    message,
    services,
    message.kind === 'push' ? message.connectionIds : undefined,
  );
  const milliseconds = Math.round(performance.now() - startedAt);
  logger.info('message delivered', { ...namesOf(message), ...delivery, milliseconds });
}

function buildServices(): Omit<DeliveryServices, 'isTimeUp'> {
  const client = createDynamoDbClient();
  const messages = environmentVariable(environmentNames.messagesTable);
  const notifications = environmentVariable(environmentNames.notificationsTable);
  const acknowledgements = environmentVariable(environmentNames.acknowledgementsTable);
  const connections = environmentVariable(environmentNames.connectionsTable);
  const queueUrl = environmentVariable(environmentNames.notificationQueueUrl);
  return {
    ...pushServices(client, connections),
    now: systemClock,
    getMessage: (conversationId, sequence) => getMessage(client, messages, conversationId, sequence),
    putNotification: (message) => putNotification(client, notifications, message, systemClock()),
    isAcknowledged: (userId, place) => isAcknowledged(client, acknowledgements, userId, place),
    removeNotification: (userId, place) => removeNotification(client, notifications, userId, place),
    liveConnections: (userId) => liveConnections(client, connections, userId, systemClock()),
    sendMessage: queueSender(createSqsClient(), queueUrl),
  };
}

let services: ReturnType<typeof buildServices> | undefined;

export async function handler(
  event: SQSEvent,
  context: Pick<Context, 'awsRequestId' | 'getRemainingTimeInMillis'>,
): Promise<SQSBatchResponse> {
  services ??= buildServices();
  logger.resetKeys();
  logger.appendKeys({ functionRequestId: context.awsRequestId });
  return pushNotifications(event.Records, withinTime(services, context));
}
