import { withApi, type CardSettlementApi } from '../shared/api.ts';
import { showSettleProgress, stopAllProgress, withProgress } from '../shared/progress.ts';
import type { Outputs } from '../shared/outputs.ts';
import { countOf, printable, printError } from '../shared/screen.ts';
import type { CsvRow } from './csv.ts';
import { createDetection, fraudRules, type Detection } from './detection.ts';
import type { Survey } from './rows.ts';
import {
  sendMerchants,
  sendTransactions,
  type Failure,
  type MerchantTally,
  type ReplayTally,
  type Sending,
} from './send.ts';
import { settleDate, type DateResult } from './settle.ts';
import { reportTerminalTotals, terminalTotalsOf } from './terminal-totals.ts';
import { readVerdicts, type Verdict } from './verdicts.ts';

export interface Player {
  readonly api: CardSettlementApi;
  readonly concurrency: number;
}

export async function playing<T>(
  outputs: Outputs,
  concurrency: number,
  play: (player: Player) => Promise<T>,
): Promise<T> {
  process.once('SIGINT', interrupted);
  try {
    return await withApi(outputs, concurrency, async (api) => play({ api, concurrency }));
  } finally {
    process.off('SIGINT', interrupted);
  }
}

function interrupted(): void {
  stopAllProgress();
  printError('Interrupted. The same command finishes the rest, and sends nothing twice.');
  process.exit(1);
}

export async function putMerchants(
  { api, concurrency }: Player,
  rows: AsyncIterable<CsvRow>,
  count: number,
): Promise<MerchantTally> {
  const tally: MerchantTally = { sent: 0, failed: 0, failures: [] };
  const counts = () => [tally.sent + tally.failed, tally.failed] as const;
  await withProgress('merchants', count, counts, async () =>
    sendMerchants(api.as.operator, rows, tally, concurrency),
  );
  return tally;
}

export async function postTransactions(
  { api, concurrency }: Player,
  { rows: count, originals }: Survey,
  sending: Sending,
): Promise<void> {
  const { tally } = sending;
  const counts = () => [tally.staged + tally.replayed + tally.failed, tally.failed] as const;
  await withProgress('transactions', count, counts, async () =>
    sendTransactions({ ...sending, originals, call: api.as.gateway, concurrency }),
  );
}

/** @param options.miscount a terminal that reports wrong totals */
export async function settleAll(
  { api, concurrency }: Player,
  { accepted }: ReplayTally,
  options: {
    readonly labelled: boolean;
    readonly miscount: string | undefined;
    readonly onVerdict?: (verdict: Verdict) => void;
  },
): Promise<{ readonly dates: DateResult[]; readonly detection: Detection | undefined }> {
  const { labelled, miscount, onVerdict } = options;
  const { operator, gateway } = api.as;
  const totals = terminalTotalsOf(accepted, miscount);
  let reported = 0;
  await withProgress(
    'terminals',
    totals.length,
    () => [reported, 0],
    async () =>
      reportTerminalTotals({ totals, call: gateway, concurrency, onReported: () => (reported += 1) }),
  );

  const { add, detection } = createDetection(accepted.labels, fraudRules);
  const hear = (verdict: Verdict): void => {
    add(verdict);
    onVerdict?.(verdict);
  };
  const progress = showSettleProgress();
  const byDate = [...accepted.dates].toSorted(([one], [other]) => one.localeCompare(other));
  try {
    const dates = await Promise.all(
      byDate.map(async ([date, { count, merchants }]) =>
        settleDate({
          call: operator,
          date,
          accepted: count,
          onPoll: progress.update,
          ...(labelled && {
            meanwhile: async () =>
              readVerdicts({ call: operator, date, merchants, concurrency, onVerdict: hear }),
          }),
        }),
      ),
    );
    return { dates, detection: labelled ? detection() : undefined };
  } finally {
    progress.stop();
  }
}

export function complain(
  { failed, failures }: { readonly failed: number; readonly failures: readonly Failure[] },
  thing: 'row' | 'request',
  placeOf: (line: number) => string,
): void {
  const inOrder = failures.toSorted((one, other) => one.line - other.line);
  for (const { line, reason } of inOrder) printError(`${placeOf(line)}${printable(reason)}`);
  const more = failed - failures.length;
  if (more > 0) printError(`and ${countOf(more, `more ${thing}`)} failed`);
}
