import * as v from 'valibot';
import { type CallApi, describeRefusal, problemTypeOf } from '../../cli/shared/api.ts';
import { requestReconcile } from '../../cli/shared/business-day.ts';
import { reportTerminalTotals } from '../../cli/replay/terminal-totals.ts';
import { allHeld, type Held } from '../../cli/review/held.ts';
import { responses } from '../../lambda/card-settlement/api.ts';
import type { Random } from '../harness/random.ts';
import type { SettlementBooks } from './books.ts';
import { atRate, everySoOften, pause } from './pace.ts';
import type { Findings } from './record.ts';
import { createSales, type KnownSale } from './sales.ts';

/** Two requests bring the same transaction, or opposite decisions, at the same moment. */
const TWICE_RATE = 0.04;
const CONTESTED_RATE = 0.15;
const UNDER_WAY = 4;
/** These may be reversed and refunded. */
const RECENT_SALES = 400;
const REVIEWED_AT_ONCE = 6;
const PAUSES = { review: [800, 2000], reconcile: [2000, 5000], report: [3000, 6000] } as const;

export interface SettlementLoad {
  readonly gateway: CallApi;
  readonly operator: CallApi;
  readonly random: Random;
  /** The open date, then past ones, the latest first. */
  readonly dates: readonly string[];
  readonly books: SettlementBooks;
  readonly findings: Findings;
  readonly signal: AbortSignal;
}

export async function runIntake(
  load: SettlementLoad,
  options: {
    readonly prefix: string;
    readonly perSecond: number;
    /** @param milliseconds from the first attempt to the final answer */
    readonly onAccepted: (milliseconds: number) => void;
  },
): Promise<void> {
  const { gateway, random, dates, books, findings, signal } = load;
  const { prefix, perSecond, onAccepted } = options;
  const { next } = createSales({ random, pastDates: dates.slice(1), prefix });
  const recent: KnownSale[] = [];

  const send = async ({ key, transaction }: ReturnType<typeof next>): Promise<void> => {
    const { type, terminalId, currency, amount } = transaction;
    const startedAt = performance.now();
    const response = await gateway({
      method: 'POST',
      path: '/transactions',
      body: transaction,
      headers: { 'idempotency-key': key },
    });
    const accepted = v.safeParse(responses.StagedTransaction, response.body);
    if (response.status >= 300 || !accepted.success) {
      // A sale may be decided, or its date sealed, before its reversal comes.
      const mayBeLate = ['already-decided', 'day-closed'].includes(problemTypeOf(response) ?? '');
      if (type === 'reversal' && mayBeLate) return;
      throw new Error(describeRefusal(response));
    }
    onAccepted(performance.now() - startedAt);
    const { transactionId, businessDate } = accepted.output;
    const factId = type === 'reversal' ? `${transactionId}#decision` : transactionId;
    const added = type === 'sale' ? amount : -amount;
    if (!books.accept(factId, { businessDate, currency, type, amount: added, terminalId }))
      findings.add('accepted twice, but not as the same', 'intake', transactionId);
    if (type === 'sale' && recent.push({ transactionId, transaction }) > RECENT_SALES) recent.shift();
  };

  await atRate({ perSecond, atMost: UNDER_WAY, signal }, async () => {
    const report = next(new Date(), recent);
    const sendNoted = async (): Promise<void> =>
      findings.during(`a ${report.transaction.type}`, 'intake', async () => send(report), report.key);
    // A terminal that had no answer asks again while the first request is still under way.
    await Promise.all(random.chance(TWICE_RATE) ? [sendNoted(), sendNoted()] : [sendNoted()]);
  });
}

export async function operate(load: SettlementLoad, seconds: number): Promise<void> {
  const { operator, gateway, random, dates, books, findings, signal } = load;
  const [open = '', ...past] = dates;
  const reconciled = [open];
  const noted = async (what: string, work: () => Promise<void>): Promise<void> =>
    findings.during(what, 'operating', work);
  const reconcile = async (date: string): Promise<void> =>
    noted(`a run of ${date}`, async () => requestReconcile(operator, date));

  const report = async (): Promise<void> => {
    const totals = books.terminalTotals();
    if (totals.length === 0) return;
    const one = { totals: [random.pick(totals)], call: gateway, concurrency: 1, onReported: () => undefined };
    await noted("a report of a terminal's totals", async () => reportTerminalTotals(one));
  };
  // The first run of a past date seals it: its later transactions go to the next date. The latest stays open.
  const seal = async (): Promise<void> => {
    for (const date of past.slice(1).toReversed()) {
      await pause((1000 * seconds) / past.length, signal);
      if (signal.aborted) return;
      await reconcile(date);
      reconciled.push(date);
    }
  };

  await Promise.all([
    everySoOften(PAUSES.review, load, async () =>
      noted('a review', async () => reviewSome(random.pick(dates), load)),
    ),
    everySoOften(PAUSES.reconcile, load, async () => reconcile(random.pick(reconciled))),
    everySoOften(PAUSES.report, load, report),
    seal(),
  ]);
}

/** Sometimes two operators decide differently at once. */
async function reviewSome(date: string, load: SettlementLoad): Promise<void> {
  const { operator, random } = load;
  const held = await allHeld(operator, date);
  const chosen = held.filter(() => random.chance(REVIEWED_AT_ONCE / held.length));
  await Promise.all(
    chosen.flatMap((transaction) => {
      const both = ['release', 'reject'] as const;
      const actions = random.chance(CONTESTED_RATE) ? both : [random.pick(both)];
      return actions.map(async (action) => decide(transaction, action, load));
    }),
  );
}

async function decide(
  { transactionId, currency }: Held,
  action: 'release' | 'reject',
  { operator, books, findings }: SettlementLoad,
): Promise<void> {
  const response = await operator({
    method: 'POST',
    path: `/transactions/${transactionId}/${action}`,
    body: { reason: 'Looked at during a soak' },
  });
  // A reversal, or another operator, was faster.
  if (problemTypeOf(response) === 'already-decided') return;
  const decided = v.safeParse(responses.Reviewed, response.body);
  if (response.status !== 200 || !decided.success) throw new Error(describeRefusal(response));
  const { decision: type, businessDate } = decided.output;
  const fact = { businessDate, currency, type, amount: 0, terminalId: undefined };
  if (!books.accept(`${transactionId}#decision`, fact))
    findings.add('decided twice, but not alike', businessDate, transactionId);
}
