import { formatAmount, formatCount } from '../../cli/shared/money.ts';
import { plainTable } from '../../cli/shared/table.ts';
import { type Colors, countOf, formatSeconds } from '../../cli/shared/screen.ts';
import type { Percentiles } from '../harness/percentiles.ts';
import type { RecipientRow } from './check-chat.ts';
import { type ConservationRow, OUTCOMES } from './check-settlement.ts';
import { type Finding, findingText, type MemoryThirds, type Minute } from './record.ts';

export interface SoakReport {
  readonly seed: number;
  /** How long the load lasted. */
  readonly seconds: number;
  readonly drainSeconds: number;
  readonly settlement: readonly ConservationRow[];
  readonly recipients: readonly RecipientRow[];
  /** Frames with a message that one of the user's devices had already. */
  readonly pushedAgain: number;
  readonly faults: Readonly<Record<string, number>>;
  readonly consequences: Readonly<Record<string, number>>;
  readonly deadLetters: Readonly<Record<string, number>>;
  readonly minutes: readonly Minute[];
  readonly memoryThirds: MemoryThirds;
  /** Without findings the guarantees hold. */
  readonly findings: readonly Finding[];
}

/** The last third of the load may use so many times the memory of the middle third. */
export const MEMORY_GROWTH_LIMIT = 1.15;

export function reportText(report: SoakReport, colors: Colors): string {
  const { seed, seconds, drainSeconds, findings } = report;
  const deadLetters = Object.entries(report.deadLetters).map(([name, count]) => [
    `dead letters redriven from ${name}`,
    count,
  ]);
  return [
    'Transactions: accepted = settled + held + reversed + rejected',
    conservation(report.settlement),
    '\nMessages: accepted = acknowledged + waiting',
    recipients(report),
    '\nFaults',
    counts(report.faults),
    '\nWhat came of them',
    counts({ ...report.consequences, ...Object.fromEntries(deadLetters) }),
    '\nLatency in milliseconds, and memory',
    minutes(report.minutes),
    `\n${memory(report)}`,
    `${formatSeconds(seconds)} of load, ${formatSeconds(drainSeconds)} until all was still, seed ${seed}\n`,
    ...(findings.length === 0
      ? [colors.green('Nothing is lost, nothing doubled, and everything adds up.')]
      : [`${countOf(findings.length, 'finding')}:`, ...findings.map((each) => `  ${findingText(each)}`)].map(
          colors.red,
        )),
  ].join('\n');
}

export function minuteText({ number, intake, chat, memoryMegabytes }: Minute): string {
  return `minute ${number}: intake ${latency(intake)}, chat ${latency(chat)}, ${memoryMegabytes} MB`;
}

function latency(found: Percentiles | undefined): string {
  return found === undefined ? '–' : `p50 ${found.p50} p99 ${found.p99} ms`;
}

function conservation(rows: readonly ConservationRow[]): string {
  const sides = ['accepted', ...OUTCOMES] as const;
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
  const sides = ['accepted', 'acknowledged', 'waiting'] as const;
  const table = plainTable(
    ['', ...sides],
    rows.map((row) => [row.userId, ...sides.map((side) => formatCount(row[side]))]),
  );
  return `${table}\n${countOf(pushedAgain, 'frame')} brought a message that a device of the user had already`;
}

function counts(byName: Readonly<Record<string, number>>): string {
  const rows = Object.entries(byName).toSorted(([one], [other]) => (one < other ? -1 : 1));
  if (rows.length === 0) return 'none';
  return plainTable(
    ['', 'count'],
    rows.map(([name, count]) => [name, formatCount(count)]),
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

function memory({ memoryThirds }: SoakReport): string {
  const thirds = memoryThirds.map((megabytes) => Math.round(megabytes)).join(', ');
  const growth = (memoryThirds[2] / memoryThirds[1]).toFixed(2);
  return `Memory by thirds: ${thirds} MB; the last is ${growth} × the middle one (at most ${MEMORY_GROWTH_LIMIT})`;
}
