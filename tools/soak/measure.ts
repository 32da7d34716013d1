import { type Percentiles, percentiles } from '../latency/percentiles.ts';

/** A minute of the load. */
export interface Minute {
  /** From 1 on. */
  readonly number: number;
  /** Milliseconds from the first attempt of a transaction to the answer that accepts it; undefined if there was none. */
  readonly intake: Percentiles | undefined;
  /** Milliseconds from when a message was written to when the first device of its recipient had it. */
  readonly chat: Percentiles | undefined;
  /** Of the process, its workers included: the mean over the minute. */
  readonly memoryMegabytes: number;
}

/** Means of the memory over each third of the load, in megabytes. */
export type MemoryThirds = readonly [first: number, middle: number, last: number];

export interface Meter {
  readonly intake: (milliseconds: number) => void;
  readonly chat: (milliseconds: number) => void;
  readonly memory: (bytes: number) => void;
  /** Ends the minute that goes on. @returns undefined if it has lasted no time */
  readonly endMinute: () => Minute | undefined;
  readonly minutes: () => readonly Minute[];
  readonly thirds: () => MemoryThirds;
}

const MEGABYTE = 1024 * 1024;

/** Keeps the figures of one minute at a time, and of the past only what is told of it. */
export function createMeter(): Meter {
  const minutes: Minute[] = [];
  const samples: number[] = [];
  let intake: number[] = [];
  let chat: number[] = [];
  let from = 0;
  return {
    intake: (milliseconds) => void intake.push(Math.round(milliseconds)),
    chat: (milliseconds) => void chat.push(Math.max(0, Math.round(milliseconds))),
    memory: (bytes) => void samples.push(bytes / MEGABYTE),
    endMinute: () => {
      if (samples.length === from) return undefined;
      const minute = {
        number: minutes.length + 1,
        intake: percentiles(intake),
        chat: percentiles(chat),
        memoryMegabytes: Math.round(mean(samples.slice(from))),
      };
      minutes.push(minute);
      [intake, chat, from] = [[], [], samples.length];
      return minute;
    },
    minutes: () => minutes,
    thirds: () => {
      const [one, two] = [Math.round(samples.length / 3), Math.round((2 * samples.length) / 3)];
      return [mean(samples.slice(0, one)), mean(samples.slice(one, two)), mean(samples.slice(two))];
    },
  };
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}
