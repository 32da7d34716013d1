import { SendMessageBatchCommand, type SQSClient } from '@aws-sdk/client-sqs';
import type { SettlementMessage } from '../contract.ts';

/** The most messages that one request may carry. */
export const SEND_BATCH_SIZE = 10;

/**
 * Sends at most `SEND_BATCH_SIZE` facts to be settled. A message that SQS does not take is sent again; if it still is
 * not taken the call fails, and the next run finds the fact missing.
 */
export async function sendForSettlement(
  client: SQSClient,
  queueUrl: string,
  factIds: readonly string[],
): Promise<void> {
  let entries = factIds.map((factId, number) => ({
    Id: String(number),
    MessageBody: JSON.stringify({ factId } satisfies SettlementMessage),
  }));
  for (let attempt = 0; entries.length > 0; attempt++) {
    if (attempt > 3) throw new Error('SQS refused messages four times in a row.');
    const { Failed: failed = [] } = await client.send(
      new SendMessageBatchCommand({ QueueUrl: queueUrl, Entries: entries }),
    );
    const refused = new Set(failed.map(({ Id }) => Id));
    entries = entries.filter(({ Id }) => refused.has(Id));
  }
}
