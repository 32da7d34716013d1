import { describeRefusal, problemTypeOf, type CallApi } from '../shared/api.ts';
import { CommandError } from '../shared/command-error.ts';
import type { Accepted, TotalsLine } from './accepted.ts';
import { forEachConcurrently } from '../shared/concurrency.ts';

export interface TerminalTotals {
  readonly terminalId: string;
  readonly businessDate: string;
  readonly lines: readonly TotalsLine[];
}

/** @param miscount a terminal that reports one sale, and one minor unit, too many */
export function terminalTotalsOf(accepted: Accepted, miscount?: string): TerminalTotals[] {
  return [...accepted.dates].flatMap(([businessDate, { terminals }]) =>
    [...terminals].map(([terminalId, byTypeAndCurrency]) => {
      const lines = [...byTypeAndCurrency.values()];
      return { terminalId, businessDate, lines: terminalId === miscount ? miscounted(lines) : lines };
    }),
  );
}

function miscounted(lines: readonly TotalsLine[]): TotalsLine[] {
  const currency = lines[0]?.currency ?? '';
  const right = lines.find((line) => line.type === 'sale' && line.currency === currency);
  const wrong = {
    type: 'sale',
    currency,
    count: (right?.count ?? 0) + 1,
    amount: (right?.amount ?? 0n) + 1n,
  };
  return [wrong, ...lines.filter((line) => line !== right)];
}

export async function reportTerminalTotals(options: {
  readonly totals: readonly TerminalTotals[];
  readonly call: CallApi;
  readonly concurrency: number;
  readonly onReported: () => void;
}): Promise<void> {
  const { totals, call, concurrency, onReported } = options;
  await forEachConcurrently(totals, concurrency, async ({ terminalId, businessDate, lines }) => {
    const response = await call({
      method: 'PUT',
      path: `/terminals/${encodeURIComponent(terminalId)}/totals/${businessDate}`,
      body: { totals: lines.map((line) => ({ ...line, amount: Number(line.amount) })) },
    });
    onReported();
    // A replay that is repeated weeks later has reported them in time.
    if (response.status < 300 || problemTypeOf(response) === 'date-out-of-range') return;
    throw new CommandError(
      `The totals of the terminal ${terminalId} for ${businessDate} were refused: ${describeRefusal(response)}.`,
    );
  });
}
