import { PermanentError } from '../../shared/batch.ts';
import { logger } from '../../shared/log.ts';
import { MOST_WALK_PARTS } from '../contract.ts';
import { addDays, businessDateOf, type BusinessDate } from '../domain/business-date.ts';
import type { BusinessDay } from '../domain/business-day.ts';
import { conclude } from '../domain/conclusion.ts';
import { RECONCILED_DAYS } from '../domain/retention.ts';
import { planRun } from '../domain/run-plan.ts';
import type { WalkState } from '../domain/walk-state.ts';
import type { SettlementQueue } from '../store/settlement-queue.ts';
import type { OpenWalk, WalksTable } from '../store/walks.ts';
import {
  abandon,
  handOver,
  takeLease,
  type BegunRun,
  type Invocation,
  type LeasedRun,
  type LeaseServices,
  type RunMessage,
  type WalkMessage,
} from './lease.ts';
import { reportRun } from './report.ts';
import { findingsOf, walk, type Books } from './walk.ts';

export interface RunServices extends LeaseServices {
  readonly books: Books;
  readonly settlementQueue: SettlementQueue;
  readonly walks: WalksTable;
}

/** A walk stops when this part of its time is left: saving it takes a few seconds. */
const RESERVED_TIME = 0.15;

/** A walk may take several invocations; they are one run. @throws PermanentError if the date has no books */
export async function reconcileBusinessDay(
  message: RunMessage | WalkMessage,
  invocation: Invocation,
  services: RunServices,
): Promise<void> {
  const open = businessDateOf(services.now(), services.settings.calendar);
  const { businessDate } = message;
  // A message of the last possible day may arrive on the next.
  if (businessDate > open || businessDate < addDays(open, -RECONCILED_DAYS - 1)) {
    throw new PermanentError('The message names a date that has no books.');
  }
  const isTimeUp = timeLimit(invocation);
  const leased = await takeLease(message, invocation, services);
  if (leased === undefined) return;
  const { day } = leased;
  const walked = await walkOn(leased, invocation, isTimeUp, services).catch(async (error: unknown) => {
    await abandon(businessDate, invocation, services);
    throw error;
  });
  if (walked.state.phase === 'done') await finish(day, walked, invocation, services);
  else await goOnElsewhere(businessDate, walked, invocation, services);
}

function timeLimit({ remainingMilliseconds }: Invocation): () => boolean {
  const reserved = remainingMilliseconds() * RESERVED_TIME;
  return () => remainingMilliseconds() < reserved;
}

async function walkOn(
  leased: LeasedRun,
  { requestId }: Invocation,
  isTimeUp: () => boolean,
  services: RunServices,
): Promise<OpenWalk> {
  const { day } = leased;
  const { businessDate } = day;
  const begun: Omit<OpenWalk, 'state'> & { readonly state?: WalkState } =
    'run' in leased
      ? await services.walks.load(businessDate, leased.run)
      : { run: requestId, part: 0, ...(await planned(leased, services)) };
  const { run: id, plan, startedAt } = begun;
  const sends = { startedAt, all: plan.sends.all };
  const state = await walk(
    { id, day, plan },
    begun.state,
    {
      books: services.books,
      send: services.settlementQueue.send,
      noteSends: async (through) => services.walks.noteSends(businessDate, { ...sends, through }),
    },
    isTimeUp,
  );
  return { ...begun, state };
}

async function planned(
  { day, attempt, ...begun }: BegunRun,
  services: RunServices,
): Promise<Pick<OpenWalk, 'startedAt' | 'attempt' | 'waiting' | 'plan'>> {
  const interrupted = await services.walks.notedSends(day.businessDate);
  const asked =
    day.sending === undefined ? {} : { waiting: await services.settlementQueue.messagesWaiting() };
  const start = { ...begun, ...asked, ...(interrupted === undefined ? {} : { interrupted }) };
  const plan = planRun(day, start, services.settings);
  return { startedAt: begun.startedAt.toISOString(), attempt, ...asked, plan };
}

async function goOnElsewhere(
  businessDate: BusinessDate,
  walked: OpenWalk,
  invocation: Invocation,
  services: RunServices,
): Promise<void> {
  const { run } = walked;
  const part = walked.part + 1;
  if (part > MOST_WALK_PARTS) throw new Error('The walk of the day does not end.');
  await services.walks.save(businessDate, { ...walked, part });
  if ((await handOver(businessDate, { run, part }, invocation, services)) === 'lost') {
    logger.warn('lease lost', { businessDate });
    return;
  }
  logger.info('walk goes on', { businessDate, run, part, through: walked.state.through });
  await services.sendReconcileMessage({ kind: 'walk', businessDate, run, part });
}

async function finish(
  day: BusinessDay,
  { run, startedAt, attempt, waiting, plan, state }: OpenWalk,
  { requestId: holder, messageId }: Invocation,
  services: RunServices,
): Promise<void> {
  const { businessDate } = day;
  const findings = findingsOf(state);
  const outcome = conclude(
    day,
    findings,
    {
      startedAt: new Date(startedAt),
      endedAt: services.now(),
      plan,
      attempt,
      ...(waiting === undefined ? {} : { waiting }),
    },
    services.settings,
  );
  const finished = await services.leases.finish(outcome.day, { holder, run, messageId });
  if (finished === 'lost') {
    logger.warn('lease lost', { businessDate });
    return;
  }
  reportRun(day, outcome.day, { sent: findings.sent, missing: findings.missing.count });
  if (finished.rerun !== undefined) {
    await services.sendReconcileMessage({ kind: 'business-day', businessDate, trigger: finished.rerun });
  } else if (outcome.next !== undefined) {
    const { delaySeconds, attempt: next } = outcome.next;
    await services.sendReconcileMessage(
      { kind: 'business-day', businessDate, trigger: 'continue', after: run, attempt: next },
      delaySeconds,
    );
  }
}
