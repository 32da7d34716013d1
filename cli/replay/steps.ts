import type { CardSettlementApi } from '../shared/api.ts';
import type { CsvRow } from './csv.ts';
import { createDetection, type Detection } from './detection.ts';
import { showProgress, showSettleProgress } from '../shared/progress.ts';
import { fraudRules } from './rules.ts';
import type { TransactionRow } from './rows.ts';
import { sendMerchants, sendTransactions, type MerchantTally, type ReplayTally } from './send.ts';
import { settleDate, type DateResult } from './settle.ts';
import type { Survey } from './survey.ts';
import { reportTerminalTotals, terminalTotalsOf } from './terminal-totals.ts';
import { readVerdicts, type Verdict } from './verdicts.ts';

/** The steps of playing transactions through the system, each with its progress on the screen. */

/** Rows from a file, or from wherever. */
export type OpenRows = () => Promise<AsyncIterable<CsvRow>>;

const tickMilliseconds = 200;

export async function putMerchants(
  api: CardSettlementApi,
  openRows: OpenRows,
  count: number,
  tally: MerchantTally,
  concurrency: number,
): Promise<void> {
  const progress = showProgress('merchants', count);
  const timer = setInterval(() => progress.update(tally.sent + tally.failed, tally.failed), tickMilliseconds);
  try {
    await sendMerchants({ rows: await openRows(), call: api.as.operator, concurrency, tally });
  } finally {
    clearInterval(timer);
    progress.stop();
  }
}

export async function postTransactions(
  api: CardSettlementApi,
  openRows: OpenRows,
  { rows: count, originals }: Survey,
  days: number,
  tally: ReplayTally,
  concurrency: number,
  onAccepted?: (row: TransactionRow, transactionId: string) => void,
): Promise<void> {
  const progress = showProgress('transactions', count);
  const timer = setInterval(() => {
    progress.update(tally.staged + tally.replayed + tally.failed, tally.failed);
  }, tickMilliseconds);
  try {
    const rows = await openRows();
    const call = api.as.gateway;
    const hear = onAccepted === undefined ? {} : { onAccepted };
    await sendTransactions({ rows, originals, days, call, concurrency, tally, ...hear });
  } finally {
    clearInterval(timer);
    progress.stop();
  }
}

/**
 * Reports what the terminals counted, settles every date that something was accepted into, and compares the verdicts
 * with the labels, if there are any. Dates are independent of each other, and the slowest part of each is a wait: all at
 * once.
 *
 * @param options.miscount a terminal that reports wrong totals
 */
export async function settleAll(
  api: CardSettlementApi,
  { accepted }: ReplayTally,
  options: {
    readonly labelled: boolean;
    readonly miscount: string | undefined;
    readonly concurrency: number;
    /** Hears of every verdict on a labelled file. */
    readonly onVerdict?: (verdict: Verdict) => void;
  },
): Promise<{ readonly dates: DateResult[]; readonly detection: Detection | undefined }> {
  const { labelled, miscount, concurrency, onVerdict } = options;
  await reportTotals(api, terminalTotalsOf(accepted, miscount), concurrency);
  const { add, detection } = createDetection(accepted.labels, fraudRules);
  const hear = (verdict: Verdict): void => {
    add(verdict);
    onVerdict?.(verdict);
  };
  const progress = showSettleProgress();
  const byDate = [...accepted.dates].toSorted(([one], [other]) => one.localeCompare(other));
  try {
    const dates = await Promise.all(
      byDate.map(async ([date, { count, merchants }]) => {
        const meanwhile = async (): Promise<void> =>
          readVerdicts({ call: api.as.operator, date, merchants, concurrency, onVerdict: hear });
        return settleDate({
          call: api.as.operator,
          date,
          accepted: count,
          onPoll: progress.update,
          ...(labelled ? { meanwhile } : {}),
        });
      }),
    );
    return { dates, detection: labelled ? detection() : undefined };
  } finally {
    progress.stop();
  }
}

async function reportTotals(
  api: CardSettlementApi,
  totals: ReturnType<typeof terminalTotalsOf>,
  concurrency: number,
): Promise<void> {
  const progress = showProgress('terminals', totals.length);
  let done = 0;
  const timer = setInterval(() => progress.update(done, 0), tickMilliseconds);
  try {
    await reportTerminalTotals({ totals, call: api.as.gateway, concurrency, onReported: () => (done += 1) });
  } finally {
    clearInterval(timer);
    progress.stop();
  }
}
