import { setTimeout as wait } from 'node:timers/promises';
import type { CallApi } from '../api.ts';
import { formatCount } from '../money.ts';
import { countOf } from '../screen.ts';
import {
  addsUp,
  type BusinessDay,
  missingCount,
  readBusinessDay,
  readNets,
  requestReconcile,
  stagedCount,
} from './business-day.ts';

/** How a date ended. */
export interface DateResult {
  readonly businessDate: string;
  /** As the API says it; `unknown` if it knows nothing of the date. */
  readonly status: BusinessDay['status'] | 'unknown';
  readonly day: BusinessDay | undefined;
  /** Minor units per settlement currency. */
  readonly nets: ReadonlyMap<string, bigint>;
  /** From the request to reconcile to the end of the wait. */
  readonly seconds: number;
  /** Undefined if all is well, else what is not. */
  readonly fault: string | undefined;
}

interface Pace {
  readonly pollMilliseconds: number;
  /** The wait for a date ends when none of its figures has moved for this long. */
  readonly stalledSeconds: number;
  /** A blocked date waits for a person, so that its other figures need only come to rest. */
  readonly blockedSeconds: number;
}

const defaultPace: Pace = { pollMilliseconds: 1000, stalledSeconds: 300, blockedSeconds: 60 };

export interface SettleOptions {
  /** With the operator's token. */
  readonly call: CallApi;
  readonly date: string;
  /** How many transactions of this replay, or of an earlier one, lie on the date. */
  readonly accepted: number;
  readonly pace?: Pace;
  readonly onPoll?: (date: string, day: BusinessDay | undefined) => void;
}

/**
 * Reconciles a date and waits until it is balanced; or, if it is still open and so cannot be sealed, until nothing is
 * missing; or until nothing moves any more.
 */
export async function settleDate(options: SettleOptions): Promise<DateResult> {
  const { call, date, accepted, pace = defaultPace, onPoll } = options;
  const started = performance.now();
  const before = await readBusinessDay(call, date);
  await requestReconcile(call, date);

  let day = before;
  let figures = '';
  let movedAt = performance.now();
  while (!isDone(day, before, accepted)) {
    const stillSeconds = (performance.now() - movedAt) / 1000;
    if (stillSeconds > (day?.status === 'blocked' ? pace.blockedSeconds : pace.stalledSeconds)) break;
    await wait(pace.pollMilliseconds);
    day = await readBusinessDay(call, date);
    onPoll?.(date, day);
    const current = fingerprint(day);
    if (current !== figures) {
      figures = current;
      movedAt = performance.now();
    }
  }
  const seconds = (performance.now() - started) / 1000;
  const nets = await readNets(call, date);
  const fault = faultOf(day, accepted);
  return { businessDate: date, status: day?.status ?? 'unknown', day, nets, seconds, fault };
}

function isDone(day: BusinessDay | undefined, before: BusinessDay | undefined, accepted: number): boolean {
  if (day === undefined || stagedCount(day) < accepted || missingCount(day) !== 0) return false;
  if (day.status === 'balanced') return true;
  // A date past its cut-off is open, too, until its first run seals it: only a pass since the request counts.
  return day.status === 'open' && day.asOf !== before?.asOf;
}

function faultOf(day: BusinessDay | undefined, accepted: number): string | undefined {
  if (day === undefined) return 'the API knows nothing of it';
  const staged = stagedCount(day);
  const missing = missingCount(day);
  if (day.status === 'blocked') return 'it is blocked until it has FX rates: PUT /fx-rates/{businessDate}';
  if (staged < accepted)
    return `accepted were ${countOf(accepted, 'transaction')}, but counted are ${formatCount(staged)}`;
  if (missing > 0)
    return `${countOf(missing, 'transaction')} ${missing === 1 ? 'has' : 'have'} reached no outcome`;
  if (!addsUp(day)) return 'staged is not settled + held + reversed + rejected';
  if (day.status === 'sealed') return 'it is sealed, but was not balanced in time';
  return undefined;
}

function fingerprint(day: BusinessDay | undefined): string {
  return JSON.stringify([day?.status, day?.totals], (_, value: unknown) =>
    typeof value === 'bigint' ? value.toString() : value,
  );
}
