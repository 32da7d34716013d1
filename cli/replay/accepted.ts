import type { TransactionRow } from './rows.ts';

export interface TotalsLine {
  readonly type: string;
  readonly currency: string;
  readonly count: number;
  /** Minor units, positive whatever the type. */
  readonly amount: bigint;
}

interface AcceptedOfDate {
  count: number;
  readonly merchants: Map<string, string[]>;
  readonly terminals: Map<string, Map<string, TotalsLine>>;
}

/** What the API has accepted from a file, now or before: each transaction once, by the API's id. */
export interface Accepted {
  readonly dates: Map<string, AcceptedOfDate>;
  /** Undefined for an honest transaction. */
  readonly labels: Map<string, string | undefined>;
  /** A reversal has its sale's id. */
  readonly reversed: Set<string>;
}

export function nothingAccepted(): Accepted {
  return { dates: new Map(), labels: new Map(), reversed: new Set() };
}

/** The API may choose a later date than the row's. */
export function noteAccepted(
  accepted: Accepted,
  row: Pick<TransactionRow, 'body' | 'label'>,
  answer: { readonly transactionId: string; readonly businessDate: string },
): void {
  const { transactionId, businessDate } = answer;
  const { type, currency, amount, merchantId, terminalId } = row.body;
  const isReversal = type === 'reversal';
  if ((isReversal ? accepted.reversed : accepted.labels).has(transactionId)) return;
  if (isReversal) accepted.reversed.add(transactionId);
  else accepted.labels.set(transactionId, row.label);

  const ofDate = accepted.dates.get(businessDate) ?? { count: 0, merchants: new Map(), terminals: new Map() };
  accepted.dates.set(businessDate, ofDate);
  ofDate.count += 1;
  const transactions = ofDate.merchants.get(merchantId) ?? [];
  ofDate.merchants.set(merchantId, transactions);
  if (!isReversal) transactions.push(transactionId);
  const lines = ofDate.terminals.get(terminalId) ?? new Map<string, TotalsLine>();
  ofDate.terminals.set(terminalId, lines);
  const key = `${type} ${currency}`;
  const line = lines.get(key) ?? { type, currency, count: 0, amount: 0n };
  lines.set(key, { ...line, count: line.count + 1, amount: line.amount + BigInt(amount) });
}
