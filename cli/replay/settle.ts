import { setTimeout as wait } from 'node:timers/promises';
import type { CallApi } from '../shared/api.ts';
import { formatCount } from '../shared/money.ts';
import { countOf } from '../shared/screen.ts';
import {
  addsUp,
  missingCount,
  readBusinessDay,
  readNets,
  requestReconcile,
  stagedCount,
  type BusinessDay,
} from '../shared/business-day.ts';

export interface DateResult {
  readonly businessDate: string;
  /** Transactions of this replay, or of an earlier run of it. */
  readonly accepted: number;
  readonly status: BusinessDay['status'] | 'unknown';
  readonly day: BusinessDay | undefined;
  /** Minor units per settlement currency. */
  readonly nets: ReadonlyMap<string, bigint>;
  readonly seconds: number;
  readonly fault: string | undefined;
}

interface Pace {
  readonly pollMilliseconds: number;
  /** The wait ends when the figures of the date have not moved for this long. */
  readonly stalledSeconds: number;
  /** The same for a blocked date, which waits for a person. */
  readonly blockedSeconds: number;
}

const DEFAULT_PACE: Pace = { pollMilliseconds: 1000, stalledSeconds: 300, blockedSeconds: 60 };

export interface SettleOptions {
  readonly call: CallApi;
  readonly date: string;
  readonly accepted: number;
  readonly pace?: Pace;
  readonly onPoll?: (date: string, day: BusinessDay | undefined) => void;
  readonly meanwhile?: () => Promise<void>;
}

/**
 * Waits until the date is balanced or, while it is open, complete, as long as anything moves. A balanced date is walked
 * once more, to compare its books with what the terminals reported.
 */
export async function settleDate(options: SettleOptions): Promise<DateResult> {
  const { call, date, accepted, pace = DEFAULT_PACE, onPoll, meanwhile } = options;
  const started = performance.now();
  const before = await readBusinessDay(call, date);
  await requestReconcile(call, date);

  const waitUntil = patientWait(pace, before, async () => {
    const day = await readBusinessDay(call, date);
    onPoll?.(date, day);
    return day;
  });
  const balance = async (): Promise<{ day: BusinessDay | undefined; seconds: number }> => {
    const day = await waitUntil((state) => isDone(state, before, accepted));
    return { day, seconds: (performance.now() - started) / 1000 };
  };
  await waitUntil((state) => hasAllOutcomes(state, accepted));
  const [{ day, seconds }] = await Promise.all([balance(), meanwhile?.()]);
  const nets = await readNets(call, date);
  const fault = faultOf(day, accepted);
  return { businessDate: date, accepted, status: day?.status ?? 'unknown', day, nets, seconds, fault };
}

type DayState = BusinessDay | undefined;

function patientWait(
  pace: Pace,
  before: DayState,
  read: () => Promise<DayState>,
): (isEnough: (day: DayState) => boolean) => Promise<DayState> {
  let day = before;
  let figures = fingerprint(day);
  let movedAt = performance.now();
  return async (isEnough) => {
    while (!isEnough(day)) {
      const stillSeconds = (performance.now() - movedAt) / 1000;
      if (stillSeconds > (day?.status === 'blocked' ? pace.blockedSeconds : pace.stalledSeconds)) break;
      await wait(pace.pollMilliseconds);
      day = await read();
      const current = fingerprint(day);
      if (current !== figures) {
        figures = current;
        movedAt = performance.now();
      }
    }
    return day;
  };
}

function hasAllOutcomes(day: DayState, accepted: number): day is BusinessDay {
  return day !== undefined && stagedCount(day) >= accepted && missingCount(day) === 0;
}

/** Only a run since the request knows what was reported, and that the date is past its cut-off. */
function isDone(day: DayState, before: DayState, accepted: number): boolean {
  return (
    hasAllOutcomes(day, accepted) &&
    (day.status === 'balanced' || day.status === 'open') &&
    day.asOf !== before?.asOf
  );
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
  return JSON.stringify([day?.status, day?.totals]);
}
