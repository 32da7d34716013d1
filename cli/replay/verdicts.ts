import * as v from 'valibot';
import { type CallApi, describeRefusal } from '../api.ts';
import { CommandError } from '../command-error.ts';
import { forEachConcurrently } from './concurrency.ts';

const entrySchema = v.object({
  transactionId: v.string(),
  status: v.string(),
  rules: v.array(v.object({ rule: v.string() })),
});
const pageSchema = v.object({ items: v.array(entrySchema), cursor: v.optional(v.string()) });

/** What settlement made of a transaction: where it went, and the rules that it met. */
export type Verdict = v.InferOutput<typeof entrySchema>;

/**
 * Reads the ledger's entries of merchants on a date. Most merchants have few, so that this takes a request per merchant,
 * where asking for each transaction would take one per transaction.
 */
export async function readVerdicts(options: {
  readonly call: CallApi;
  readonly date: string;
  readonly merchants: Iterable<string>;
  readonly concurrency: number;
  readonly onVerdict: (verdict: Verdict) => void;
}): Promise<void> {
  const { call, date, merchants, concurrency, onVerdict } = options;
  await forEachConcurrently(merchants, concurrency, async (merchantId) => {
    let cursor: string | undefined;
    do {
      const query = new URLSearchParams({ limit: '100', ...(cursor === undefined ? {} : { cursor }) });
      const path = `/settlements/${date}/merchants/${encodeURIComponent(merchantId)}?${query.toString()}`;
      const response = await call({ method: 'GET', path });
      if (response.status !== 200) {
        throw new CommandError(
          `The entries of ${merchantId} on ${date} cannot be read: ${describeRefusal(response)}.`,
        );
      }
      const page = v.safeParse(pageSchema, response.body);
      if (!page.success) {
        throw new CommandError(
          `The API's answer on the entries of ${merchantId} on ${date} is not understood: ${page.issues[0].message}`,
        );
      }
      for (const entry of page.output.items) onVerdict(entry);
      cursor = page.output.cursor;
    } while (cursor !== undefined);
  });
}
