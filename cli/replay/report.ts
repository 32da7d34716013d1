import { formatAmount, formatCount } from '../shared/money.ts';
import { countOf, formatSeconds, printable, type Colors } from '../shared/screen.ts';
import { describeBreak } from './breaks.ts';
import { outcomes } from '../shared/business-day.ts';
import type { Detection, Score } from './detection.ts';
import type { ReplayTally } from './send.ts';
import type { DateResult } from './settle.ts';
import { plainTable } from '../shared/table.ts';

/** Amounts are decimal text of minor units. */
export function toJson(
  tally: ReplayTally,
  seconds: number,
  dates: readonly DateResult[],
  more: { readonly detection?: Detection | undefined; readonly [name: string]: unknown } = {},
): string {
  const report = {
    staged: tally.staged,
    replayed: tally.replayed,
    failed: tally.failed,
    seconds: toTenths(seconds),
    dates: dates.map((date) => ({
      businessDate: date.businessDate,
      status: date.status,
      totals: date.day?.totals ?? {},
      nets: Object.fromEntries([...date.nets].map(([currency, net]) => [currency, String(net)])),
      breaks: date.day?.breaks ?? [],
      seconds: toTenths(date.seconds),
    })),
    ...more,
  };
  return JSON.stringify(report);
}

export function reportParts(
  dates: readonly DateResult[],
  detection: Detection | undefined,
  colors: Colors,
): string[] {
  const breaks = breakLines(dates);
  return [
    settlementTable(dates, colors),
    ...(breaks.length === 0 ? [] : [['breaks', ...breaks].join('\n')]),
    ...(detection === undefined ? [] : [detectionTable(detection)]),
  ];
}

export function dateFaults(dates: readonly DateResult[]): string[] {
  return dates.flatMap(({ businessDate, fault }) => (fault === undefined ? [] : `${businessDate}: ${fault}`));
}

/** `5,039 staged, 3 failed in 12 s`. */
export function describeTally(tally: ReplayTally, seconds: number): string {
  const parts = [
    `${formatCount(tally.staged)} staged`,
    ...(tally.replayed > 0 ? [`${formatCount(tally.replayed)} replayed`] : []),
    ...(tally.failed > 0 ? [`${formatCount(tally.failed)} failed`] : []),
  ];
  return `${parts.join(', ')} in ${formatSeconds(seconds)}`;
}

export function settlementTable(dates: readonly DateResult[], colors: Colors): string {
  const rows = dates.map((date) => {
    const paint = date.fault === undefined ? colors.green : colors.red;
    const name = [date.businessDate, paint(date.status), colors.dim(formatSeconds(date.seconds))].join('\n');
    return [name, ...cellsOf([date])];
  });
  if (dates.length > 1) rows.push([countOf(dates.length, 'date'), ...cellsOf(dates)]);
  return plainTable(['business date', 'staged', ...outcomes, 'breaks', 'net'], rows);
}

function cellsOf(dates: readonly DateResult[]): string[] {
  const totals = dates.flatMap((date) => Object.entries(date.day?.totals ?? {}));
  const nets = sumByCurrency(dates.flatMap((date) => [...date.nets]));
  const currencies = [...new Set([...totals.map(([currency]) => currency), ...nets.keys()])].toSorted();
  const linesOf = (amounts: ReadonlyMap<string, bigint>): string[] =>
    currencies.map((currency) => {
      const amount = amounts.get(currency);
      return amount === undefined ? '' : formatAmount(amount, currency);
    });
  const figures = (['staged', ...outcomes] as const).map((name) => {
    // A decision on a later date than its transaction may change the amount but not the count.
    const moved = totals.filter(([, of]) => of[name].count !== 0 || of[name].amount !== '0');
    const count = moved.reduce((sum, [, of]) => sum + of[name].count, 0);
    const amounts = sumByCurrency(moved.map(([currency, of]) => [currency, BigInt(of[name].amount)]));
    return [formatCount(count), ...linesOf(amounts)].join('\n');
  });
  const breaks = dates.reduce((sum, date) => sum + (date.day?.breaks.length ?? 0), 0);
  return [...figures, formatCount(breaks), ['', ...linesOf(nets)].join('\n')];
}

function sumByCurrency(
  amounts: readonly (readonly [currency: string, amount: bigint])[],
): Map<string, bigint> {
  const sums = new Map<string, bigint>();
  for (const [currency, amount] of amounts) sums.set(currency, (sums.get(currency) ?? 0n) + amount);
  return sums;
}

export function detectionTable({ all, rules, labels }: Detection): string {
  const byRule = plainTable(
    ['fraud rule', 'flagged', 'fraud', 'honest', 'precision', 'recall'],
    [
      ...Object.entries(rules).map(([rule, score]) => scoreCells(printable(rule), score)),
      scoreCells('in all: held', all),
    ],
  );
  const kinds = Object.entries(labels);
  if (kinds.length === 0) return byRule;
  const byLabel = plainTable(
    ['labelled', 'transactions', 'held', 'recall'],
    kinds.map(([label, { transactions, held, recall }]) => [
      printable(label),
      formatCount(transactions),
      formatCount(held),
      toHundredths(recall),
    ]),
  );
  return `${byRule}\n\n${byLabel}`;
}

const SHOWN_BREAKS = 20;

export function breakLines(dates: readonly DateResult[]): string[] {
  const lines = dates.flatMap(({ businessDate, day }) =>
    (day?.breaks ?? []).map((each) => `${businessDate}  ${describeBreak(each)}`),
  );
  const more = lines.length - SHOWN_BREAKS;
  return more > 0 ? [...lines.slice(0, SHOWN_BREAKS), `and ${countOf(more, 'more break')}`] : lines;
}

function scoreCells(name: string, score: Score): string[] {
  return [
    name,
    ...[score.flagged, score.truePositives, score.falsePositives].map(formatCount),
    ...[score.precision, score.recall].map(toHundredths),
  ];
}

function toHundredths(share: number | null): string {
  return share === null ? '-' : share.toFixed(2);
}

function toTenths(seconds: number): number {
  return Math.round(seconds * 10) / 10;
}
