import { Worker } from 'node:worker_threads';
import * as v from 'valibot';
import { CommandError } from '../../cli/shared/command-error.ts';

/** Loads a bundle and runs its handler on each event, one after the other. */
const script = `
const { parentPort, workerData } = require('node:worker_threads');
const loaded = import(workerData);
parentPort.on('message', async (event) => {
  const { handler } = await loaded;
  const startedAt = performance.now();
  const answer = await handler(event, { awsRequestId: 'compare', getRemainingTimeInMillis: () => 300_000 });
  parentPort.postMessage({ milliseconds: performance.now() - startedAt, failures: answer.batchItemFailures.length });
});
`;

const answerSchema = v.object({ milliseconds: v.number(), failures: v.number() });

/** A function's bundle in a thread of its own, as on the local host, for batches of exactly the sizes that are wanted. */
export interface HandlerThread {
  /** @returns milliseconds @throws CommandError if a message of the batch failed */
  readonly invoke: (bodies: readonly string[]) => Promise<number>;
  readonly end: () => Promise<void>;
}

/** @param file the bundle */
export function startHandlerThread(
  file: string,
  environment: Readonly<Record<string, string>>,
): HandlerThread {
  const worker = new Worker(script, {
    eval: true,
    env: { ...environment },
    workerData: file,
    stdout: true,
    stderr: true,
  });
  return {
    invoke: async (bodies) => {
      const answered = new Promise<unknown>((resolve, reject) => {
        worker.once('message', resolve).once('error', reject);
      });
      const Records = bodies.map((body, index) => ({
        messageId: `compare-${index}`,
        body,
        attributes: { ApproximateReceiveCount: '1' },
      }));
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
      worker.postMessage({ Records });
      const { milliseconds, failures } = v.parse(answerSchema, await answered);
      worker.removeAllListeners('error');
      if (failures > 0) throw new CommandError(`${failures} of a batch of ${bodies.length} failed.`);
      return milliseconds;
    },
    end: async () => void (await worker.terminate()),
  };
}
