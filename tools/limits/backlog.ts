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
import { seededRandom } from '../harness/random.ts';
import { figure, type Figure } from '../harness/figures.ts';

export interface BacklogLoad {
  readonly staged: number;
  readonly settledPerSecond: number;
  /** The first message of every nth fact is lost. */
  readonly lostEvery?: number;
  /** Facts that cannot be settled: their messages end in the dead-letter queue. */
  readonly poisoned?: number;
  /** So many first runs die half-way through sending. */
  readonly deaths?: number;
  /** Another day keeps so many messages in the settlement queue. */
  readonly others?: number;
  /** When to stop, if the day does not balance. */
  readonly untilSeconds: number;
}

export interface BacklogResult {
  readonly messagesPerFact: number;
  /** The most facts that a run named as a break while their message was waiting. */
  readonly falselyNamed: number;
  /** From the cut-off on; undefined if the day did not balance. */
  readonly balancedAfterSeconds: number | undefined;
  /** When a break first named facts that nothing would settle any more. */
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
  /** The run that asked; if another one came after it, the request is void. */
  readonly after?: string;
  readonly attempt: number;
}

/** The code under test plans and concludes the runs; queue and books are only counted. */
interface Simulation {
  readonly load: BacklogLoad;
  readonly settings: RunSettings;
  readonly queue: ReturnType<typeof simulatedQueue>;
  readonly stagedAt: readonly string[];
  /** SQS counts approximately: five per cent too many or too few. */
  readonly approximately: (count: number) => number;
  readonly asked: Ask[];
  day: BusinessDay;
  lastRun?: string;
  interrupted?: InterruptedSends;
  now: number;
  runs: number;
  falselyNamed: number;
  namedAt?: number;
}

export function simulateBacklog(load: BacklogLoad): BacklogResult {
  const settings = settingsOf();
  const cutOff = cutOffOf(DATE, settings.calendar).getTime();
  const random = seededRandom(load.staged, 'counts');
  const stagedAt = Array.from({ length: 1000 }, (_, index) =>
    new Date(cutOff - (1 + index) * 60_000).toISOString(),
  );
  const simulation: Simulation = {
    load,
    settings,
    queue: simulatedQueue(load, settings),
    stagedAt,
    approximately: (count) => Math.round(count * (0.95 + random.next() / 10)),
    asked: [],
    day: dayOf(cutOff, stagedAt.at(-1) ?? ''),
    now: cutOff,
    runs: 0,
    falselyNamed: 0,
  };
  const { asked, queue } = simulation;
  const secondsAt = (at: number): number => (at - cutOff) / 1000;
  let tick = cutOff;
  while (simulation.day.status !== 'balanced' && secondsAt(simulation.now) < load.untilSeconds) {
    const next = asked.toSorted((one, other) => one.at - other.at)[0];
    if (next !== undefined && next.at < tick) {
      asked.splice(asked.indexOf(next), 1);
      pass(simulation, (next.at - simulation.now) / 1000);
      run(simulation, next);
    } else {
      pass(simulation, (tick - simulation.now) / 1000);
      tick =
        cutOff + (Math.floor(secondsAt(simulation.now) / SCHEDULE_SECONDS) + 1) * SCHEDULE_SECONDS * 1000;
      run(simulation, { at: simulation.now, trigger: 'schedule', attempt: 0 });
    }
  }
  const { day, falselyNamed, namedAt } = simulation;
  return {
    messagesPerFact: queue.sentCount() / load.staged,
    falselyNamed,
    balancedAfterSeconds: day.status === 'balanced' ? secondsAt(Date.parse(day.balancedAt)) : undefined,
    namedAfterSeconds: namedAt === undefined ? undefined : secondsAt(namedAt),
  };
}

function pass(simulation: Simulation, seconds: number): void {
  simulation.now += Math.max(0, seconds) * 1000;
  simulation.queue.settleUntil(simulation.now);
}

function run(simulation: Simulation, { trigger, after, attempt }: Ask): void {
  if (trigger === 'continue' && after !== simulation.lastRun) return;
  const { load, settings, queue, interrupted, approximately, asked } = simulation;
  simulation.runs += 1;
  const start: RunStart = {
    trigger,
    startedAt: new Date(simulation.now),
    ratesFound: false,
    waiting: approximately(queue.count()) + (load.others ?? 0),
    ...(interrupted && { interrupted }),
  };
  const plan = planRun(simulation.day, start, settings);
  const found = walk(simulation, plan, start.startedAt);
  if (found === undefined) return;
  const nothing = tallyOf(0);
  const { day, next } = conclude(
    simulation.day,
    { ...found, totals: {}, unstaged: nothing, mismatched: nothing, terminals: { count: 0, named: [] } },
    { ...start, endedAt: new Date(simulation.now), plan, attempt },
    settings,
  );
  const lastRun = `run-${simulation.runs}`;
  Object.assign(simulation, { day, lastRun });
  if (next === undefined) return;
  const at = simulation.now + next.delaySeconds * 1000;
  asked.push({ at, trigger: 'continue', after: lastRun, attempt: next.attempt });
}

/** @returns undefined if the run dies on the way */
function walk(
  simulation: Simulation,
  plan: ReturnType<typeof planRun>,
  startedAt: Date,
): { missing: Tally; overdue: Tally; sent: number } | undefined {
  const { load, queue, stagedAt } = simulation;
  let [missing, overdue, sent, named] = [0, 0, 0, 0];
  const toSend = plan.sends.all ? queue.unsettled() : 0;
  for (let from = 0; from < load.staged; from += PAGE_FACTS) {
    let sentNow = 0;
    for (let fact = from; fact < Math.min(load.staged, from + PAGE_FACTS); fact += 1) {
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
    pass(simulation, PAGE_FACTS / WALKED_PER_SECOND + sentNow / SENT_PER_SECOND);
    if (sentNow > 0) {
      const through = keyOf(from + PAGE_FACTS - 1);
      simulation.interrupted = { startedAt: startedAt.toISOString(), all: plan.sends.all, through };
    }
    if (simulation.runs <= (load.deaths ?? 0) && sent > toSend / 2) return undefined;
  }
  simulation.falselyNamed = Math.max(simulation.falselyNamed, named);
  if (overdue > 0) simulation.namedAt ??= simulation.now;
  return { missing: tallyOf(missing), overdue: tallyOf(overdue), sent };
}

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

export function measureBacklog(): readonly Figure[] {
  const load = { staged: 3_000_000, settledPerSecond: 200, untilSeconds: 2 * 86_400 };
  return [
    ...figuresOf('all goes well', simulateBacklog(load)),
    ...figuresOf(
      '1 in 1,000 lost, two runs die sending',
      simulateBacklog({ ...load, lostEvery: 1000, deaths: 2 }),
    ),
  ];
}

function figuresOf(name: string, result: BacklogResult): readonly Figure[] {
  // Settling alone takes 4.2 h.
  const hours = (result.balancedAfterSeconds ?? Infinity) / 3600;
  return [
    figure(`backlog, ${name}: messages per fact`, result.messagesPerFact, '', { atMost: 1.1 }),
    figure(`backlog, ${name}: named falsely`, result.falselyNamed, 'facts', { atMost: 0 }),
    figure(`backlog, ${name}: balanced after`, hours, 'h', { atMost: 5 }),
  ];
}
