import type { AwsAnswer, AwsCall, AwsService } from '../endpoint/aws-service.ts';
import { unservedText } from '../endpoint/unserved-call.ts';
import { isJsonList, isJsonObject, objectAt, textAt, type Json, type JsonObject } from '../template/index.ts';
import { refusalOf, SqsError } from './errors.ts';
import {
  createFauxqs,
  md5OfMessageAttributes,
  type SqsMessage,
  type SqsQueue,
  type SqsStore,
} from './fauxqs.ts';
import { selectedAttributes } from './message-attributes.ts';
import { createMoveTasks } from './move-tasks.ts';
import { createReceipts, receiptHandle, receiptOf } from './receipts.ts';
import {
  checkBatchSize,
  checkMessage,
  checkReceive,
  entriesOf,
  namesAt,
  newQueueAttributes,
  queueAttributeNames,
  visibilityTimeoutOf,
} from './requests.ts';

export interface QueueIdentity {
  readonly queueName: string;
  readonly queueUrl: string;
  readonly queueArn: string;
}

export interface Sqs {
  readonly handle: AwsService;
  /** @param attributes as `CreateQueue` takes them: all text. */
  readonly createQueue: (queue: QueueIdentity, attributes: Readonly<Record<string, string>>) => void;
  /** Shows a policy among the queue's attributes. Whether a call may go on is not decided here. */
  readonly setPolicy: (queueArn: string, document: Json) => void;
  /** Takes messages that were received out of a queue, and puts them into its dead-letter queue, if it has one. */
  readonly deadLetter: (queueArn: string, receiptHandles: readonly string[]) => void;
  /** The queue's visibility timeout as it stands now, or undefined for a queue that is not here. */
  readonly visibilityTimeoutSeconds: (queueArn: string) => number | undefined;
  /** Ends every long poll. */
  readonly stop: () => void;
}

/** One action on one queue. @returns the answer's body. @throws an error that has a `code` where SQS refuses. */
type Operation = (queue: SqsQueue, request: JsonObject, call: AwsCall) => unknown;

const TRACE_HEADER = 'AWSTraceHeader';
const MAXIMUM_WAIT_SECONDS = 20;
const PURGE_INTERVAL_SECONDS = 60;
const MAXIMUM_LISTED_QUEUES = 1000;

/** Amazon SQS standard queues, in memory: fauxqs, with what it does otherwise than SQS corrected here. */
export function createSqs(): Sqs {
  const fauxqs = createFauxqs();
  const { store, actions } = fauxqs;
  const receipts = createReceipts();
  /** The queue that a message in a dead-letter queue comes from. */
  const sources = new WeakMap<SqsMessage, string>();
  /** What fauxqs does not keep: the system attribute `AWSTraceHeader`. */
  const traceHeaders = new WeakMap<SqsMessage, string>();
  const purgedAt = new WeakMap<SqsQueue, number>();
  const moveTasks = createMoveTasks({
    ...fauxqs,
    deadLetterArnOf: (queue) => redriveOf(queue, store)?.deadLetterQueue.arn,
    sourceOf: (message) => sources.get(message),
  });
  let stopped = false;

  /** Synchronous, so that no waiting receiver takes a message before its trace header is stored. */
  const sendNow = (action: 'SendMessage' | 'SendMessageBatch', request: JsonObject): JsonObject => {
    const body = actions.get(action)?.({ ...request }, store);
    return isJsonObject(body) ? body : {};
  };

  const engine = async (action: string, request: JsonObject): Promise<JsonObject> => {
    const body = await actions.get(action)?.({ ...request }, store);
    return isJsonObject(body) ? body : {};
  };

  const receive: Operation = async (queue, request, { signal }) => {
    checkReceive(request);
    const asked = request['WaitTimeSeconds'] ?? Number(queue.getAttribute('ReceiveMessageWaitTimeSeconds'));
    const waitSeconds = Number(asked);
    // An impossible wait is for fauxqs to refuse.
    const isPossible = waitSeconds >= 0 && waitSeconds <= MAXIMUM_WAIT_SECONDS;
    const deadline = Date.now() + waitSeconds * 1000;
    const aborted = new Promise<void>((resolve) => {
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
    for (;;) {
      prepare(queue, Number(request['MaxNumberOfMessages'] ?? 1));
      // fauxqs counts the MD5 of all message attributes, and answers all where none were asked for.
      const { Messages } = await engine('ReceiveMessage', {
        ...request,
        MessageAttributeNames: [],
        WaitTimeSeconds: isPossible ? 0 : waitSeconds,
      });
      const messages = isJsonList(Messages) ? Messages.filter(isJsonObject) : [];
      const remaining = deadline - Date.now();
      // fauxqs wakes every waiter for one message and lets those who get none go; SQS lets them wait on.
      if (messages.length > 0 || remaining <= 0 || signal.aborted || stopped) {
        return { Messages: messages.flatMap((message) => handOut(queue, message, request) ?? []) };
      }
      await Promise.race([queue.waitForMessages(remaining / 1000), aborted]);
    }
  };

  /** Drops, puts in order and moves away what fauxqs would deliver otherwise than SQS. */
  const prepare = (queue: SqsQueue, count: number): void => {
    dropExpired(queue);
    queue.processTimers();
    putInOrder(queue);
    const redrive = redriveOf(queue, store);
    if (redrive === undefined) return;
    for (let index = 0; index < count;) {
      const message = queue.messages[index];
      if (message === undefined) return;
      if (message.approximateReceiveCount < redrive.maxReceiveCount) index += 1;
      else {
        queue.messages.splice(index, 1);
        moveAway(queue, message, redrive.deadLetterQueue);
      }
    }
  };

  const moveAway = (queue: SqsQueue, message: SqsMessage, deadLetterQueue: SqsQueue): void => {
    sources.set(message, queue.arn);
    deadLetterQueue.enqueue(message);
  };

  const handOut = (queue: SqsQueue, message: JsonObject, request: JsonObject): JsonObject | undefined => {
    const engineHandle = textAt(message, 'ReceiptHandle') ?? '';
    const received = queue.inflightMessages.get(engineHandle)?.message;
    if (received === undefined) return undefined;
    receipts.handedOut(received, engineHandle);
    const { MessageAttributes: _, MD5OfMessageAttributes: __, ...rest } = message;
    // What fauxqs does not know of.
    const more = {
      [TRACE_HEADER]: traceHeaders.get(received),
      DeadLetterQueueSourceArn: sources.get(received),
    };
    const wanted = Object.entries(more).flatMap(([name, value]) =>
      value !== undefined && asksFor(request, name) ? [[name, value] as const] : [],
    );
    return withoutEmpty({
      ...rest,
      ReceiptHandle: receiptHandle(received.messageId, engineHandle),
      Attributes: { ...objectAt(message, 'Attributes'), ...Object.fromEntries(wanted) },
      ...selectedAttributes(received.messageAttributes, namesAt(request, 'MessageAttributeNames')),
    });
  };

  /** Keeps what fauxqs drops of a message that has just been sent. */
  const keep = (queue: SqsQueue, request: JsonObject, sent: JsonObject, traceHeader?: string): JsonObject => {
    const isSent = ({ messageId }: SqsMessage): boolean => messageId === sent['MessageId'];
    const message = queue.messages.findLast(isSent) ?? queue.delayedMessages.findLast(isSent);
    if (message === undefined) return sent;
    const group = textAt(request, 'MessageGroupId');
    if (group !== undefined) message.messageGroupId = group;
    // The header that a message names comes before that of the call.
    const given = textAt(objectAt(objectAt(request, 'MessageSystemAttributes'), TRACE_HEADER), 'StringValue');
    const header = given ?? traceHeader;
    if (header !== undefined) traceHeaders.set(message, header);
    if (given === undefined) return sent;
    const digest = md5OfMessageAttributes({ [TRACE_HEADER]: { DataType: 'String', StringValue: given } });
    return { ...sent, MD5OfMessageSystemAttributes: digest };
  };

  const sendBatch: Operation = (queue, request, { action, traceHeader }) => {
    const entries = entriesOf(action, request);
    checkBatchSize(entries);
    const { done, failed } = settled(entries, checkMessage);
    if (done.length === 0) return { Failed: failed };
    const { Successful, Failed } = sendNow('SendMessageBatch', { ...request, Entries: done });
    const sent = (isJsonList(Successful) ? Successful.filter(isJsonObject) : []).map((each) =>
      keep(queue, done.find(({ Id }) => Id === each['Id']) ?? {}, each, traceHeader),
    );
    const refused = (isJsonList(Failed) ? Failed.filter(isJsonObject) : []).map((failure) => ({
      ...failure,
      Message: (textAt(failure, 'Message') ?? '').replace('are invalid', 'cannot be validated'),
    }));
    return { Successful: sent, Failed: [...failed, ...refused] };
  };

  const changeVisibility = (queue: SqsQueue, entry: JsonObject): void =>
    receipts.changeVisibility(queue, receiptOf(entry['ReceiptHandle']), visibilityTimeoutOf(entry));

  const settle = (queue: SqsQueue, entry: JsonObject): void =>
    receipts.settle(queue, receiptOf(entry['ReceiptHandle']));

  const operations: Readonly<Record<string, Operation>> = {
    ReceiveMessage: receive,
    SendMessage: (queue, request, { traceHeader }) => {
      checkMessage(request);
      return keep(queue, request, sendNow('SendMessage', request), traceHeader);
    },
    SendMessageBatch: sendBatch,
    DeleteMessage: settle,
    DeleteMessageBatch: inBatches(settle),
    ChangeMessageVisibility: changeVisibility,
    ChangeMessageVisibilityBatch: inBatches(changeVisibility),
    GetQueueAttributes: (queue, request) => {
      dropExpired(queue);
      queue.processTimers();
      return { Attributes: queue.getAllAttributes([...queueAttributeNames(request)]) };
    },
    SetQueueAttributes: async (queue, request) => {
      const given = newQueueAttributes(request, (arn) => store.getQueueByArn(arn) !== undefined);
      const { SqsManagedSseEnabled, ...Attributes } = given;
      await engine('SetQueueAttributes', { QueueUrl: queue.url, Attributes });
      // fauxqs does not know this one, and keeps what is empty.
      if (SqsManagedSseEnabled !== undefined) queue.setAttributes({ SqsManagedSseEnabled });
      for (const [name, value] of Object.entries(given)) if (value === '') delete queue.attributes[name];
    },
    PurgeQueue: (queue) => {
      const since = (Date.now() - (purgedAt.get(queue) ?? Number.NEGATIVE_INFINITY)) / 1000;
      if (since < PURGE_INTERVAL_SECONDS) {
        throw new SqsError(
          'PurgeQueueInProgress',
          `Only one PurgeQueue operation on ${queue.name} is allowed every ${PURGE_INTERVAL_SECONDS} seconds.`,
        );
      }
      purgedAt.set(queue, Date.now());
      queue.purge();
    },
    ListQueueTags: (_, request) => engine('ListQueueTags', request),
    TagQueue: (_, request) => engine('TagQueue', request),
    UntagQueue: (_, request) => engine('UntagQueue', request),
  };

  const run = async (call: AwsCall): Promise<unknown> => {
    const { action, request } = call;
    if (action === 'ListQueues') return listedQueues(store, request);
    if (action === 'StartMessageMoveTask') return moveTasks.start(request);
    if (action === 'ListMessageMoveTasks') return moveTasks.list(request);
    if (action === 'CancelMessageMoveTask') return moveTasks.cancel(request);
    const operation = action === 'GetQueueUrl' ? undefined : operations[action];
    if (operation === undefined && action !== 'GetQueueUrl') {
      throw new SqsError('UnsupportedOperation', unservedText(action, 'sqs'));
    }
    const name = textAt(request, 'QueueName') ?? queueNameIn(textAt(request, 'QueueUrl'));
    const queue = store.getQueueByName(name ?? '');
    if (queue === undefined) throw new SqsError('NonExistentQueue', 'The specified queue does not exist.');
    if (operation === undefined) return { QueueUrl: queue.url };
    return operation(queue, { ...request, QueueUrl: queue.url }, call);
  };

  return {
    handle: async (call): Promise<AwsAnswer> => {
      try {
        return { status: 200, body: withoutEmpty(await run(call)) };
      } catch (error) {
        return refusalOf(error);
      }
    },
    createQueue: ({ queueName, queueUrl, queueArn }, attributes) => {
      store.createQueue(queueName, queueUrl, queueArn, { SqsManagedSseEnabled: 'true', ...attributes });
    },
    setPolicy: (queueArn, document) => {
      store.getQueueByArn(queueArn)?.setAttributes({ Policy: JSON.stringify(document) });
    },
    deadLetter: (queueArn, receiptHandles) => {
      const queue = store.getQueueByArn(queueArn);
      if (queue === undefined) return;
      const redrive = redriveOf(queue, store);
      for (const handle of receiptHandles) {
        const { engineHandle } = receiptOf(handle);
        const held = queue.inflightMessages.get(engineHandle)?.message;
        if (held === undefined) continue;
        queue.deleteMessage(engineHandle);
        if (redrive !== undefined) moveAway(queue, held, redrive.deadLetterQueue);
      }
    },
    visibilityTimeoutSeconds: (queueArn) => {
      const queue = store.getQueueByArn(queueArn);
      return queue && Number(queue.getAttribute('VisibilityTimeout'));
    },
    stop: () => {
      // Whom the shutdown wakes must not wait on.
      stopped = true;
      moveTasks.stop();
      store.shutdown();
    },
  };
}

function inBatches(operation: (queue: SqsQueue, entry: JsonObject) => void): Operation {
  return (queue, request, { action }) => {
    const { done, failed } = settled(entriesOf(action, request), (entry) => operation(queue, entry));
    return { Successful: done.map(({ Id }) => ({ Id })), Failed: failed };
  };
}

/** What becomes of each entry of a batch. */
function settled(
  entries: readonly JsonObject[],
  operation: (entry: JsonObject) => void,
): { readonly done: readonly JsonObject[]; readonly failed: readonly JsonObject[] } {
  const done: JsonObject[] = [];
  const failed: JsonObject[] = [];
  for (const entry of entries) {
    try {
      operation(entry);
      done.push(entry);
    } catch (error) {
      if (!(error instanceof SqsError)) throw error;
      failed.push({ Id: entry['Id'] ?? null, Code: error.code, Message: error.message, SenderFault: true });
    }
  }
  return { done, failed };
}

/** SQS leaves out what is empty, so that code which counts on `Messages` being there throws. */
function withoutEmpty(body: unknown): JsonObject {
  const parts = Object.entries(isJsonObject(body) ? body : {});
  return Object.fromEntries(
    parts.filter(([, part]) => typeof part !== 'object' || part === null || Object.keys(part).length > 0),
  );
}

function asksFor(request: JsonObject, attribute: string): boolean {
  return ['AttributeNames', 'MessageSystemAttributeNames'].some((key) =>
    namesAt(request, key).some((name) => ['All', attribute].includes(name)),
  );
}

/** fauxqs keeps messages for ever. A message's age counts from when it was first sent, in a dead-letter queue too. */
function dropExpired(queue: SqsQueue): void {
  const oldest = Date.now() - Number(queue.getAttribute('MessageRetentionPeriod')) * 1000;
  const isExpired = ({ sentTimestamp }: SqsMessage): boolean => sentTimestamp < oldest;
  if (queue.messages.some(isExpired))
    queue.messages = queue.messages.filter((message) => !isExpired(message));
}

/** fauxqs puts a message that comes back last; SQS delivers the oldest first, as far as it can. */
function putInOrder(queue: SqsQueue): void {
  const isLater = (message: SqsMessage, index: number): boolean =>
    message.sentTimestamp < (queue.messages[index - 1]?.sentTimestamp ?? 0);
  if (queue.messages.some(isLater)) {
    queue.messages.sort((one, other) => one.sentTimestamp - other.sentTimestamp);
  }
}

/** fauxqs counts the receive that moves a message to the dead-letter queue, and does not say where it comes from. */
function redriveOf(
  queue: SqsQueue,
  store: SqsStore,
): { readonly deadLetterQueue: SqsQueue; readonly maxReceiveCount: number } | undefined {
  const text = queue.attributes['RedrivePolicy'];
  if (text === undefined) return undefined;
  const policy: unknown = JSON.parse(text);
  if (!isJsonObject(policy)) return undefined;
  const deadLetterQueue = store.getQueueByArn(textAt(policy, 'deadLetterTargetArn') ?? '');
  return deadLetterQueue && { deadLetterQueue, maxReceiveCount: Number(policy['maxReceiveCount']) };
}

/** A page of queues; its token names the last one, as AWS's does. */
function listedQueues(store: SqsStore, request: JsonObject): JsonObject {
  const urls = store.listQueues(textAt(request, 'QueueNamePrefix')).map(({ url }) => url);
  const token = textAt(request, 'NextToken');
  const after = token === undefined ? -1 : urls.indexOf(Buffer.from(token, 'base64').toString());
  const most = Number(request['MaxResults'] ?? MAXIMUM_LISTED_QUEUES);
  const page = urls.slice(after + 1, after + 1 + most);
  const last = page.at(-1);
  const isMore = request['MaxResults'] !== undefined && last !== urls.at(-1);
  return {
    QueueUrls: page,
    ...(isMore && last !== undefined ? { NextToken: Buffer.from(last).toString('base64') } : {}),
  };
}

/** The queue that a url names, whatever host it is called by, or that is named in its place. */
function queueNameIn(queueUrl: string | undefined): string | undefined {
  return /^(?:(?:https?:\/\/[^/]+)?\/?000000000000\/)?([\w.-]+)\/?$/.exec(queueUrl ?? '')?.[1];
}
