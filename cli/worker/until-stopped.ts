import type { Consumer } from 'sqs-consumer';
import { printable } from '../shared/screen.ts';

export interface Work {
  readonly done: number;
  /** Why there was no next batch, unless it was the signal. */
  readonly failure?: Error;
}

/**
 * Lets a consumer work until the signal, or until a poll fails. What is in hand is finished first.
 * @param tell hears of batches that fail
 */
export async function untilStopped(
  consumer: Consumer,
  signal: AbortSignal,
  tell: (text: string) => void,
): Promise<Work> {
  let done = 0;
  let isBusy = false;
  let failure: Error | undefined;
  consumer.on('message_received', () => (isBusy = true));
  consumer.on('message_processed', () => (done += 1));
  consumer.on('response_processed', () => (isBusy = false));
  // A poll that only waits is cut short; one that has found something has its work finished.
  const stop = (): void => consumer.stop({ abort: !isBusy });
  await new Promise<void>((resolve) => {
    consumer.on('stopped', () => resolve());
    consumer.on('error', (error, messages) => {
      if (messages !== undefined) {
        tell(`A batch failed, and comes again: ${printable(error.message)}`);
      } else if (!signal.aborted) {
        failure ??= error;
        stop();
      }
    });
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
  });
  return failure === undefined ? { done } : { done, failure };
}
