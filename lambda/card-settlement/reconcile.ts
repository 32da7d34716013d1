import type { BusinessDate } from './domain/business-date.ts';
import {
  BREAK_ID_LIMIT,
  sends as planSends,
  type BusinessDay,
  type Findings,
  type RunPlan,
  type Tally,
} from './domain/business-day.ts';
import { sortKeyOf } from './domain/identifiers.ts';
import { mergeJoin, type Pages } from './domain/merge-join.ts';
import {
  createControlTotals,
  createMerchantTotals,
  type LedgerSummary,
  type MerchantTotals,
  type StagedSummary,
} from './domain/totals.ts';
import { createTerminalComparison, type TerminalReport } from './domain/terminal-totals.ts';
import { signedAmount } from './domain/transaction.ts';
import { SEND_BATCH_SIZE } from './queues/settlement-queue.ts';

/** Both books of a date, and what a walk writes. */
export interface BookServices {
  readonly staged: (businessDate: BusinessDate) => Pages<StagedSummary>;
  readonly ledger: (businessDate: BusinessDate) => Pages<LedgerSummary>;
  /** What terminals have reported of the date. */
  readonly terminalReports: (businessDate: BusinessDate) => Promise<readonly TerminalReport[]>;
  /** Sends at most ten facts to be settled. */
  readonly send: (factIds: readonly string[]) => Promise<void>;
  /** Writes at most 25 totals. */
  readonly writeMerchantTotals: (day: BusinessDay, totals: readonly MerchantTotals[]) => Promise<void>;
  /** Remembers up to which key the run has sent what it sends, for the run that follows if this one ends before its time. */
  readonly noteSends: (through: string) => Promise<void>;
}

const WRITE_BATCH_SIZE = 25;
/** Requests under way at once: enough to hide their latency, few enough to be no flood. */
const CONCURRENCY = 8;
/** What a run that ends before its time may have sent in vain. */
const SENDS_PER_NOTE = 5000;

/**
 * Walks what was staged and what the ledger holds side by side, in one sorted order and constant memory, sends what
 * the ledger lacks, and adds up. While nothing is missing, a run that may balance the day also writes down what each
 * merchant gets, as the merchant's part of the walk ends.
 */
export async function walkBooks(day: BusinessDay, plan: RunPlan, services: BookServices): Promise<Findings> {
  const terminals = createTerminalComparison(await services.terminalReports(day.businessDate));
  const control = createControlTotals();
  const merchants = createMerchantTotals();
  const [missing, overdue, unstaged, mismatched] = [
    createTally(),
    createTally(),
    createTally(),
    createTally(),
  ];
  const sends = inBatches(SEND_BATCH_SIZE, (factIds: readonly string[]) => services.send(factIds));
  const writes = inBatches(WRITE_BATCH_SIZE, (totals: readonly MerchantTotals[]) =>
    services.writeMerchantTotals(day, totals),
  );
  let noted = 0;

  try {
    for await (const pairs of mergeJoin(
      services.staged(day.businessDate),
      keyOf,
      services.ledger(day.businessDate),
      keyOf,
    )) {
      for (const pair of pairs) {
        control.add(pair);
        const { left: staged, right: entry } = pair;
        if (staged !== undefined) terminals.add(staged);
        if (entry !== undefined && plan.mayBalance) {
          const totals = merchants.add(entry);
          if (missing.tally().count === 0 && totals.length > 0) await writes.add(totals);
        }
        if (staged === undefined && entry !== undefined) unstaged.add(entry.transactionId);
        if (staged !== undefined && entry !== undefined && !agree(staged, entry))
          mismatched.add(entry.transactionId);
        if (staged !== undefined && entry === undefined) {
          missing.add(staged.transactionId);
          if (plan.overdueBefore !== undefined && staged.stagedAt < plan.overdueBefore)
            overdue.add(staged.transactionId);
          if (planSends(plan.sends, staged, keyOf(staged))) await sends.add([staged.transactionId]);
        }
      }
      const last = pairs.at(-1);
      const end = last?.left ?? last?.right;
      if (sends.count() - noted >= SENDS_PER_NOTE && end !== undefined) {
        await sends.end();
        await services.noteSends(keyOf(end));
        noted = sends.count();
      }
    }
    if (plan.mayBalance && missing.tally().count === 0) await writes.add(merchants.end());
    await Promise.all([sends.end(), writes.end()]);
  } catch (error) {
    // Nothing of this run may be under way when its day goes to another.
    await Promise.all([sends.stop(), writes.stop()]);
    throw error;
  }
  return {
    totals: control.totals(),
    missing: missing.tally(),
    overdue: overdue.tally(),
    unstaged: unstaged.tally(),
    mismatched: mismatched.tally(),
    terminals: terminals.mismatches(),
    sent: sends.count(),
  };
}

function keyOf({ merchantId, transactionId }: Pick<StagedSummary, 'merchantId' | 'transactionId'>): string {
  return sortKeyOf(merchantId, transactionId);
}

function agree(staged: StagedSummary, entry: LedgerSummary): boolean {
  return signedAmount(staged) === entry.amount && staged.currency === entry.currency;
}

function createTally(): { readonly add: (id: string) => void; readonly tally: () => Tally } {
  let count = 0;
  const ids: string[] = [];
  return {
    add: (id) => {
      count += 1;
      if (ids.length < BREAK_ID_LIMIT) ids.push(id);
    },
    tally: () => ({ count, ids }),
  };
}

/** Collects items into full batches and works on a bounded number of them at once. */
function inBatches<T>(
  size: number,
  work: (batch: readonly T[]) => Promise<void>,
): {
  readonly add: (items: readonly T[]) => Promise<void>;
  /** Works on what is left, and waits for all of it. */
  readonly end: () => Promise<void>;
  /** Begins nothing more, and waits for what is under way, whatever becomes of it. */
  readonly stop: () => Promise<void>;
  readonly count: () => number;
} {
  const running = new Set<Promise<void>>();
  let failure: { readonly error: unknown } | undefined;
  let batch: T[] = [];
  let count = 0;

  function flush(): void {
    const task: Promise<void> = work(batch)
      .catch((error: unknown) => {
        failure ??= { error };
      })
      .finally(() => running.delete(task));
    running.add(task);
    batch = [];
  }

  return {
    add: async (items) => {
      for (const item of items) {
        count += 1;
        if (batch.push(item) === size) flush();
        if (running.size >= CONCURRENCY) await Promise.race(running);
        if (failure !== undefined) throw failure.error;
      }
    },
    end: async () => {
      if (batch.length > 0) flush();
      await Promise.all(running);
      if (failure !== undefined) throw failure.error;
    },
    stop: async () => {
      await Promise.all(running);
    },
    count: () => count,
  };
}
