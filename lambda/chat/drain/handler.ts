import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import * as v from 'valibot';
import { batchResponse, parseJsonBody, PermanentError, type RecordFailure } from '../../shared/batch.ts';
import { systemClock } from '../../shared/clock.ts';
import { createDynamoDbClient } from '../../shared/dynamodb.ts';
import { environmentVariable } from '../../shared/environment.ts';
import { logger } from '../../shared/log.ts';
import { createSqsClient } from '../../shared/sqs.ts';
import { caughtUpFrame } from './caught-up.ts';
import { DrainMessage, environmentNames } from '../contract.ts';
import { drain, type DrainServices } from './drain.ts';
import { queueSender } from '../store/queue-sender.ts';
import { noteDrain } from '../store/connections.ts';
import { conversationsOf } from '../store/conversations.ts';
import { lastMessage } from '../store/messages.ts';
import { waitingPage } from '../store/notifications.ts';
import { pushServices, withinTime } from '../push/worker.ts';

/** Works on the drain queue: pushes to devices that came online what waits for them, side by side. */
export async function drainDevices(
  records: readonly SQSRecord[],
  services: DrainServices,
): Promise<SQSBatchResponse> {
  const failures: RecordFailure[] = [];
  // Read once for all devices of a user, after their hellos: what is written later is pushed live.
  const ofBatch = {
    ...services,
    caughtUpFrame: once(services.caughtUpFrame, (userId) => userId),
    waitingPage: once(services.waitingPage, (userId, after) => (after === undefined ? userId : undefined)),
  };
  await Promise.all(
    records.map(async (record) => {
      let about: RecordFailure['about'];
      try {
        const parsed = v.safeParse(DrainMessage, parseJsonBody(record));
        if (!parsed.success) throw new PermanentError('The message is no drain message.');
        about = { connectionId: parsed.output.connectionId };
        await work(parsed.output, ofBatch);
      } catch (error) {
        failures.push({ record, error, ...(about === undefined ? {} : { about }) });
      }
    }),
  );
  return batchResponse(failures);
}

/** Reads once what several ask for by one key; `undefined` is read each time. */
function once<Parameters extends readonly unknown[], Result>(
  read: (...parameters: Parameters) => Promise<Result>,
  keyOf: (...parameters: Parameters) => string | undefined,
): (...parameters: Parameters) => Promise<Result> {
  const results = new Map<string, Promise<Result>>();
  return async (...parameters) => {
    const key = keyOf(...parameters);
    if (key === undefined) return read(...parameters);
    const result = results.get(key) ?? read(...parameters);
    results.set(key, result);
    return result;
  };
}

async function work(message: v.InferOutput<typeof DrainMessage>, services: DrainServices): Promise<void> {
  const startedAt = performance.now();
  const notificationIds: string[] = [];
  const drained = await drain(message, {
    ...services,
    pushFrame: async (connectionId, frame, timeout) => {
      const result = await services.pushFrame(connectionId, frame, timeout);
      if (result === 'sent' && frame.type === 'notification') notificationIds.push(frame.notificationId);
      return result;
    },
  });
  const { connectionId } = message;
  const milliseconds = Math.round(performance.now() - startedAt);
  logger.info('device drained', { connectionId, ...drained, notificationIds, milliseconds });
}

/** So many notifications are read at once: pushing them takes a second or two. */
const PAGE_ITEMS = 100;

function buildServices(): Omit<DrainServices, 'isTimeUp'> {
  const client = createDynamoDbClient();
  const messages = environmentVariable(environmentNames.messagesTable);
  const connections = environmentVariable(environmentNames.connectionsTable);
  const conversations = environmentVariable(environmentNames.conversationsTable);
  const names = {
    notifications: environmentVariable(environmentNames.notificationsTable),
    acknowledgements: environmentVariable(environmentNames.acknowledgementsTable),
  };
  return {
    ...pushServices(client, connections),
    now: systemClock,
    waitingPage: (userId, after) =>
      waitingPage(client, names, userId, { after, now: systemClock(), pageItems: PAGE_ITEMS }),
    noteDrain: (device, state) => noteDrain(client, connections, device, state, systemClock()),
    caughtUpFrame: (userId) =>
      caughtUpFrame(userId, {
        conversationsOf: (...page) => conversationsOf(client, conversations, ...page),
        lastSequence: async (conversationId) =>
          (await lastMessage(client, messages, conversationId))?.sequence,
      }),
    sendMessage: queueSender(createSqsClient(), environmentVariable(environmentNames.drainQueueUrl)),
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
  return drainDevices(event.Records, withinTime(services, context));
}
