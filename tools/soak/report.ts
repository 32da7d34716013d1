import { formatAmount, formatCount } from '../../cli/shared/money.ts';
import { outcomes } from '../../cli/shared/business-day.ts';
import { plainTable } from '../../cli/shared/table.ts';
import { countOf, formatSeconds, type Colors } from '../../cli/shared/screen.ts';
import type { Percentiles } from '../latency/percentiles.ts';
import { memoryGrowthLimit } from './check.ts';
import type { ConservationRow } from './conservation.ts';
import { findingText } from './findings.ts';
import type { Minute } from './measure.ts';
import type { SoakReport } from './run.ts';

/** What a person reads at the end. */
export function reportText(report: SoakReport, colors: Colors): string {
  const { seed, seconds, drainSeconds, findings } = report;
  const verdict =
    findings.length === 0
      ? colors.green('Nothing is lost, nothing doubled, and everything adds up.')
      : [
          colors.red(`${countOf(findings.length, 'finding')}:`),
          ...findings.map((finding) => colors.red(`  ${findingText(finding)}`)),
        ].join('\n');
  return [
    section('Transactions: accepted = settled + held + reversed + rejected', conservation(report.settlement)),
    section('Messages: accepted = acknowledged + waiting', recipients(report)),
    section('Faults', counts(report.faults)),
    section('What came of them', counts({ ...report.consequences, ...redriven(report.deadLetters) })),
    section('Latency in milliseconds, and memory', minutes(report.minutes)),
    memory(report),
    `${formatSeconds(seconds)} of load, ${formatSeconds(drainSeconds)} until all was still, seed ${seed}`,
    '',
    verdict,
  ].join('\n');
}

/** A minute in a line, for who follows along. */
export function minuteText({ number, intake, chat, memoryMegabytes }: Minute): string {
  return `minute ${number}: intake ${latency(intake)}, chat ${latency(chat)}, ${memoryMegabytes} MB`;
}

/** The report as JSON: amounts as decimal text, as everywhere. */
export function reportJson(report: SoakReport): string {
  return JSON.stringify(report, (_, value: unknown) =>
    typeof value === 'bigint' ? value.toString() : value,
  );
}

function section(title: string, table: string): string {
  return `${title}\n${table}\n`;
}

function conservation(rows: readonly ConservationRow[]): string {
  const sides = ['accepted', ...outcomes] as const;
  return plainTable(
    ['', ...sides],
    rows.flatMap((row) => [
      [`${row.businessDate} ${row.currency}`, ...sides.map((side) => formatCount(row[side].count))],
      [
        `  ${row.status}`,
        ...sides.map((side) => formatAmount(row[side].amount, row.currency).replace(/ \w+$/, '')),
      ],
    ]),
  );
}

function recipients({ recipients: rows, pushedAgain }: SoakReport): string {
  const table = plainTable(
    ['', 'accepted', 'acknowledged', 'waiting'],
    rows.map(({ userId, accepted, acknowledged, waiting }) => [
      userId,
      formatCount(accepted),
      formatCount(acknowledged),
      formatCount(waiting),
    ]),
  );
  return `${table}\n${countOf(pushedAgain, 'frame')} brought a device what one of its user's had already`;
}

function counts(byName: Readonly<Record<string, number>>): string {
  const rows = Object.entries(byName).toSorted(([one], [other]) => (one < other ? -1 : 1));
  return rows.length === 0
    ? 'none'
    : plainTable(
        ['', 'count'],
        rows.map(([name, count]) => [name, formatCount(count)]),
      );
}

function redriven(deadLetters: SoakReport['deadLetters']): Record<string, number> {
  return Object.fromEntries(
    Object.entries(deadLetters).map(([name, count]) => [`dead letters redriven from ${name}`, count]),
  );
}

function minutes(rows: readonly Minute[]): string {
  return plainTable(
    ['minute', 'intake p50', 'p99', 'chat p50', 'p99', 'memory'],
    rows.map(({ number, intake, chat, memoryMegabytes }) => [
      String(number),
      ...[intake?.p50, intake?.p99, chat?.p50, chat?.p99].map((value) => value ?? '–'),
      `${memoryMegabytes} MB`,
    ]),
  );
}

function latency(found: Percentiles | undefined): string {
  return found === undefined ? '–' : `p50 ${found.p50} p99 ${found.p99} ms`;
}

function memory({ memoryThirds }: SoakReport): string {
  const [first, middle, last] = memoryThirds.map((megabytes) => Math.round(megabytes));
  const growth = memoryThirds[2] / memoryThirds[1];
  return `Memory by thirds: ${first}, ${middle}, ${last} MB; the last is ${growth.toFixed(2)} × the middle one (at most ${memoryGrowthLimit})`;
}
