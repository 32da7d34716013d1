import { unitsIn, type UsageRecord, type UsageUnit } from '../../local/index.ts';
import { sum } from '../cost/prices.ts';
import { percentiles } from '../harness/percentiles.ts';
import type { Random } from '../harness/random.ts';

export const HANDLER_UNITS = [
  'dynamodb-read-units',
  'dynamodb-write-units',
  'websocket-messages',
] as const satisfies readonly UsageUnit[];
export type HandlerUnit = (typeof HANDLER_UNITS)[number];

/** What batches of one size took. */
export interface MeasuredSize {
  readonly size: number;
  /** Of each batch, on this machine. */
  readonly milliseconds: readonly number[];
  /** Averages of a batch. */
  readonly units: Readonly<Record<HandlerUnit, number>>;
}

export function unitsOfEach(batches: number, used: readonly UsageRecord[]): Pick<MeasuredSize, 'units'> {
  const of = (unit: HandlerUnit): number => unitsIn(used, unit) / batches;
  return {
    units: {
      'dynamodb-read-units': of('dynamodb-read-units'),
      'dynamodb-write-units': of('dynamodb-write-units'),
      'websocket-messages': of('websocket-messages'),
    },
  };
}

/** @param rounds as many batches in each */
export function together(rounds: readonly MeasuredSize[]): MeasuredSize {
  const mean = (unit: HandlerUnit): number => sum(rounds.map(({ units }) => units[unit])) / rounds.length;
  return {
    size: rounds[0]?.size ?? 0,
    milliseconds: rounds.flatMap(({ milliseconds }) => milliseconds),
    units: {
      'dynamodb-read-units': mean('dynamodb-read-units'),
      'dynamodb-write-units': mean('dynamodb-write-units'),
      'websocket-messages': mean('websocket-messages'),
    },
  };
}

/** A handler as a line through what was measured. */
export interface HandlerModel {
  readonly millisecondsPerBatch: number;
  readonly millisecondsPerItem: number;
  /** The measured times of all batches, each as a multiple of its line: what is drawn from. */
  readonly spread: readonly number[];
  readonly measured: readonly MeasuredSize[];
}

/** Fits the median times with the least squares of relative errors, so that small batches count like large ones. */
export function fitHandler(measured: readonly MeasuredSize[]): HandlerModel {
  let [weights, sizes, squares, times, products] = [0, 0, 0, 0, 0];
  for (const { size, milliseconds } of measured) {
    const time = percentiles(milliseconds)?.p50 ?? 0;
    const weight = 1 / time ** 2;
    weights += weight;
    sizes += weight * size;
    squares += weight * size ** 2;
    times += weight * time;
    products += weight * size * time;
  }
  const determinant = weights * squares - sizes ** 2;
  const isLine = determinant > 1e-12 * weights * squares;
  const perItem = isLine ? Math.max(0, (weights * products - sizes * times) / determinant) : 0;
  const perBatch = Math.max(0, (times - perItem * sizes) / weights);
  return {
    millisecondsPerBatch: perBatch,
    millisecondsPerItem: perItem,
    spread: measured.flatMap(({ size, milliseconds }) =>
      milliseconds.map((each) => each / (perBatch + perItem * size)),
    ),
    measured,
  };
}

/** How long a batch takes: its line, times one of the measured deviations from it. */
export function drawSeconds(
  { millisecondsPerBatch, millisecondsPerItem, spread }: HandlerModel,
  size: number,
  random: Random,
): number {
  return ((millisecondsPerBatch + millisecondsPerItem * size) * random.pick(spread)) / 1000;
}

/** Of a batch of any size: on a line between the sizes that were measured, beyond them as many per message. */
export function unitsOf({ measured }: HandlerModel, unit: HandlerUnit, size: number): number {
  const upper = measured.find((each) => each.size >= size) ?? measured.at(-1);
  const lower = measured.findLast((each) => each.size <= size) ?? upper;
  if (upper === undefined || lower === undefined) return 0;
  const [from, to] = [lower.units[unit], upper.units[unit]];
  if (lower.size >= upper.size) return (from * size) / lower.size;
  return from + ((to - from) * (size - lower.size)) / (upper.size - lower.size);
}
