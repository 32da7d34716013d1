import type { TransactionRow } from './rows.ts';

/** Transactions of one type and currency at a terminal. Amounts are positive minor units, whatever the type. */
export interface TotalsLine {
  readonly type: string;
  readonly currency: string;
  readonly count: number;
  readonly amount: bigint;
}

/** What the API has accepted into one business date. */
interface AcceptedOfDate {
  count: number;
  /** The API's identifiers of sales and refunds, by merchant. */
  readonly merchants: Map<string, string[]>;
  /** By terminal, then by type and currency. */
  readonly terminals: Map<string, Map<string, TotalsLine>>;
}

/** What the API has accepted of a file, now or before, as its answers say. Each transaction counts once. */
export interface Accepted {
  readonly dates: Map<string, AcceptedOfDate>;
  /** The labels of transactions, by the API's identifiers; undefined for an honest one. */
  readonly labels: Map<string, string | undefined>;
  /** Sales that are undone: a reversal has its sale's identifier. */
  readonly reversed: Set<string>;
}

export function nothingAccepted(): Accepted {
  return { dates: new Map(), labels: new Map(), reversed: new Set() };
}

/**
 * Takes note of an answer. A row that stands twice in the file is one transaction, and so are a request and its retry.
 *
 * @param answer its date may be later than the row's: the API decides
 */
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
