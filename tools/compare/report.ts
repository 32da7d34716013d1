import { plainTable } from '../../cli/shared/table.ts';
import { countOf, type Colors } from '../../cli/shared/screen.ts';
import type { Cell } from './cell.ts';
import type { CheckedCell } from './check.ts';
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
  const { chosen, refused, rule, largestMeasured } = comparison;
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
  return [
    colors.bold(`At ${perSecond} messages a second${everySetting ? '' : ', what no other setting beats'}`),
    plainTable(HEAD, [...rows, ...at(comparison.chat).map((cell) => rowOf(cell, ' chat', 1))]),
    ...refusedRows.map(([name, why]) => `${name}: ${why}`),
    '',
    `* on the frontier of dollars against p99. ${basisOf(comparison)}`,
    '',
    rule.sentence,
    `Cheapest, over all windows and rates: ${rule.cheapest.map(({ batchSize, dollarsPerMillion }) => `batch ${batchSize} $${dollarsPerMillion.toFixed(2)}`).join(', ')}.`,
  ].join('\n');
}

export function checkText(cells: readonly CheckedCell[], colors: Colors): string {
  const rows = cells.map((cell) => [
    `${nameOf(cell)} at ${cell.perSecond}/s`,
    cell.messages,
    cell.failed,
    cell.invocations.host,
    cell.invocations.model.toFixed(1),
    ratio(cell.invocations),
    secondsText(cell.p50Seconds.host),
    secondsText(cell.p50Seconds.model),
    ratio(cell.p50Seconds),
    cell.isWithin ? '' : colors.red('over 10 %'),
  ]);
  const head = ['batch × window', 'messages', 'failed', 'invocations', 'model', '', 'p50', 'model', '', ''];
  const within = cells.filter(({ isWithin }) => isWithin).length;
  return [
    plainTable(head, rows),
    '',
    `${within} of ${countOf(cells.length, 'cell')} within 10 %, of what a local host did in real time.`,
  ].join('\n');
}

function ratio({ host, model }: CheckedCell['invocations']): string {
  return `${model >= host ? '+' : '−'}${Math.abs(100 * (model / host - 1)).toFixed(1)} %`;
}

export function basisOf({ handlers, largestMeasured, prices, seed }: Comparison): string {
  const { millisecondsPerBatch, millisecondsPerItem } = handlers.settlement;
  return [
    'Counts and units of one message, of the queue’s worker alone.',
    `A settlement batch takes ${millisecondsPerBatch.toFixed(0)} ms and ${millisecondsPerItem.toFixed(1)} ms a message, a chat message ${handlers.chat.millisecondsPerBatch.toFixed(0)} ms, both on the machine that measured.`,
    `Rows with † are extrapolated: the settlement handler takes at most ${largestMeasured} messages at once.`,
    `List prices of ${prices.region} on ${prices.asOf}. Seed ${seed}.`,
  ].join(' ');
}

/** What the model takes for granted, with the sources. */
export function assumptionsOf({ withHops, exactWindow }: Comparison): readonly string[] {
  return [
    'Messages arrive independently of each other, at a steady rate.',
    'Five pollers at first, each batching alone; 300 more a minute while messages wait, up to the mapping’s maximum concurrency (production: 100 for settlement, 200 for chat). docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.',
    exactWindow
      ? 'Long polls end when the window does.'
      : 'A long poll lasts its 20 s, and the window is looked at afterwards: AWS says that with very low traffic Lambda may wait for up to 20 s even if the window is shorter. docs.aws.amazon.com/lambda/latest/dg/with-sqs.',
    withHops
      ? 'From SQS to the function: 13.7, 16.2, 33.8 and 105 ms at P10, P50, P90 and P99, measured in eu-west-1 in September 2022. bitesizedserverless.com/bite/serverless-messaging-latency-compared.'
      : 'AWS’s own hop from SQS to the function is left out.',
    'Not in it: cold starts, errors, deleting, and the times of AWS’s tables, which are not those of this machine.',
  ];
}

export function nameOf({ batchSize, windowSeconds }: Setting): string {
  return `${batchSize} × ${windowSeconds} s`;
}

export function isSame(one: Setting, other: Setting): boolean {
  return one.batchSize === other.batchSize && one.windowSeconds === other.windowSeconds;
}

export function secondsText(seconds: number): string {
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
