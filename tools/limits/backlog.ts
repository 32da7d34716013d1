import { cutOffOf } from '../../lambda/card-settlement/domain/business-date.ts';
import type { BusinessDay, Trigger } from '../../lambda/card-settlement/domain/business-day.ts';
import { conclude } from '../../lambda/card-settlement/domain/conclusion.ts';
import {
  planRun,
  sends,
  type InterruptedSends,
  type RunSettings,
  type RunStart,
} from '../../lambda/card-settlement/domain/run-plan.ts';
import type { Tally } from '../../lambda/card-settlement/domain/walk-state.ts';
import { stageConfig } from '../../lib/config.ts';
import { seededRandom } from '../soak/random.ts';
import type { Limit } from './limit.ts';

/** A day whose settlement takes far longer than a message may: what is planned for it, and how the queue fares. */
export interface BacklogLoad {
  readonly staged: number;
  readonly settledPerSecond: number;
  /** Every so many facts, the first message is lost. */
  readonly lostEvery?: number;
  /** So many facts cannot be settled: their messages end in the dead-letter queue. */
  readonly poisoned?: number;
  /** So many of the first runs die half-way through what they send. */
  readonly deaths?: number;
  /** What another day keeps in the settlement queue all the time. */
  readonly others?: number;
  /** When to stop, if the day does not balance. */
  readonly untilSeconds: number;
}

export interface BacklogResult {
  /** Messages sent, for each fact. */
  readonly messagesPerFact: number;
  /** Facts named as a break while their message was waiting: the most at once. */
  readonly falselyNamed: number;
  /** From the cut-off on; undefined if it did not balance. */
  readonly balancedAfterSeconds: number | undefined;
  /** When a break first named facts that nothing would have settled any more. */
  readonly namedAfterSeconds: number | undefined;
}

const DATE = '2026-03-10';
const SCHEDULE_SECONDS = 900;
const SENT_PER_SECOND = 8000;
const WALKED_PER_SECOND = 100_000;
const PAGE_FACTS = 5000;

interface Ask {
  readonly at: number;
  readonly trigger: Trigger;
  readonly after?: string;
  readonly attempt: number;
}

/** The runs of one day, on the code that plans and concludes them; the queue and both books are counted. */
export function simulateBacklog(load: BacklogLoad): BacklogResult {
  const { staged, deaths = 0, others = 0 } = load;
  const settings = settingsOf();
  const cutOff = cutOffOf(DATE, settings.calendar).getTime();
  const queue = simulatedQueue(load, settings);
  const stagedAt = Array.from({ length: 1000 }, (_, index) =>
    new Date(cutOff - (1 + index) * 60_000).toISOString(),
  );
  // SQS counts about: five per cent too many or too few.
  const random = seededRandom(staged, 'counts');
  const about = (count: number): number => Math.round(count * (0.95 + random.next() / 10));
  let day = dayOf(cutOff, stagedAt.at(-1) ?? '');
  let lastRun: string | undefined;
  let interrupted: InterruptedSends | undefined;
  let [now, tick, runs, falselyNamed] = [cutOff, cutOff, 0, 0];
  let namedAt: number | undefined;
  const asked: Ask[] = [];

  const pass = (seconds: number): void => {
    now += seconds * 1000;
    queue.settleUntil(now);
  };

  /** @returns what is missing; undefined if the run died on the way */
  const walk = (
    plan: ReturnType<typeof planRun>,
    startedAt: Date,
  ): { missing: Tally; overdue: Tally; sent: number } | undefined => {
    let [missing, overdue, sent, named] = [0, 0, 0, 0];
    const toSend = plan.sends.all ? queue.unsettled() : 0;
    for (let from = 0; from < staged; from += PAGE_FACTS) {
      let sentNow = 0;
      for (let fact = from; fact < Math.min(staged, from + PAGE_FACTS); fact++) {
        if (queue.isSettled(fact)) continue;
        missing += 1;
        const summary = { stagedAt: stagedAt[fact % stagedAt.length] ?? '' };
        if (plan.overdueBefore !== undefined && summary.stagedAt < plan.overdueBefore) {
          overdue += 1;
          if (queue.waits(fact)) named += 1;
        }
        if (!sends(plan.sends, summary, plan.sends.interrupted === undefined ? '' : keyOf(fact))) continue;
        queue.send(fact);
        sentNow += 1;
      }
      sent += sentNow;
      pass(PAGE_FACTS / WALKED_PER_SECOND + sentNow / SENT_PER_SECOND);
      if (sentNow > 0) {
        const through = keyOf(from + PAGE_FACTS - 1);
        interrupted = { startedAt: startedAt.toISOString(), all: plan.sends.all, through };
      }
      if (runs <= deaths && sent > toSend / 2) return undefined;
    }
    falselyNamed = Math.max(falselyNamed, named);
    if (overdue > 0) namedAt ??= now;
    return { missing: tallyOf(missing), overdue: tallyOf(overdue), sent };
  };

  const run = ({ trigger, after, attempt }: Ask): void => {
    if (trigger === 'continue' && after !== lastRun) return;
    runs += 1;
    const start: RunStart = {
      trigger,
      startedAt: new Date(now),
      ratesFound: false,
      waiting: about(queue.count()) + others,
      ...(interrupted === undefined ? {} : { interrupted }),
    };
    const plan = planRun(day, start, settings);
    const found = walk(plan, start.startedAt);
    if (found === undefined) return;
    const nothing = tallyOf(0);
    const outcome = conclude(
      day,
      { ...found, totals: {}, unstaged: nothing, mismatched: nothing, terminals: { count: 0, named: [] } },
      { ...start, endedAt: new Date(now), plan, attempt },
      settings,
    );
    lastRun = `run-${runs}`;
    ({ day } = outcome);
    if (outcome.next === undefined) return;
    const { delaySeconds, attempt: next } = outcome.next;
    asked.push({ at: now + delaySeconds * 1000, trigger: 'continue', after: lastRun, attempt: next });
  };

  while (day.status !== 'balanced' && now < cutOff + load.untilSeconds * 1000) {
    const next = asked.toSorted((one, other) => one.at - other.at)[0];
    const ask = next !== undefined && next.at < tick ? next : { at: tick, trigger: 'schedule', attempt: 0 };
    pass(Math.max(0, ask.at - now) / 1000);
    if (ask === next) asked.splice(asked.indexOf(next), 1);
    else tick = cutOff + (Math.floor((now - cutOff) / 1000 / SCHEDULE_SECONDS) + 1) * SCHEDULE_SECONDS * 1000;
    run(ask === next ? next : { at: now, trigger: 'schedule', attempt: 0 });
  }
  const secondsAt = (at: number): number => (at - cutOff) / 1000;
  return {
    messagesPerFact: queue.sentCount() / staged,
    falselyNamed,
    balancedAfterSeconds: day.status === 'balanced' ? secondsAt(Date.parse(day.balancedAt)) : undefined,
    namedAfterSeconds: namedAt === undefined ? undefined : secondsAt(namedAt),
  };
}

/** The day, sealed at its cut-off. */
function dayOf(cutOff: number, firstStagedAt: string): BusinessDay {
  const at = new Date(cutOff).toISOString();
  const seal = { at, seenAt: at };
  return {
    status: 'sealed',
    businessDate: DATE,
    revision: 1,
    firstStagedAt,
    seal,
    totals: {},
    breaks: [],
  };
}

/** A queue that is settled in order at a steady rate, and the ledger behind it. */
function simulatedQueue(
  { staged, settledPerSecond, lostEvery, poisoned = 0 }: BacklogLoad,
  settings: RunSettings,
) {
  const settled = new Uint8Array(staged);
  const timesSent = new Uint32Array(staged);
  const waiting = new Uint16Array(staged);
  const inOrder: number[] = [];
  /** Poison comes again and again, until it is in the dead-letter queue. */
  const inFlight: { readonly fact: number; readonly until: number }[] = [];
  let [head, clock, credit, sent, left] = [0, -1, 0, 0, staged];
  return {
    isSettled: (fact: number): boolean => settled[fact] === 1,
    waits: (fact: number): boolean => (waiting[fact] ?? 0) > 0,
    unsettled: (): number => left,
    sentCount: (): number => sent,
    count: (): number => inOrder.length - head + inFlight.length,
    send: (fact: number): void => {
      sent += 1;
      timesSent[fact] = (timesSent[fact] ?? 0) + 1;
      if (lostEvery !== undefined && fact % lostEvery === 0 && timesSent[fact] === 1) return;
      waiting[fact] = (waiting[fact] ?? 0) + 1;
      inOrder.push(fact);
    },
    settleUntil: (now: number): void => {
      if (clock === -1) clock = now;
      credit += ((now - clock) / 1000) * settledPerSecond;
      clock = now;
      while (inFlight[0] !== undefined && inFlight[0].until <= now) {
        const { fact } = inFlight.shift() ?? { fact: 0 };
        waiting[fact] = (waiting[fact] ?? 1) - 1;
      }
      for (; credit >= 1 && head < inOrder.length; credit--, head++) {
        const fact = inOrder[head] ?? 0;
        if (fact < poisoned) {
          inFlight.push({ fact, until: now + settings.settlementHorizonSeconds * 900 });
          continue;
        }
        waiting[fact] = (waiting[fact] ?? 1) - 1;
        if (settled[fact] === 0) left -= 1;
        settled[fact] = 1;
      }
      if (head === inOrder.length) credit = 0;
    },
  };
}

function settingsOf(): RunSettings {
  const { calendar, sealWaitSeconds, settlement } = stageConfig('sandbox');
  const { maxReceiveCount, timeoutSeconds, windowSeconds } = settlement;
  return {
    calendar,
    sealWaitSeconds,
    settlementWindowSeconds: windowSeconds,
    // As `QueueWorker` makes it.
    settlementHorizonSeconds: maxReceiveCount * (6 * timeoutSeconds + windowSeconds) + windowSeconds,
  };
}

function tallyOf(count: number): Tally {
  return { count, ids: [] };
}

function keyOf(fact: number): string {
  return String(fact).padStart(8, '0');
}

/** `npm run limits -- backlog` */
export const backlog: Limit = {
  name: 'backlog',
  load: '3,000,000 staged against 200 settled a second, in a model on the code that plans runs',
  measure: async () => {
    const load = { staged: 3_000_000, settledPerSecond: 200, untilSeconds: 2 * 86_400 };
    const plain = simulateBacklog(load);
    const troubled = simulateBacklog({ ...load, lostEvery: 1000, deaths: 2 });
    return Promise.resolve(
      [
        { name: 'all goes well', result: plain },
        { name: '1 in 1,000 lost, two runs die sending', result: troubled },
      ].flatMap(({ name, result }) => [
        { name: `backlog, ${name}: messages per fact`, value: result.messagesPerFact, unit: '', atMost: 1.1 },
        { name: `backlog, ${name}: named falsely`, value: result.falselyNamed, unit: 'facts', atMost: 0 },
        {
          name: `backlog, ${name}: balanced after`,
          value: (result.balancedAfterSeconds ?? Number.POSITIVE_INFINITY) / 3600,
          unit: 'h',
          // What must be settled takes 4.2 h.
          atMost: 5,
        },
      ]),
    );
  },
};
