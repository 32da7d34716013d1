import Table from 'cli-table3';
import { formatAmount, formatCount } from '../money.ts';
import { type Colors, countOf, formatSeconds } from '../screen.ts';
import { outcomes, type Totals } from './business-day.ts';
import type { ReplayTally } from './send.ts';
import type { DateResult } from './settle.ts';

/** What `--json` prints; amounts are decimal text of minor units. */
export function toJson(tally: ReplayTally, seconds: number, dates: readonly DateResult[]): string {
  const report = {
    staged: tally.staged,
    replayed: tally.replayed,
    failed: tally.failed,
    seconds: toTenths(seconds),
    dates: dates.map((date) => ({
      businessDate: date.businessDate,
      status: date.status,
      totals: date.day?.totals ?? {},
      nets: Object.fromEntries(date.nets),
      seconds: toTenths(date.seconds),
    })),
  };
  return JSON.stringify(report, (_, value: unknown) =>
    typeof value === 'bigint' ? value.toString() : value,
  );
}

/** `5,039 staged in 12 s`, and what else became of the rows. */
export function describeTally(tally: ReplayTally, seconds: number): string {
  const parts = [
    `${formatCount(tally.staged)} staged`,
    ...(tally.replayed > 0 ? [`${formatCount(tally.replayed)} replayed`] : []),
    ...(tally.failed > 0 ? [`${formatCount(tally.failed)} failed`] : []),
  ];
  return `${parts.join(', ')} in ${formatSeconds(seconds)}`;
}

/** The dates as a table, and a last line that sums them up. */
export function settlementTable(dates: readonly DateResult[], colors: Colors): string {
  const table = new Table({
    head: ['business date', 'staged', ...outcomes, 'breaks', 'net'],
    colAligns: ['left', 'right', 'right', 'right', 'right', 'right', 'right', 'right'],
    chars: borderless,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 2 },
  });
  for (const date of dates) {
    const paint = date.fault === undefined ? colors.green : colors.red;
    const name = [date.businessDate, paint(date.status), colors.dim(formatSeconds(date.seconds))].join('\n');
    table.push([name, ...cellsOf(Object.entries(date.day?.totals ?? {})), breaksOf(date), netsOf(date.nets)]);
  }
  if (dates.length > 1) {
    const totals = dates.flatMap((date) => Object.entries(date.day?.totals ?? {}));
    const breaks = dates.reduce((sum, date) => sum + (date.day?.breaks.length ?? 0), 0);
    table.push([
      countOf(dates.length, 'date'),
      ...cellsOf(totals),
      formatCount(breaks),
      netsOf(sumNets(dates)),
    ]);
  }
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

/** Per figure: how many, and below it their amount per currency. */
function cellsOf(totals: readonly (readonly [currency: string, totals: Totals])[]): string[] {
  return (['staged', ...outcomes] as const).map((name) => {
    const count = totals.reduce((sum, [, figures]) => sum + figures[name].count, 0);
    const amounts = new Map<string, bigint>();
    for (const [currency, figures] of totals) {
      if (figures[name].count > 0)
        amounts.set(currency, (amounts.get(currency) ?? 0n) + figures[name].amount);
    }
    return [formatCount(count), netsOf(amounts)].filter((line) => line !== '').join('\n');
  });
}

function breaksOf(date: DateResult): string {
  return formatCount(date.day?.breaks.length ?? 0);
}

function netsOf(nets: ReadonlyMap<string, bigint>): string {
  return [...nets]
    .toSorted(([one], [other]) => one.localeCompare(other))
    .map(([currency, amount]) => formatAmount(amount, currency))
    .join('\n');
}

function sumNets(dates: readonly DateResult[]): Map<string, bigint> {
  const sums = new Map<string, bigint>();
  for (const [currency, net] of dates.flatMap((date) => [...date.nets])) {
    sums.set(currency, (sums.get(currency) ?? 0n) + net);
  }
  return sums;
}

function toTenths(seconds: number): number {
  return Math.round(seconds * 10) / 10;
}

const borderless = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '',
};
