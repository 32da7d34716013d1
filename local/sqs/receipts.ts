import { SqsError } from './errors.ts';
import type { SqsMessage, SqsQueue } from './fauxqs.ts';

/** Encodes the message and one receipt of it, so that no record of handles is needed. */
export interface Receipt {
  readonly handle: string;
  readonly messageId: string;
  /** fauxqs's handle. */
  readonly engineHandle: string;
}

const UUID = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}';
const RECEIPT = new RegExp(`^(${UUID}) (${UUID})$`);

export function receiptHandle(messageId: string, engineHandle: string): string {
  return Buffer.from(`${messageId} ${engineHandle}`).toString('base64');
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

export interface Receipts {
  readonly handedOut: (message: SqsMessage, engineHandle: string) => void;
  /** Deletes the message, if this is its latest receipt; else nothing. Source: SQS API reference, DeleteMessage. */
  readonly settle: (queue: SqsQueue, receipt: Receipt) => void;
  /**
   * Of a message that is in flight, under whichever receipt, or was until its visibility timeout.
   *
   * @throws SqsError for a message that is not there.
   */
  readonly changeVisibility: (queue: SqsQueue, receipt: Receipt, seconds: number) => void;
}

export function createReceipts(): Receipts {
  const latest = new WeakMap<SqsMessage, string>();
  return {
    handedOut: (message, engineHandle) => void latest.set(message, engineHandle),
    settle: (queue, { messageId, engineHandle }) => {
      queue.processTimers();
      if (queue.deleteMessage(engineHandle)) return;
      // It still deletes after the visibility timeout, as long as nobody received the message again.
      const index = queue.messages.findIndex((message) => message.messageId === messageId);
      const message = queue.messages[index];
      if (message !== undefined && latest.get(message) === engineHandle) queue.messages.splice(index, 1);
    },
    changeVisibility: (queue, { handle, messageId, engineHandle }, seconds) => {
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
    },
  };
}
