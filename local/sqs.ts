import { awsError } from './aws-service.ts';
import type { AwsAnswer, AwsCall, AwsService } from './aws-service.ts';
import { createFauxqs } from './fauxqs.ts';
import type { SqsMessage, SqsQueue } from './fauxqs.ts';
import { createMoveTasks } from './sqs-move-tasks.ts';
import { isJsonList, isJsonObject, objectAt, textAt } from './template.ts';
import type { JsonObject } from './template.ts';

export interface QueueIdentity {
  readonly queueName: string;
  readonly queueUrl: string;
  readonly queueArn: string;
}

export interface Sqs {
  readonly handle: AwsService;
  /** @param attributes as `CreateQueue` takes them: all text. */
  readonly createQueue: (queue: QueueIdentity, attributes: Readonly<Record<string, string>>) => void;
  /** The queue's visibility timeout as it stands now, or undefined for a queue that is not here. */
  readonly visibilityTimeoutSeconds: (queueArn: string) => number | undefined;
  /** Takes messages that were received out of a queue, and puts them into its dead-letter queue, if it has one. */
  readonly deadLetter: (queueArn: string, receiptHandles: readonly string[]) => void;
  /** Ends every long poll. */
  readonly stop: () => void;
}

const MAXIMUM_DELAY_SECONDS = 900;
const MAXIMUM_WAIT_SECONDS = 20;

/** Amazon SQS standard queues, in memory: fauxqs, with what it does otherwise than SQS corrected here. */
export function createSqs(): Sqs {
  const fauxqs = createFauxqs();
  const { store, actions } = fauxqs;
  const receipts = new Map<string, Receipts>();
  /** What fauxqs does not keep: the system attribute `AWSTraceHeader`. */
  const traceHeaders = new WeakMap<SqsMessage, string>();
  /** Where messages are; and for those in a dead-letter queue, where they were before. */
  const homes = new WeakMap<SqsMessage, { readonly queueArn: string; readonly sourceArn?: string }>();
  const moveTasks = createMoveTasks({
    ...fauxqs,
    deadLetterArnOf,
    sourceOf: (message) => homes.get(message)?.sourceArn,
  });
  let stopped = false;

  const receive = async (queue: SqsQueue, request: JsonObject, signal: AbortSignal): Promise<unknown> => {
    const run = actions.get('ReceiveMessage');
    const asked = request['WaitTimeSeconds'] ?? Number(queue.getAttribute('ReceiveMessageWaitTimeSeconds'));
    const waitSeconds = Number(asked);
    // An impossible wait is for fauxqs to refuse.
    const isPossible = waitSeconds >= 0 && waitSeconds <= MAXIMUM_WAIT_SECONDS;
    const deadline = Date.now() + waitSeconds * 1000;
    const aborted = new Promise<void>((resolve) => {
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
    for (;;) {
      dropExpired(queue);
      const answer = await run?.({ ...request, WaitTimeSeconds: isPossible ? 0 : waitSeconds }, store);
      const messages = isJsonObject(answer) && isJsonList(answer['Messages']) ? answer['Messages'] : [];
      const remaining = deadline - Date.now();
      // fauxqs wakes every waiter for one message and lets those who get none go; SQS lets them wait on.
      if (messages.length > 0 || remaining <= 0 || signal.aborted || stopped) {
        return { Messages: messages.filter(isJsonObject).map((message) => handOut(queue, message, request)) };
      }
      await Promise.race([queue.waitForMessages(remaining / 1000), aborted]);
    }
  };

  const handOut = (queue: SqsQueue, message: JsonObject, request: JsonObject): JsonObject => {
    const messageId = textAt(message, 'MessageId');
    const receiptHandle = textAt(message, 'ReceiptHandle');
    if (messageId !== undefined && receiptHandle !== undefined) {
      receiptsOf(queue).handedOut(messageId, receiptHandle);
    }
    const held = queue.inflightMessages.get(receiptHandle ?? '')?.message;
    const traceHeader = held && traceHeaders.get(held);
    const sourceArn = held && homes.get(held)?.sourceArn;
    const more = {
      ...(traceHeader !== undefined && asksFor(request, 'AWSTraceHeader')
        ? { AWSTraceHeader: traceHeader }
        : {}),
      ...(sourceArn !== undefined && asksFor(request, 'DeadLetterQueueSourceArn')
        ? { DeadLetterQueueSourceArn: sourceArn }
        : {}),
    };
    const traced: JsonObject =
      Object.keys(more).length === 0
        ? message
        : { ...message, Attributes: { ...objectAt(message, 'Attributes'), ...more } };
    if (isJsonList(request['MessageAttributeNames']) && request['MessageAttributeNames'].length > 0)
      return traced;
    // fauxqs answers all message attributes where none were asked for.
    const { MessageAttributes: _, MD5OfMessageAttributes: __, ...rest } = traced;
    return rest;
  };

  /** Keeps the trace headers of what has just been sent: those that the entries name, else that of the call. */
  const keepTrace = (queue: SqsQueue, { request, traceHeader }: AwsCall, answer: unknown): void => {
    const entries = isJsonList(request['Entries']) ? request['Entries'].filter(isJsonObject) : [request];
    const sent = isJsonObject(answer) && isJsonList(answer['Successful']) ? answer['Successful'] : [answer];
    for (const { MessageId: messageId, Id: id } of sent.filter(isJsonObject)) {
      const entry = entries.find((each) => each['Id'] === id);
      const given = objectAt(objectAt(entry ?? {}, 'MessageSystemAttributes'), 'AWSTraceHeader');
      const header = textAt(given, 'StringValue') ?? traceHeader;
      if (header === undefined) continue;
      const isIt = (message: SqsMessage): boolean => message.messageId === messageId;
      const message = queue.messages.findLast(isIt) ?? queue.delayedMessages.findLast(isIt);
      if (message !== undefined) traceHeaders.set(message, header);
    }
  };

  const receiptsOf = (queue: SqsQueue): Receipts => {
    const known = receipts.get(queue.name) ?? createReceipts();
    receipts.set(queue.name, known);
    return known;
  };

  const forget = (queue: SqsQueue, receiptHandle: unknown): void => {
    if (typeof receiptHandle !== 'string') return;
    const messageId = receiptsOf(queue).settled(receiptHandle);
    // The latest receipt still deletes after the visibility timeout, as long as nobody received the message again.
    if (messageId === undefined || queue.inflightMessages.has(receiptHandle)) return;
    const index = queue.messages.findIndex((message) => message.messageId === messageId);
    if (index >= 0) queue.messages.splice(index, 1);
  };

  const run = async (call: AwsCall): Promise<AwsAnswer> => {
    const { action, request, signal } = call;
    if (action === 'StartMessageMoveTask') return { status: 200, body: moveTasks.start(request) };
    if (action === 'ListMessageMoveTasks') return { status: 200, body: moveTasks.list(request) };
    if (action === 'CancelMessageMoveTask') return { status: 200, body: moveTasks.cancel(request) };
    if (action === 'GetQueueUrl') {
      const named = store.getQueueByName(textAt(request, 'QueueName') ?? '');
      return named === undefined ? nonExistentQueue() : { status: 200, body: { QueueUrl: named.url } };
    }
    const engine = actions.get(action);
    if (engine === undefined) {
      return awsError(
        'com.amazonaws.sqs#UnsupportedOperation',
        `The local host's SQS does not have the operation ${action}.`,
      );
    }
    if (action === 'ListQueues') return { status: 200, body: await engine({ ...request }, store) };

    const queue = store.getQueueByName(queueNameIn(textAt(request, 'QueueUrl')) ?? '');
    if (queue === undefined) return nonExistentQueue();
    const canonical: JsonObject = { ...request, QueueUrl: queue.url };
    const delayRefusal = refuseDelay(canonical);
    if (delayRefusal !== undefined) return delayRefusal;
    switch (action) {
      case 'ReceiveMessage':
        return { status: 200, body: await receive(queue, canonical, signal) };
      case 'GetQueueAttributes': {
        dropExpired(queue);
        queue.processTimers();
        const names = isJsonList(request['AttributeNames']) ? request['AttributeNames'] : [];
        const body = await engine({ ...canonical, AttributeNames: names }, store);
        const more = names.includes('All')
          ? { SqsManagedSseEnabled: queue.attributes['SqsManagedSseEnabled'] ?? 'true' }
          : {};
        const attributes = isJsonObject(body) && isJsonObject(body['Attributes']) ? body['Attributes'] : {};
        return { status: 200, body: { Attributes: { ...attributes, ...more } } };
      }
      case 'DeleteMessage':
        forget(queue, request['ReceiptHandle']);
        break;
      case 'DeleteMessageBatch':
        for (const entry of isJsonList(request['Entries']) ? request['Entries'] : []) {
          if (isJsonObject(entry)) forget(queue, entry['ReceiptHandle']);
        }
        break;
      case 'SendMessage':
      case 'SendMessageBatch': {
        const body = engine({ ...canonical }, store);
        keepTrace(queue, call, body);
        return { status: 200, body };
      }
      case 'PurgeQueue':
        receipts.delete(queue.name);
        break;
      default:
    }
    return { status: 200, body: await engine({ ...canonical }, store) };
  };

  return {
    handle: async (call) => {
      try {
        return await run(call);
      } catch (error) {
        return refusalOf(error);
      }
    },
    createQueue: ({ queueName, queueUrl, queueArn }, attributes) => {
      const queue = store.createQueue(queueName, queueUrl, queueArn, { ...attributes });
      const enqueue = queue.enqueue.bind(queue);
      queue.enqueue = (message) => {
        const from = homes.get(message)?.queueArn;
        homes.set(message, from === undefined ? { queueArn } : { queueArn, sourceArn: from });
        enqueue(message);
      };
    },
    visibilityTimeoutSeconds: (queueArn) => {
      const queue = store.getQueueByArn(queueArn);
      return queue && Number(queue.getAttribute('VisibilityTimeout'));
    },
    deadLetter: (queueArn, receiptHandles) => {
      const queue = store.getQueueByArn(queueArn);
      const target = queue && store.getQueueByArn(deadLetterArnOf(queue) ?? '');
      for (const receiptHandle of receiptHandles) {
        const held = queue?.inflightMessages.get(receiptHandle)?.message;
        if (queue === undefined || held === undefined) continue;
        queue.deleteMessage(receiptHandle);
        receiptsOf(queue).settled(receiptHandle);
        target?.enqueue(held);
      }
    },
    stop: () => {
      // Whom the shutdown wakes must not wait on.
      stopped = true;
      moveTasks.stop();
      store.shutdown();
    },
  };
}

function asksFor(request: JsonObject, attribute: string): boolean {
  return ['AttributeNames', 'MessageSystemAttributeNames'].some((name) => {
    const names = request[name];
    return isJsonList(names) && (names.includes('All') || names.includes(attribute));
  });
}

function deadLetterArnOf(queue: SqsQueue): string | undefined {
  const policy: unknown = JSON.parse(queue.attributes['RedrivePolicy'] ?? '{}');
  return isJsonObject(policy) ? textAt(policy, 'deadLetterTargetArn') : undefined;
}

/** The last receipt handle of each message that was handed out and not deleted. */
interface Receipts {
  readonly handedOut: (messageId: string, receiptHandle: string) => void;
  /** Forgets a receipt. @returns its message, if it was that message's latest receipt. */
  readonly settled: (receiptHandle: string) => string | undefined;
}

function createReceipts(): Receipts {
  const latest = new Map<string, string>();
  const messageOf = new Map<string, string>();
  return {
    handedOut: (messageId, receiptHandle) => {
      const earlier = latest.get(messageId);
      if (earlier !== undefined) messageOf.delete(earlier);
      latest.set(messageId, receiptHandle);
      messageOf.set(receiptHandle, messageId);
    },
    settled: (receiptHandle) => {
      const messageId = messageOf.get(receiptHandle);
      if (messageId === undefined) return undefined;
      messageOf.delete(receiptHandle);
      latest.delete(messageId);
      return messageId;
    },
  };
}

/** fauxqs keeps messages for ever. A message's age counts from when it was first sent, in a dead-letter queue too. */
function dropExpired(queue: SqsQueue): void {
  const oldest = Date.now() - Number(queue.getAttribute('MessageRetentionPeriod')) * 1000;
  const isExpired = ({ sentTimestamp }: { readonly sentTimestamp: number }): boolean =>
    sentTimestamp < oldest;
  if (queue.messages.some(isExpired))
    queue.messages = queue.messages.filter((message) => !isExpired(message));
}

/** fauxqs lets a message wait for ever. */
function refuseDelay(request: JsonObject): AwsAnswer | undefined {
  const entries = isJsonList(request['Entries']) ? request['Entries'].filter(isJsonObject) : [];
  for (const { DelaySeconds: delay } of [request, ...entries]) {
    if (delay === undefined || delay === null) continue;
    if (typeof delay === 'number' && Number.isInteger(delay) && delay >= 0 && delay <= MAXIMUM_DELAY_SECONDS)
      continue;
    return refusal(
      'InvalidParameterValue',
      `Value ${JSON.stringify(delay)} for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= ${MAXIMUM_DELAY_SECONDS}.`,
    );
  }
  return undefined;
}

/** The queue that a url names, whatever host it is called by. */
function queueNameIn(queueUrl: string | undefined): string | undefined {
  return /^(?:https?:\/\/[^/]+)?\/?000000000000\/([^/]+)\/?$/.exec(queueUrl ?? '')?.[1];
}

function nonExistentQueue(): AwsAnswer {
  return refusal('QueueDoesNotExist', 'The specified queue does not exist.', 400, 'NonExistentQueue');
}

function refusalOf(error: unknown): AwsAnswer {
  if (error instanceof Error && 'code' in error && 'statusCode' in error) {
    return refusal(String(error.code), error.message, Number(error.statusCode));
  }
  return refusal(
    'InternalError',
    `fauxqs failed: ${error instanceof Error ? error.message : String(error)}`,
    500,
  );
}

/** Whose older code has a prefix. Source: SQS API reference, "Common errors", and the errors of each action. */
const PREFIXED: ReadonlySet<string> = new Set([
  'BatchEntryIdsNotDistinct',
  'BatchRequestTooLong',
  'EmptyBatchRequest',
  'InvalidBatchEntryId',
  'MessageNotInflight',
  'NonExistentQueue',
  'PurgeQueueInProgress',
  'TooManyEntriesInBatchRequest',
  'UnsupportedOperation',
]);

function refusal(code: string, message: string, status = 400, queryCode = code): AwsAnswer {
  return {
    ...awsError(`com.amazonaws.sqs#${code}`, message, status),
    // Clients written for SQS's older protocol go by this code.
    headers: {
      'x-amzn-query-error': `${PREFIXED.has(queryCode) ? 'AWS.SimpleQueueService.' : ''}${queryCode};Sender`,
    },
  };
}
