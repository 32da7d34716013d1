import type { BusinessDate } from '../domain/business-date.ts';
import { BREAK_ID_LIMIT, type BusinessDay } from '../domain/business-day.ts';
import { sortKeyOf } from '../domain/identifiers.ts';
import { mergeJoin, type Joined } from '../domain/merge-join.ts';
import { sends as planSends, type RunPlan } from '../domain/run-plan.ts';
import { createTerminalSums, type TerminalSums } from '../domain/terminal-sums.ts';
import { createTerminalComparison, type TerminalReport } from '../domain/terminal-totals.ts';
import {
  createControlTotals,
  createMerchantTotals,
  type LedgerSummary,
  type MerchantTotals,
  type StagedSummary,
} from '../domain/totals.ts';
import { signedAmount } from '../domain/transaction.ts';
import type { Findings, Tally, WalkState } from '../domain/walk-state.ts';
import type { LedgerTable } from '../store/ledger.ts';
import type { MerchantTotalsTable } from '../store/merchant-totals.ts';
import { SEND_BATCH_SIZE, type SettlementQueue } from '../store/settlement-queue.ts';
import type { StagedTable } from '../store/staged-transactions.ts';
import type { TerminalTotalsTable } from '../store/terminal-totals.ts';
import { inBatches } from './in-batches.ts';

export interface Books {
  readonly staged: Pick<StagedTable, 'pagesOf'>;
  readonly ledger: Pick<LedgerTable, 'pagesOf'>;
  readonly terminalTotals: Pick<TerminalTotalsTable, 'pagesOf'>;
  readonly merchantTotals: Pick<MerchantTotalsTable, 'write'>;
}

export interface WalkServices {
  readonly books: Books;
  readonly send: SettlementQueue['send'];
  /** Notes how far the run has sent, in case it dies. */
  readonly noteSends: (through: string) => Promise<void>;
}

export interface WalkingRun {
  readonly id: string;
  readonly day: BusinessDay;
  readonly plan: RunPlan;
}

const WRITE_BATCH_SIZE = 25;
/** How many sends are repeated at most after a run dies. */
const SENDS_PER_NOTE = 5000;
const NONE: Tally = { count: 0, ids: [] };

/**
 * Walks both books side by side, in one order and constant memory, sends what the ledger lacks, and adds up. A run that
 * may balance the day also writes each merchant's totals while nothing is missing. Then come the terminals, if any.
 * @param isTimeUp asked after each page, so that every part makes progress
 * @returns a state whose phase is `done`, or from which the next part begins
 */
export async function walk(
  run: WalkingRun,
  from: WalkState | undefined,
  services: WalkServices,
  isTimeUp: () => boolean,
): Promise<WalkState> {
  const sums = createTerminalSums(run.id, from?.terminalSums);
  let state = from ?? (await beginning(run, sums, services));
  if (state.phase === 'books') state = await walkBooks(run, state, sums, services, isTimeUp);
  if (state.phase === 'terminals' && (from?.phase === 'terminals' || !isTimeUp()))
    state = await walkTerminals(run, state, sums, services, isTimeUp);
  return state;
}

export function findingsOf(state: WalkState): Findings {
  const { totals, missing, overdue, unstaged, mismatched, sent, terminals } = state;
  const named =
    terminals === undefined ? [] : createTerminalComparison(terminals.reports, terminals.staged).mismatches();
  const found = { totals, missing, overdue, unstaged, mismatched, sent };
  return { ...found, terminals: { count: terminals?.count ?? 0, named } };
}

async function beginning(
  { day }: WalkingRun,
  sums: TerminalSums,
  services: WalkServices,
): Promise<WalkState> {
  for await (const page of services.books.terminalTotals.pagesOf(day.businessDate))
    for (const report of page) sums.report(report);
  return {
    phase: 'books',
    through: '',
    totals: {},
    missing: NONE,
    overdue: NONE,
    unstaged: NONE,
    mismatched: NONE,
    merchant: [],
    sent: 0,
    terminalSums: new Uint8Array(),
  };
}

async function walkBooks(
  run: WalkingRun,
  from: WalkState,
  sums: TerminalSums,
  services: WalkServices,
  isTimeUp: () => boolean,
): Promise<WalkState> {
  const { day, plan } = run;
  const found = findings(from, plan, sums);
  const sends = inBatches(SEND_BATCH_SIZE, (factIds: readonly string[]) => services.send(factIds));
  const writes = inBatches(WRITE_BATCH_SIZE, (totals: readonly MerchantTotals[]) =>
    services.books.merchantTotals.write(day, totals),
  );
  const after = from.through === '' ? undefined : from.through;
  let through = from.through;
  let noted = 0;
  let isCut = false;

  try {
    const [staged, ledger] = [
      services.books.staged.pagesOf(day.businessDate, after),
      services.books.ledger.pagesOf(day.businessDate, after),
    ];
    for await (const pairs of mergeJoin(staged, sortKeyOf, ledger, sortKeyOf)) {
      for (const pair of pairs) {
        const { send, write } = found.add(pair);
        if (send !== undefined) await sends.add([send]);
        if (write.length > 0) await writes.add(write);
      }
      const last = pairs.at(-1)?.left ?? pairs.at(-1)?.right;
      if (last !== undefined) through = sortKeyOf(last);
      if (sends.count() - noted >= SENDS_PER_NOTE) {
        await sends.end();
        await services.noteSends(through);
        noted = sends.count();
      }
      isCut = isTimeUp();
      if (isCut) break;
    }
    if (!isCut) await writes.add(found.end());
    await Promise.all([sends.end(), writes.end()]);
    if (isCut && sends.count() > noted) await services.noteSends(through);
  } catch (error) {
    // Nothing of this run may be under way when the next one begins.
    await Promise.all([sends.stop(), writes.stop()]);
    throw error;
  }
  return {
    ...found.state(),
    sent: from.sent + sends.count(),
    terminalSums: sums.rows(),
    ...(isCut
      ? { phase: 'books', through }
      : { phase: sums.count() === 0 ? 'done' : 'terminals', through: '' }),
  };
}

function findings(from: WalkState, plan: RunPlan, sums: TerminalSums) {
  const control = createControlTotals(from.totals);
  const merchants = createMerchantTotals(from.merchant);
  const tallies = {
    missing: openTally(from.missing),
    overdue: openTally(from.overdue),
    unstaged: openTally(from.unstaged),
    mismatched: openTally(from.mismatched),
  };
  const { missing, overdue, unstaged, mismatched } = tallies;
  const writable = (totals: readonly MerchantTotals[]): readonly MerchantTotals[] =>
    missing.count === 0 ? totals : [];
  return {
    /** @returns the fact to send and the totals to write */
    add: (pair: Joined<StagedSummary, LedgerSummary>) => {
      control.add(pair);
      const { left: staged, right: entry } = pair;
      if (staged !== undefined) sums.stage(staged);
      const write = entry === undefined || !plan.mayBalance ? [] : writable(merchants.add(entry));
      if (staged === undefined && entry !== undefined) tally(unstaged, entry.factId);
      if (staged !== undefined && entry !== undefined && !agree(staged, entry))
        tally(mismatched, entry.factId);
      if (staged === undefined || entry !== undefined) return { write, send: undefined };
      tally(missing, staged.factId);
      if (plan.overdueBefore !== undefined && staged.stagedAt < plan.overdueBefore)
        tally(overdue, staged.factId);
      return { write, send: planSends(plan.sends, staged, sortKeyOf(staged)) ? staged.factId : undefined };
    },
    end: () => (plan.mayBalance ? writable(merchants.end()) : []),
    state: () => ({ ...tallies, totals: control.totals(), merchant: merchants.current() }),
  };
}

/** Adds up line by line only the first terminals that differ. */
async function walkTerminals(
  { day }: WalkingRun,
  from: WalkState,
  sums: TerminalSums,
  services: WalkServices,
  isTimeUp: () => boolean,
): Promise<WalkState> {
  const differing = from.terminals ?? (await differingTerminals(day.businessDate, sums, services));
  const { count, reports } = differing;
  const done = { ...from, phase: 'done' as const, terminalSums: new Uint8Array() };
  if (count === 0) return done;
  const comparison = createTerminalComparison(reports, differing.staged);
  const after = from.through === '' ? undefined : from.through;
  for await (const page of services.books.staged.pagesOf(day.businessDate, after)) {
    for (const staged of page) comparison.add(staged);
    const last = page.at(-1);
    if (last !== undefined && isTimeUp()) {
      const terminals = { count, reports, staged: comparison.staged() };
      return { ...from, through: sortKeyOf(last), terminals, terminalSums: new Uint8Array() };
    }
  }
  return { ...done, terminals: { count, reports, staged: comparison.staged() } };
}

async function differingTerminals(
  businessDate: BusinessDate,
  sums: TerminalSums,
  services: WalkServices,
): Promise<NonNullable<WalkState['terminals']>> {
  let count = 0;
  const reports: TerminalReport[] = [];
  for await (const page of services.books.terminalTotals.pagesOf(businessDate)) {
    for (const report of page) {
      if (!sums.differs(report)) continue;
      count += 1;
      if (reports.length < BREAK_ID_LIMIT) reports.push(report);
    }
  }
  return { count, reports, staged: [] };
}

function agree(staged: StagedSummary, entry: LedgerSummary): boolean {
  return signedAmount(staged) === entry.amount && staged.currency === entry.currency;
}

function openTally({ count, ids }: Tally): { count: number; readonly ids: string[] } {
  return { count, ids: [...ids] };
}

function tally(open: ReturnType<typeof openTally>, id: string): void {
  open.count += 1;
  if (open.ids.length < BREAK_ID_LIMIT) open.ids.push(id);
}
