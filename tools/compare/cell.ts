import { billOf, sum, type Prices } from '../cost/prices.ts';
import { percentiles } from '../harness/percentiles.ts';
import { seededRandom } from '../harness/random.ts';
import { poissonArrivals, type Hop } from './arrivals.ts';
import { drawSeconds, HANDLER_UNITS, unitsOf, type HandlerModel, type HandlerUnit } from './handler-model.ts';
import { playPollers, type Batch, type PollerRules, type Setting } from './pollers.ts';

/** A worker, as its queue sees it. */
export interface Worker {
  readonly handler: HandlerModel;
  readonly memoryMegabytes: number;
  readonly rules: PollerRules;
}

/** What a setting does at a rate. Counts and units are those of one message. */
export interface Cell extends Setting {
  readonly perSecond: number;
  readonly messagesPerBatch: number;
  /** From sent to done. */
  readonly waitSeconds: { readonly p50: number; readonly p99: number };
  readonly invocations: number;
  /** Receives, found something or not, and deletes. */
  readonly sqsRequests: number;
  readonly readUnits: number;
  readonly writeUnits: number;
  readonly dollarsPerMillion: number;
  readonly mostPollers: number;
  /** True if messages wait longer and longer. */
  readonly fallsBehind: boolean;
}

export interface CellOptions {
  readonly perSecond: number;
  readonly hop: Hop;
  readonly prices: Prices;
  readonly seed: number;
}

/** Enough messages for a 99th percentile, and time enough for pollers to become as many as are needed. */
const LEAST_MESSAGES = 3000;
const LEAST_SECONDS = 30;
const DELETED_AT_ONCE = 10;

/** Plays a setting at a rate until it is steady, and then long enough to measure it. */
export function playCell(setting: Setting, worker: Worker, options: CellOptions): Cell {
  const { perSecond, hop, seed } = options;
  const { handler } = worker;
  const countFrom = 30 + 2 * setting.windowSeconds;
  const seconds = countFrom + Math.max(LEAST_SECONDS, 2 * setting.windowSeconds, LEAST_MESSAGES / perSecond);
  // All settings get the same numbers, so that they differ by nothing else.
  const arrivals = poissonArrivals({ perSecond, seconds }, seededRandom(seed, `sent ${perSecond}`), hop);
  const random = seededRandom(seed, `played ${perSecond}`);
  const secondsOf = (size: number): number => drawSeconds(handler, size, random);
  const played = playPollers(setting, worker.rules, { arrivals, secondsOf, random, countFrom });
  const waits = arrivals.flatMap(({ sentAt }, index) =>
    sentAt < countFrom ? [] : [(played.doneAt[index] ?? 0) - sentAt],
  );
  const batches = played.batches.filter(({ at }) => at >= countFrom && at <= seconds);
  const messages = sum(batches.map((batch) => batch.messages.length));
  const deletes = sum(batches.map((batch) => Math.ceil(batch.messages.length / DELETED_AT_ONCE)));
  const sqsRequests = (played.receives + played.emptyReceives) / waits.length + deletes / messages;
  const units = unitsOfBatches(batches, handler, messages);
  const { p50 = Number.NaN, p99 = Number.NaN } = percentiles(waits) ?? {};
  const bill = billOf(
    {
      ...units,
      'lambda-requests': batches.length / messages,
      'lambda-gigabyte-seconds': gigabyteSeconds(batches, worker.memoryMegabytes) / messages,
      'sqs-requests': sqsRequests,
    },
    options.prices,
  );
  return {
    ...setting,
    perSecond,
    messagesPerBatch: messages / batches.length,
    waitSeconds: { p50, p99 },
    invocations: batches.length / messages,
    sqsRequests,
    readUnits: units['dynamodb-read-units'],
    writeUnits: units['dynamodb-write-units'],
    dollarsPerMillion: bill.total * 1e6,
    mostPollers: played.mostPollers,
    // While there can be more pollers, there will be.
    fallsBehind: played.mostPollers === worker.rules.most && isGrowing(waits, setting.windowSeconds),
  };
}

function unitsOfBatches(
  batches: readonly Batch[],
  handler: HandlerModel,
  messages: number,
): Record<HandlerUnit, number> {
  const bySize = new Map<number, number>();
  for (const { messages: of } of batches) bySize.set(of.length, (bySize.get(of.length) ?? 0) + 1);
  const each = (unit: HandlerUnit): number =>
    sum([...bySize].map(([size, count]) => count * unitsOf(handler, unit, size))) / messages;
  const [read, write, push] = HANDLER_UNITS;
  return { [read]: each(read), [write]: each(write), [push]: each(push) };
}

/** Lambda bills whole milliseconds. [aws.amazon.com/lambda/pricing] */
function gigabyteSeconds(batches: readonly Batch[], memoryMegabytes: number): number {
  return (sum(batches.map(({ seconds }) => Math.ceil(seconds * 1000))) / 1000) * (memoryMegabytes / 1024);
}

/** Whether the last quarter waits much longer than the first. Windows that begin together explain a window's difference. */
function isGrowing(waits: readonly number[], windowSeconds: number): boolean {
  const quarter = Math.ceil(waits.length / 4);
  return p50Of(waits.slice(-quarter)) > 1.5 * p50Of(waits.slice(0, quarter)) + 1 + windowSeconds;
}

function p50Of(values: readonly number[]): number {
  return percentiles(values)?.p50 ?? 0;
}
