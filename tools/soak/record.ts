import { errorMessage } from '../../cli/shared/command-error.ts';
import type { HostEvent } from '../../local/index.ts';
import { getOrAdd } from '../harness/maps.ts';
import { type Percentiles, percentiles } from '../harness/percentiles.ts';
import { createChatBooks, createSettlementBooks } from './books.ts';

/** Some two minutes, longer than any fault lasts: a request without an answer is a finding. */
export const RETRIES = { attempts: 70, longestPauseMilliseconds: 2000 } as const;

export interface Finding {
  readonly what: string;
  readonly where: string;
  readonly count: number;
  readonly ids: readonly string[];
}

const SHOWN_IDS = 10;

export type Findings = ReturnType<typeof createFindings>;

/** The same finding about several ids is one that counts them. */
export function createFindings() {
  const found = new Map<string, Finding & { count: number; readonly ids: string[] }>();
  const add = (what: string, where: string, id?: string): void => {
    const finding = getOrAdd(found, JSON.stringify([what, where]), () => ({
      what,
      where,
      count: 0,
      ids: [],
    }));
    finding.count += 1;
    if (id !== undefined && finding.ids.length < SHOWN_IDS) finding.ids.push(id);
  };
  return {
    add,
    /** A failure of `work` is a finding and stops nothing else. */
    during: async (what: string, where: string, work: () => Promise<void>, id?: string): Promise<void> => {
      try {
        await work();
      } catch (error) {
        add(`${what} failed: ${errorMessage(error)}`, where, id);
      }
    },
    all: (): Finding[] => [...found.values()],
  };
}

export function findingText({ what, where, count, ids }: Finding): string {
  const more = count > ids.length && ids.length > 0 ? ', …' : '';
  const named = ids.length === 0 ? '' : `: ${ids.join(', ')}${more}`;
  return `${where}: ${count > 1 ? `${count.toLocaleString('en-US')} × ` : ''}${what}${named}`;
}

export type Tally = ReturnType<typeof createTally>;

export function createTally() {
  const counts: Record<string, number> = {};
  return {
    add: (name: string, count = 1): void => {
      if (count > 0) counts[name] = (counts[name] ?? 0) + count;
    },
    counts: (): Readonly<Record<string, number>> => counts,
  };
}

/** Latencies are in milliseconds, and undefined if nothing was measured. */
export interface Minute {
  readonly number: number;
  /** From the first attempt at a transaction to the answer that accepts it. */
  readonly intake: Percentiles | undefined;
  /** From when a message was written to when its recipient's first device had it. */
  readonly chat: Percentiles | undefined;
  /** This process with its workers. */
  readonly memoryMegabytes: number;
}

/** Means in megabytes. */
export type MemoryThirds = readonly [first: number, middle: number, last: number];

/** Keeps only summaries of past minutes. */
export function createMeter() {
  const minutes: Minute[] = [];
  const samples: number[] = [];
  let [intake, chat, from]: [number[], number[], number] = [[], [], 0];
  return {
    intake: (milliseconds: number): void => void intake.push(Math.round(milliseconds)),
    chat: (milliseconds: number): void => void chat.push(Math.max(0, Math.round(milliseconds))),
    memory: (bytes: number): void => void samples.push(bytes / 1024 ** 2),
    /** @returns undefined if the minute has no samples of memory */
    endMinute: (): Minute | undefined => {
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
    minutes: (): readonly Minute[] => minutes,
    thirds: (): MemoryThirds => {
      const [one, two] = [Math.round(samples.length / 3), Math.round((2 * samples.length) / 3)];
      return [mean(samples.slice(0, one)), mean(samples.slice(one, two)), mean(samples.slice(two))];
    },
  };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
}

export type SoakRecord = ReturnType<typeof createRecord>;

export function createRecord() {
  return {
    settlement: createSettlementBooks(),
    chat: createChatBooks(),
    findings: createFindings(),
    meter: createMeter(),
    faults: createTally(),
    /** Retried requests, failed invocations, messages that came again. */
    consequences: createTally(),
    deadLetters: createTally(),
  };
}

/** @param isTwice the pipe delivers everything twice just now */
export function noteEvent(event: HostEvent, { faults, consequences }: SoakRecord, isTwice: boolean): void {
  if (event.type === 'invocation' && event.outcome !== 'success')
    consequences.add(`invocations ended by ${event.errorType ?? event.outcome}`);
  if (event.type === 'batch') consequences.add('messages that came again', event.failed);
  if (event.type !== 'pipe') return;
  if (isTwice) faults.add('stream records doubled', event.size - event.failed);
  if (event.errorMessage !== undefined) consequences.add('pipe batches tried again');
}
