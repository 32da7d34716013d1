import { plainTable } from '../../cli/shared/table.ts';
import type { Colors } from '../../cli/shared/screen.ts';
import type { Cell } from './cell.ts';
import type { Comparison } from './comparison.ts';
import { frontierOf } from './frontier.ts';
import type { Setting } from './pollers.ts';

export interface View {
  readonly perSecond: number;
  readonly everySetting: boolean;
}

const HEAD = [
  'batch × window',
  'msgs/batch',
  'p50',
  'p99',
  'invocations',
  'SQS',
  'reads',
  'writes',
  '$/million',
];

export function comparisonText(
  comparison: Comparison,
  { perSecond, everySetting }: View,
  colors: Colors,
): string {
  const at = (cells: readonly Cell[]): readonly Cell[] =>
    cells.filter((cell) => cell.perSecond === perSecond);
  const { chosen, refused, rule, largestMeasured, handlers } = comparison;
  const frontier = frontierOf(at(comparison.settlement));
  const ours = at(comparison.settlement).filter((cell) => isSame(cell, chosen.settlement));
  const shown = everySetting
    ? at(comparison.settlement)
    : [...new Set([...frontier, ...ours])].toSorted(
        (one, other) => one.waitSeconds.p99 - other.waitSeconds.p99,
      );
  const rows = shown.map((cell) => {
    const marks = [
      frontier.includes(cell) ? '*' : '',
      isSame(cell, chosen.settlement) ? ' settlement' : '',
    ].join('');
    return rowOf(cell, marks, largestMeasured);
  });
  const refusedRows = everySetting
    ? refused.map((setting) => [nameOf(setting), 'Lambda refuses it: over 10 needs a window'])
    : [];
  const { settlement: line } = handlers;
  return [
    colors.bold(`At ${perSecond} messages a second${everySetting ? '' : ', what no other setting beats'}`),
    plainTable(HEAD, [...rows, ...at(comparison.chat).map((cell) => rowOf(cell, ' chat', 1))]),
    ...refusedRows.map(([name, why]) => `${name}: ${why}`),
    '',
    'Counts and units of one message, of the queue’s worker alone. * on the frontier of dollars against p99.',
    `A settlement batch takes ${line.millisecondsPerBatch.toFixed(0)} ms and ${line.millisecondsPerItem.toFixed(1)} ms a message on this machine; the handler takes at most ${largestMeasured} at once, so † is on that line, not measured.`,
    '',
    rule.sentence,
    `Cheapest, over all windows and rates: ${rule.cheapest.map(({ batchSize, dollarsPerMillion }) => `batch ${batchSize} $${dollarsPerMillion.toFixed(2)}`).join(', ')}.`,
    '',
    `List prices of ${comparison.prices.region} on ${comparison.prices.asOf}. Hops of AWS: ${comparison.withHops ? 'with' : 'without'}. Seed ${comparison.seed}.`,
  ].join('\n');
}

function nameOf({ batchSize, windowSeconds }: Setting): string {
  return `${batchSize} × ${windowSeconds} s`;
}

function isSame(one: Setting, other: Setting): boolean {
  return one.batchSize === other.batchSize && one.windowSeconds === other.windowSeconds;
}

function secondsText(seconds: number): string {
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
}

function rowOf(cell: Cell, marks: string, largestMeasured: number): string[] {
  const name = `${nameOf(cell)}${cell.batchSize > largestMeasured ? ' †' : ''}${marks}`;
  return [
    name,
    cell.messagesPerBatch.toFixed(1),
    cell.fallsBehind ? 'falls' : secondsText(cell.waitSeconds.p50),
    cell.fallsBehind ? 'behind' : secondsText(cell.waitSeconds.p99),
    cell.invocations.toFixed(3),
    cell.sqsRequests.toFixed(2),
    cell.readUnits.toFixed(2),
    cell.writeUnits.toFixed(2),
    cell.dollarsPerMillion.toFixed(2),
  ];
}
