import {
  isJsonObject,
  jsonObjectIn,
  objectAt,
  objectsAt,
  textAt,
  type JsonObject,
} from '../template/index.ts';
import {
  FAUXQS,
  md5OfMessageAttributes,
  noteOf,
  type SqsMessage,
  type SqsQueue,
  type SqsStore,
} from './fauxqs.ts';
import { checkReceive, namesAt, visibilityTimeoutOf, withoutEmpty } from './requests.ts';
import { SqsError } from './errors.ts';

const MAXIMUM_WAIT_SECONDS = 20;

export async function receive(
  store: SqsStore,
  queue: SqsQueue,
  request: JsonObject,
  { signal, isStopped }: { readonly signal: AbortSignal; readonly isStopped: () => boolean },
): Promise<JsonObject> {
  checkReceive(request);
  const asked = request['WaitTimeSeconds'] ?? Number(queue.getAttribute('ReceiveMessageWaitTimeSeconds'));
  const waitSeconds = Number(asked);
  // fauxqs refuses an impossible wait.
  const isPossible = waitSeconds >= 0 && waitSeconds <= MAXIMUM_WAIT_SECONDS;
  const deadline = Date.now() + waitSeconds * 1000;
  const aborted = new Promise<void>((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
  for (;;) {
    prepare(store, queue, Number(request['MaxNumberOfMessages'] ?? 1));
    // fauxqs would return all attributes where none were asked for, and count the MD5 of all.
    const body: unknown = await FAUXQS.ReceiveMessage(
      { ...request, MessageAttributeNames: [], WaitTimeSeconds: isPossible ? 0 : waitSeconds },
      store,
    );
    const messages = isJsonObject(body) ? objectsAt(body, 'Messages') : [];
    const remaining = deadline - Date.now();
    // fauxqs wakes every waiter for one message and ends those that get none; SQS lets them wait on.
    if (messages.length > 0 || remaining <= 0 || signal.aborted || isStopped()) {
      return {
        Messages: messages.flatMap((message) => handedOut(queue, message, request) ?? []),
      };
    }
    await Promise.race([queue.waitForMessages(remaining / 1000), aborted]);
  }
}

function prepare(store: SqsStore, queue: SqsQueue, count: number): void {
  dropExpired(queue);
  queue.processTimers();
  putInOrder(queue);
  const redrive = redriveOf(store, queue);
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
}

/** fauxqs keeps messages for ever. Age counts from the first send, in a dead-letter queue too. */
export function dropExpired(queue: SqsQueue): void {
  const oldest = Date.now() - Number(queue.getAttribute('MessageRetentionPeriod')) * 1000;
  const isExpired = ({ sentTimestamp }: SqsMessage): boolean => sentTimestamp < oldest;
  if (queue.messages.some(isExpired)) {
    queue.messages = queue.messages.filter((message) => !isExpired(message));
  }
}

/** fauxqs puts a returned message last; SQS delivers the oldest first, as far as it can. */
function putInOrder(queue: SqsQueue): void {
  const isLater = (message: SqsMessage, index: number): boolean =>
    message.sentTimestamp < (queue.messages[index - 1]?.sentTimestamp ?? 0);
  if (queue.messages.some(isLater)) {
    queue.messages.sort((one, other) => one.sentTimestamp - other.sentTimestamp);
  }
}

/** fauxqs would count the receive that moves a message to the dead-letter queue, and forget the source. */
export function redriveOf(
  store: SqsStore,
  queue: SqsQueue,
): { readonly deadLetterQueue: SqsQueue; readonly maxReceiveCount: number } | undefined {
  const text = queue.attributes['RedrivePolicy'];
  const policy = text === undefined ? undefined : jsonObjectIn(text);
  if (policy === undefined) return undefined;
  const deadLetterQueue = store.getQueueByArn(textAt(policy, 'deadLetterTargetArn') ?? '');
  return deadLetterQueue && { deadLetterQueue, maxReceiveCount: Number(policy['maxReceiveCount']) };
}

function moveAway(queue: SqsQueue, message: SqsMessage, deadLetterQueue: SqsQueue): void {
  noteOf(message).sourceArn = queue.arn;
  deadLetterQueue.enqueue(message);
}

export function deadLetter(store: SqsStore, queue: SqsQueue, receiptHandles: readonly string[]): void {
  const redrive = redriveOf(store, queue);
  for (const handle of receiptHandles) {
    const { engineHandle } = receiptOf(handle);
    const held = queue.inflightMessages.get(engineHandle)?.message;
    if (held === undefined) continue;
    queue.deleteMessage(engineHandle);
    if (redrive !== undefined) moveAway(queue, held, redrive.deadLetterQueue);
  }
}

function handedOut(queue: SqsQueue, message: JsonObject, request: JsonObject): JsonObject | undefined {
  const engineHandle = textAt(message, 'ReceiptHandle') ?? '';
  const received = queue.inflightMessages.get(engineHandle)?.message;
  if (received === undefined) return undefined;
  const { MessageAttributes: _, MD5OfMessageAttributes: __, ...rest } = message;
  const { traceHeader, sourceArn } = noteOf(received);
  return withoutEmpty({
    ...rest,
    ReceiptHandle: handOutReceipt(received, engineHandle),
    Attributes: {
      ...objectAt(message, 'Attributes'),
      ...(traceHeader !== undefined && asksFor(request, 'AWSTraceHeader')
        ? { AWSTraceHeader: traceHeader }
        : {}),
      ...(sourceArn !== undefined && asksFor(request, 'DeadLetterQueueSourceArn')
        ? { DeadLetterQueueSourceArn: sourceArn }
        : {}),
    },
    ...selectedAttributes(received.messageAttributes, namesAt(request, 'MessageAttributeNames')),
  });
}

function asksFor(request: JsonObject, attribute: string): boolean {
  return ['AttributeNames', 'MessageSystemAttributeNames'].some((key) =>
    namesAt(request, key).some((name) => name === 'All' || name === attribute),
  );
}

/** @param names `All`, `*` and `.*` ask for all, `Hel.*` for those that begin with `Hel` */
function selectedAttributes(
  attributes: SqsMessage['messageAttributes'],
  names: readonly string[],
): JsonObject {
  const isWanted = (attribute: string): boolean =>
    names.some(
      (name) =>
        ['All', '*', attribute].includes(name) ||
        (name.endsWith('.*') && attribute.startsWith(name.slice(0, -2))),
    );
  const selected = Object.entries(attributes).filter(([name]) => isWanted(name));
  if (selected.length === 0) return {};
  return {
    MessageAttributes: Object.fromEntries(selected.map(([name, attribute]) => [name, { ...attribute }])),
    MD5OfMessageAttributes: md5OfMessageAttributes(Object.fromEntries(selected)),
  };
}

/** The handle encodes the message and this receipt, so nothing needs to store it. */
interface Receipt {
  readonly handle: string;
  readonly messageId: string;
  readonly engineHandle: string;
}

const UUID = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}';
const RECEIPT = new RegExp(`^(${UUID}) (${UUID})$`);

function handOutReceipt(message: SqsMessage, engineHandle: string): string {
  noteOf(message).latestHandle = engineHandle;
  return Buffer.from(`${message.messageId} ${engineHandle}`).toString('base64');
}

function receiptOf(handle: unknown): Receipt {
  if (typeof handle !== 'string' || handle === '') {
    throw new SqsError('MissingParameter', 'The request must contain the parameter ReceiptHandle.');
  }
  const [, messageId, engineHandle] = RECEIPT.exec(Buffer.from(handle, 'base64').toString()) ?? [];
  if (messageId === undefined || engineHandle === undefined) {
    throw new SqsError(
      'ReceiptHandleIsInvalid',
      `The input receipt handle "${handle}" is not a valid receipt handle.`,
    );
  }
  return { handle, messageId, engineHandle };
}

/** Only the latest receipt deletes. Source: SQS API reference, DeleteMessage. */
export function deleteReceived(queue: SqsQueue, request: JsonObject): void {
  const { messageId, engineHandle } = receiptOf(request['ReceiptHandle']);
  queue.processTimers();
  if (queue.deleteMessage(engineHandle)) return;
  // A receipt still deletes after the visibility timeout, until someone receives the message again.
  const index = queue.messages.findIndex((message) => message.messageId === messageId);
  const message = queue.messages[index];
  if (message !== undefined && noteOf(message).latestHandle === engineHandle) queue.messages.splice(index, 1);
}

/** Any receipt of the message will do, in flight or after. @throws SqsError for a message that is not there */
export function changeVisibility(queue: SqsQueue, request: JsonObject): void {
  const { handle, messageId, engineHandle } = receiptOf(request['ReceiptHandle']);
  const seconds = visibilityTimeoutOf(request);
  queue.processTimers();
  const inFlight =
    queue.inflightMessages.get(engineHandle) ??
    [...queue.inflightMessages.values()].find(({ message }) => message.messageId === messageId);
  if (inFlight !== undefined) {
    queue.changeVisibility(inFlight.receiptHandle, seconds);
    return;
  }
  const index = queue.messages.findIndex((message) => message.messageId === messageId);
  const message = queue.messages[index];
  if (message === undefined) {
    throw new SqsError(
      'InvalidParameterValue',
      `Value ${handle} for parameter ReceiptHandle is invalid. Reason: Message does not exist or is not available for visibility timeout change.`,
    );
  }
  if (seconds === 0) return;
  queue.messages.splice(index, 1);
  queue.inflightMessages.set(engineHandle, {
    message,
    receiptHandle: engineHandle,
    visibilityDeadline: Date.now() + seconds * 1000,
  });
}
