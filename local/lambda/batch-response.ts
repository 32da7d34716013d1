import { isJsonList, isJsonObject } from '../template/index.ts';

/**
 * Reads what a function with `ReportBatchItemFailures` returned.
 *
 * @param payload null, `{}`, and an empty or null list mean that all went well.
 * @returns the ids of the messages that failed, or `everything` where Lambda treats the whole batch as failed: for an
 *   identifier that is empty, null or unknown, a wrong key, or anything else that is not such a response.
 *   Source: AWS Lambda developer guide, "Handling errors for an SQS event source".
 */
export function failedMessageIds(
  payload: unknown,
  messageIds: ReadonlySet<string>,
): ReadonlySet<string> | 'everything' {
  if (payload === null || payload === undefined) return new Set();
  if (!isJsonObject(payload)) return 'everything';
  const keys = Object.keys(payload);
  if (keys.length > 0 && !keys.includes('batchItemFailures')) return 'everything';
  const failures = payload['batchItemFailures'];
  if (failures === undefined || failures === null) return new Set();
  if (!isJsonList(failures)) return 'everything';
  const failed = new Set<string>();
  for (const failure of failures) {
    const identifier = isJsonObject(failure) ? failure['itemIdentifier'] : undefined;
    if (typeof identifier !== 'string' || !messageIds.has(identifier)) return 'everything';
    failed.add(identifier);
  }
  return failed;
}
