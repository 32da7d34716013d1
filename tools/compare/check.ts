import { setTimeout as wait } from 'node:timers/promises';
import { SQS } from '@aws-sdk/client-sqs';
import { CommandError } from '../../cli/shared/command-error.ts';
import { forEachConcurrently } from '../../cli/shared/concurrency.ts';
import { awsClientOptions } from '../../cli/shared/outputs.ts';
import { printError } from '../../cli/shared/screen.ts';
import { environmentNames } from '../../lambda/card-settlement/contract.ts';
import { copyToMeasure } from '../cost/assembly.ts';
import { sum } from '../cost/prices.ts';
import type { OwnHost } from '../harness/own-host.ts';
import { percentiles } from '../harness/percentiles.ts';
import { seededRandom, type Random } from '../harness/random.ts';
import { until } from '../harness/until.ts';
import { noHop, poissonArrivals } from './arrivals.ts';
import { isRefused, settings } from './grid.ts';
import { prepareSettlement, stageSales } from './measure-settlement.ts';
import { playPollers, type PollerRules, type Setting } from './pollers.ts';
import { expectedBatch, POLLERS } from './rule.ts';
import { watchQueue, type WatchedQueue } from './watched-queue.ts';

interface Place extends Setting {
  readonly perSecond: number;
}

/** What a host did in real time, and what the model says of the same sendings. */
export interface CheckedCell extends Place {
  readonly messages: number;
  /** On a busy machine calls time out, and messages come again after three minutes: these have no wait here. */
  readonly failed: number;
  readonly invocations: { readonly host: number; readonly model: number };
  readonly p50Seconds: { readonly host: number; readonly model: number };
  readonly isWithin: boolean;
}

/** What the pollers of `local/lambda/event-source-mapping.ts` do. */
const HOST_RULES: PollerRules = {
  initial: POLLERS,
  most: POLLERS,
  addedPerSecond: 0,
  windowEndsPoll: true,
  serves: 'longest-waiting',
  secondsBetweenBatches: 0,
};
/** A laptop settles fewer than a hundred a second. */
const CHECKED_RATES = [0.1, 1, 10] as const;
const CHECKED_BATCH_SIZE = 100;
/** With more at once in five functions, calls of a laptop's host time out, and messages come again. */
const MOST_AT_ONCE = 250;
const TOLERANCE = 0.1;
const AT_ONCE = 3;
const PLAYS = 20;

/** Different cells, chosen by a seed from those that the handler takes and a laptop bears. */
export function chooseCells(count: number, seed: number): readonly Place[] {
  const random = seededRandom(seed, 'checked cells');
  const left = settings
    .filter((setting) => !isRefused(setting) && setting.batchSize <= CHECKED_BATCH_SIZE)
    .flatMap((setting) => CHECKED_RATES.map((perSecond) => ({ ...setting, perSecond })))
    .filter((place) => POLLERS * expectedBatch(place) <= MOST_AT_ONCE);
  return Array.from({ length: Math.min(count, left.length) }, () =>
    left.splice(random.whole(0, left.length - 1), 1),
  ).flat();
}

/** Holds the model against the local host, in real time. */
export async function checkModel(
  assembly: string,
  { count, seed }: { readonly count: number; readonly seed: number },
): Promise<readonly CheckedCell[]> {
  const checked: CheckedCell[] = [];
  await forEachConcurrently(chooseCells(count, seed), AT_ONCE, async (place) => {
    printError(`Batch ${place.batchSize} × ${place.windowSeconds} s at ${place.perSecond} a second…`);
    checked.push(await checkCell(assembly, place, seed));
  });
  return checked;
}

async function checkCell(assembly: string, place: Place, seed: number): Promise<CheckedCell> {
  const { watched, startedAt } = await runOnHost(assembly, place, seed);
  const plays = Array.from({ length: PLAYS }, (_, play) =>
    playAgain(watched, startedAt, place, seededRandom(seed, `${play}`)),
  );
  const invocations = {
    host: watched.batches.length,
    model: mean(plays.map(({ batches }) => batches)),
  };
  const p50Seconds = {
    host: (percentiles(watched.waits)?.p50 ?? 0) / 1000,
    model: mean(plays.map(({ p50 }) => p50)),
  };
  return {
    ...place,
    messages: watched.sentAt.size,
    failed: sum(watched.batches.map(({ failed }) => failed)),
    invocations,
    p50Seconds,
    isWithin: [invocations, p50Seconds].every(({ host, model }) => Math.abs(model / host - 1) <= TOLERANCE),
  };
}

function mean(values: readonly number[]): number {
  return sum(values) / values.length;
}

/** Plays what was sent with the hop and the times that the host had. @param startedAt when its pollers began */
function playAgain(watched: WatchedQueue, startedAt: number, setting: Setting, random: Random) {
  const hop = (percentiles(watched.hops)?.p50 ?? 0) / 1000;
  const arrivals = [...watched.sentAt.values()]
    .map((at) => (at - startedAt) / 1000)
    .map((sentAt) => ({ sentAt, visibleAt: sentAt + hop }))
    .toSorted((one, other) => one.sentAt - other.sentAt);
  const secondsOf = (size: number): number => {
    const distance = (batch: { readonly size: number }): number => Math.abs(batch.size - size);
    const nearest = Math.min(...watched.batches.map(distance));
    return random.pick(watched.batches.filter((batch) => distance(batch) === nearest)).milliseconds / 1000;
  };
  const { batches, doneAt } = playPollers(setting, HOST_RULES, { arrivals, secondsOf, random });
  const waits = arrivals.map(({ sentAt }, index) => (doneAt[index] ?? 0) - sentAt);
  return { batches: batches.length, p50: percentiles(waits)?.p50 ?? 0 };
}

async function runOnHost(
  assembly: string,
  place: Place,
  seed: number,
): Promise<{ readonly watched: WatchedQueue; readonly startedAt: number }> {
  const { startOwnHost } = await import('../harness/own-host.ts');
  const { batchSize, windowSeconds } = place;
  const copy = await copyToMeasure(assembly, { batchSize, windowSeconds, maximumConcurrency: 'none' });
  const watched = watchQueue();
  try {
    const host = await startOwnHost({
      assembly: copy.folder,
      onEvent: watched.onEvent,
      interceptors: [watched.interceptor],
    });
    const startedAt = Date.now();
    try {
      await host.warm();
      await send(host, place, seed, watched);
      return { watched, startedAt };
    } finally {
      await host.stop();
    }
  } finally {
    await copy.remove();
  }
}

/** Sends sales at their times, and waits until each has been in a batch. */
async function send(host: OwnHost, place: Place, seed: number, watched: WatchedQueue): Promise<void> {
  const { perSecond, windowSeconds } = place;
  const seconds = Math.max(60, perSecond < 1 ? 180 : 0, 2 * windowSeconds);
  const random = seededRandom(seed, `check ${perSecond} ${windowSeconds}`);
  const arrivals = poissonArrivals({ perSecond, seconds }, random, noHop);
  await prepareSettlement(host);
  const bodies = await stageSales(host, arrivals.length);
  const QueueUrl = host.variable(environmentNames.settlementQueueUrl);
  const sqs = new SQS(awsClientOptions(host.appOutputs));
  const startedAt = performance.now();
  await Promise.all(
    arrivals.map(async ({ sentAt }, index) => {
      await wait(Math.max(0, startedAt + 1000 * sentAt - performance.now()));
      await sqs.sendMessage({ QueueUrl, MessageBody: bodies[index] });
    }),
  );
  const delivered = (): number => sum(watched.batches.map(({ size }) => size));
  const inTime = await until(() => delivered() >= arrivals.length, { seconds: 120 + windowSeconds });
  sqs.destroy();
  if (!inTime) throw new CommandError(`Only ${delivered()} of ${arrivals.length} were delivered in time.`);
}
