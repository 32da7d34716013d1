import type { SQSBatchResponse, SQSRecord } from 'aws-lambda';
import * as v from 'valibot';
import { batchResponse, parseJsonBody, PermanentError, type RecordFailure } from '../../shared/batch.ts';
import { logger } from '../../shared/log.ts';
import { DrainMessage } from '../contract.ts';
import { drain, type DrainServices } from './drain.ts';

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
