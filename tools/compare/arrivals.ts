import type { Random } from '../harness/random.ts';
import type { Arrival } from './pollers.ts';

/** Seconds from sending to the function's start, drawn for one message. */
export type Hop = (random: Random) => number;

export const noHop: Hop = () => 0;

/**
 * SQS standard to Lambda on AWS: 13.7, 16.2, 33.8 and 105 ms at P10, P50, P90 and P99, of 1,024 messages in eu-west-1 on
 * 2022-09-04 and 05. [bitesizedserverless.com/bite/serverless-messaging-latency-compared] What lies beyond P10 and P99 is
 * not published, and taken as equal to them.
 */
const SQS_HOP_MILLISECONDS: readonly (readonly [share: number, milliseconds: number])[] = [
  [0, 13.7],
  [0.1, 13.7],
  [0.5, 16.2],
  [0.9, 33.8],
  [0.99, 105],
  [1, 105],
];

export const sqsHop: Hop = (random) => {
  const share = random.next();
  let [fromShare, from] = [0, 0];
  for (const [toShare, to] of SQS_HOP_MILLISECONDS) {
    if (share < toShare) return (from * (to / from) ** ((share - fromShare) / (toShare - fromShare))) / 1000;
    [fromShare, from] = [toShare, to];
  }
  return from / 1000;
};

/** Messages that come independently of each other: a Poisson process. */
export function poissonArrivals(
  { perSecond, seconds }: { readonly perSecond: number; readonly seconds: number },
  random: Random,
  hop: Hop,
): readonly Arrival[] {
  const sent: number[] = [];
  for (let at = gap(perSecond, random); at < seconds; at += gap(perSecond, random)) sent.push(at);
  return arrivalsOf(sent, random, hop);
}

function gap(perSecond: number, random: Random): number {
  return -Math.log(1 - random.next()) / perSecond;
}

/** @param sent seconds, in any order */
export function arrivalsOf(sent: readonly number[], random: Random, hop: Hop): readonly Arrival[] {
  return sent
    .map((sentAt) => ({ sentAt, visibleAt: sentAt + hop(random) }))
    .toSorted((one, other) => one.visibleAt - other.visibleAt);
}
