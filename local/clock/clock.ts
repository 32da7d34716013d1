import { setImmediate as turn, setTimeout as pause } from 'node:timers/promises';
import { moveDate } from './moved-date.mjs';

/*
 * The clock of the host. There is one for a process, because it moves the process's own `Date`: libraries such as fauxqs
 * and jose read no other. Until somebody moves it, it is the machine's clock, and its timers are Node's.
 */

export interface Timer {
  readonly cancel: () => void;
}

interface Pending {
  readonly dueAt: number;
  readonly isIdle: () => boolean;
  readonly fire: () => void;
  handle: NodeJS.Timeout | undefined;
}

/** What the clock asks of a part of the host while it moves. */
export interface Timed {
  /** When the next thing happens by itself, in milliseconds since the epoch. */
  readonly nextAt?: () => number | undefined;
  /** Whether work is under way. */
  readonly isBusy?: () => boolean;
  /** Hears of each stop of the clock on its way. */
  readonly moved?: () => void;
  /** Hears that the clock is where it was sent. */
  readonly arrived?: () => void;
}

/** Node cuts longer ones to a millisecond. */
const LONGEST_TIMEOUT_MILLISECONDS = 2 ** 31 - 1;
/** A turn of the event loop lets what was just sent arrive. */
const QUIET_TURNS = 4;
/** A device's answer to a push comes over a socket, which takes a moment. */
const SETTLE_MILLISECONDS = 3;
/** Callers from outside may keep the host busy for ever. */
const LONGEST_STEP_MILLISECONDS = 15_000;

const pending = new Set<Pending>();
const parts = new Set<Timed>();
let moving: Promise<void> = Promise.resolve();
let ahead = 0;

/** How far it is ahead of the machine's clock, in milliseconds. */
export function aheadMilliseconds(): number {
  return ahead;
}

/**
 * Calls back when the clock has come so far.
 *
 * @param isIdle whether a moving clock may pass over it: for polls that would find nothing
 */
export function after(milliseconds: number, fire: () => void, isIdle: () => boolean = () => false): Timer {
  const timer: Pending = { dueAt: Date.now() + milliseconds, isIdle, fire, handle: undefined };
  pending.add(timer);
  // Never at once: callers get their timer before it fires.
  timer.handle = setTimeout(() => arm(timer), timeoutUntil(timer));
  return {
    cancel: () => {
      clearTimeout(timer.handle);
      pending.delete(timer);
    },
  };
}

/** @throws the signal's reason, when it is aborted */
export async function sleep(
  milliseconds: number,
  { signal, isIdle }: { readonly signal?: AbortSignal; readonly isIdle?: () => boolean } = {},
): Promise<void> {
  signal?.throwIfAborted();
  await new Promise<void>((resolve, reject) => {
    const abort = (): void => {
      timer.cancel();
      reject(signal?.reason);
    };
    const timer = after(
      milliseconds,
      () => {
        signal?.removeEventListener('abort', abort);
        resolve();
      },
      isIdle,
    );
    signal?.addEventListener('abort', abort, { once: true });
  });
}

/** @returns what takes the part out again */
export function joinClock(part: Timed): () => void {
  parts.add(part);
  return () => {
    parts.delete(part);
    if (parts.size === 0) useRealClock();
  };
}

/** Sets the clock, and passes over whatever lies between: for a host that has not begun. */
export function setClock(now: Date): void {
  jumpTo(now.getTime());
}

/** Back to the machine's clock. What became due by the moved one stays done. */
export function useRealClock(): void {
  ahead = 0;
  apply();
}

/**
 * Moves the clock forward. Everything that is due in between happens, in order and at its time: the clock stops at each,
 * and goes on when nothing is left to do.
 */
export async function moveClock(to: Date): Promise<void> {
  const move = moving.then(() => walkTo(to.getTime()));
  moving = move.catch(() => undefined);
  await move;
}

async function walkTo(target: number): Promise<void> {
  for (;;) {
    await quiet();
    const next = nextAt();
    if (next > target) break;
    jumpTo(Math.max(next, Date.now()));
  }
  if (target > Date.now()) jumpTo(target);
  for (const part of parts) part.arrived?.();
  await quiet();
}

function nextAt(): number {
  const timers = [...pending].filter(({ isIdle }) => !isIdle()).map(({ dueAt }) => dueAt);
  return Math.min(Infinity, ...timers, ...[...parts].map((part) => part.nextAt?.() ?? Infinity));
}

function jumpTo(now: number): void {
  ahead += now - Date.now();
  apply();
}

function apply(): void {
  moveDate(ahead);
  for (const timer of pending) arm(timer);
  for (const part of parts) part.moved?.();
}

/** Fires what is due; for the rest a timer of Node's waits. */
function arm(timer: Pending): void {
  clearTimeout(timer.handle);
  if (timer.dueAt > Date.now()) timer.handle = setTimeout(() => arm(timer), timeoutUntil(timer));
  else if (pending.delete(timer)) timer.fire();
}

function timeoutUntil({ dueAt }: Pending): number {
  return Math.min(dueAt - Date.now(), LONGEST_TIMEOUT_MILLISECONDS);
}

async function quiet(): Promise<void> {
  const giveUpAt = performance.now() + LONGEST_STEP_MILLISECONDS;
  let hasWorked = false;
  for (let calmTurns = 0; calmTurns < QUIET_TURNS;) {
    await turn();
    if (isBusy() && performance.now() < giveUpAt) {
      hasWorked = true;
      calmTurns = 0;
      await pause(1);
    } else calmTurns += 1;
    if (calmTurns === QUIET_TURNS && hasWorked) {
      hasWorked = false;
      calmTurns = 0;
      await pause(SETTLE_MILLISECONDS);
    }
  }
}

function isBusy(): boolean {
  return [...parts].some((part) => part.isBusy?.() === true);
}
