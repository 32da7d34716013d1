import { responses } from '../../lambda/card-settlement/api.ts';
import { bodyOf, eachItem, type CallApi } from '../shared/api.ts';
import { forEachConcurrently } from '../shared/concurrency.ts';

export interface Verdict {
  readonly transactionId: string;
  readonly status: string;
  readonly rules: readonly { readonly rule: string }[];
}

/** A merchant's entries lie in 16 partitions. Listing them costs as much as getting this many transactions. */
const WORTH_LISTING = 8;

/** May also read other transactions of these merchants. @param options.merchants ids of transactions by merchant */
export async function readVerdicts(options: {
  readonly call: CallApi;
  readonly date: string;
  readonly merchants: ReadonlyMap<string, readonly string[]>;
  readonly concurrency: number;
  readonly onVerdict: (verdict: Verdict) => void;
}): Promise<void> {
  const { call, date, merchants, concurrency, onVerdict } = options;

  async function readTransaction(id: string): Promise<void> {
    const response = await call({ method: 'GET', path: `/transactions/${id}` });
    const { entries } = bodyOf(response, responses.TransactionView, `the transaction ${id}`);
    for (const entry of entries) onVerdict(entry);
  }

  async function readMerchant(merchantId: string): Promise<void> {
    const path = `/settlements/${date}/merchants/${encodeURIComponent(merchantId)}`;
    const what = `the settlement of ${merchantId} on ${date}`;
    for await (const entry of eachItem(call, path, responses.MerchantSettlementPage, what)) onVerdict(entry);
  }

  const readings = [...merchants].flatMap(([merchantId, transactionIds]) =>
    transactionIds.length >= WORTH_LISTING
      ? [async () => readMerchant(merchantId)]
      : transactionIds.map((id) => async () => readTransaction(id)),
  );
  await forEachConcurrently(readings, concurrency, async (read) => read());
}
