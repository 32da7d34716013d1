import type { JsonObject } from '../template/index.ts';
import { SqsError } from './errors.ts';
import { noteOf, type SqsMessage, type SqsQueue } from './fauxqs.ts';
import { visibilityTimeoutOf } from './requests.ts';

/** Encodes the message and one receipt of it, so that no record of handles is needed. */
interface Receipt {
  readonly handle: string;
  readonly messageId: string;
  readonly engineHandle: string;
}

const UUID = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}';
const RECEIPT = new RegExp(`^(${UUID}) (${UUID})$`);

export function handOutReceipt(message: SqsMessage, engineHandle: string): string {
  noteOf(message).latestHandle = engineHandle;
  return Buffer.from(`${message.messageId} ${engineHandle}`).toString('base64');
}

/** @throws SqsError for what is no receipt handle. */
export function receiptOf(handle: unknown): Receipt {
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

/** Deletes the message if this is its latest receipt. Source: SQS API reference, DeleteMessage. */
export function deleteReceived(queue: SqsQueue, request: JsonObject): void {
  const { messageId, engineHandle } = receiptOf(request['ReceiptHandle']);
  queue.processTimers();
  if (queue.deleteMessage(engineHandle)) return;
  // It still deletes after the visibility timeout, as long as nobody received the message again.
  const index = queue.messages.findIndex((message) => message.messageId === messageId);
  const message = queue.messages[index];
  if (message !== undefined && noteOf(message).latestHandle === engineHandle) queue.messages.splice(index, 1);
}

/**
 * Of a message that is in flight, under whichever receipt, or was until its visibility timeout.
 *
 * @throws SqsError for a message that is not there.
 */
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
