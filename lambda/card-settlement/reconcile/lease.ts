import { logger } from '../../shared/log.ts';
import type { ReconcileMessage } from '../contract.ts';
import type { BusinessDate } from '../domain/business-date.ts';
import { isSealed, NOTHING_ASKED, noteSeal, seals, type BusinessDay } from '../domain/business-day.ts';
import { hasRate } from '../domain/fx.ts';
import type { RunSettings, RunStart } from '../domain/run-plan.ts';
import type { DaysTable } from '../store/business-days.ts';
import type { RatesTable } from '../store/fx-rates.ts';
import type { LeasesTable } from '../store/leases.ts';
import type { SendReconcileMessage } from '../store/reconcile-queue.ts';

/**
 * A day's lease: of the runs of one day, one at a time walks its books. A run takes the lease when it begins, hands it over
 * where its walk goes on in another invocation, and gives it back when it ends, however it ends. Whoever finds the lease
 * taken asks its holder to run again.
 */

export interface LeaseServices {
  readonly settings: RunSettings;
  readonly now: () => Date;
  readonly days: Pick<DaysTable, 'read'>;
  readonly rates: Pick<RatesTable, 'find'>;
  readonly leases: LeasesTable;
  readonly sendReconcileMessage: SendReconcileMessage;
}

export type RunMessage = Extract<ReconcileMessage, { kind: 'business-day' }>;
export type WalkMessage = Extract<ReconcileMessage, { kind: 'walk' }>;

/** The invocation that a run happens in. */
export interface Invocation {
  /** Lambda's id of it; while it works on a day, it is the holder of the day's lease. */
  readonly requestId: string;
  /** Of the message that asks for the run. */
  readonly messageId: string;
  readonly remainingMilliseconds: () => number;
}

/** A run that begins, with its day's lease. */
export interface BegunRun extends Pick<RunStart, 'trigger' | 'startedAt' | 'ratesFound'> {
  readonly day: BusinessDay;
  /** How often its series has waited. */
  readonly attempt: number;
}

/** A run that has its day's lease: one that begins, or whose walk goes on. */
export type LeasedRun = BegunRun | { readonly day: BusinessDay; readonly run: string };

/** The lease outlasts the function by this much, for clocks that differ. */
const LEASE_MARGIN_SECONDS = 5;

/** How long a walk waits for the invocation where it goes on, before another run may begin. */
const HAND_OVER_SECONDS = 300;

/** A rerun that finds the lease free meets another holder at most so often. */
const ATTEMPTS = 5;

/** Takes the lease for what a message asks. @returns undefined if there is nothing to do, or its holder is to do it */
export async function takeLease(
  message: RunMessage | WalkMessage,
  invocation: Invocation,
  services: LeaseServices,
): Promise<LeasedRun | undefined> {
  if (message.kind === 'business-day') return beginRun(message, invocation, services);
  const { businessDate } = message;
  // A run that ended between its conclusion and what it had to hand on runs again by its last message, and by no other.
  const again: RunMessage = { kind: 'business-day', businessDate, trigger: 'continue' };
  return (await takeUp(message, invocation, services)) ?? beginRun(again, invocation, services);
}

async function beginRun(
  { businessDate, trigger: asked, after, attempt = 0 }: RunMessage,
  invocation: Invocation,
  services: LeaseServices,
): Promise<BegunRun | undefined> {
  const { messageId } = invocation;
  // If the lease is taken, its holder is asked to run again; between the two, the holder may have given it back.
  for (let tries = 0; tries < ATTEMPTS; tries++) {
    const now = services.now();
    const before = await services.days.read(businessDate);
    if (before === undefined && asked !== 'operator') return undefined;
    // Its run ended between its conclusion and what it had to hand on: the message comes again for that.
    const unsent = before?.lastRun?.messageId === messageId ? before.lastRun.handedOn : undefined;
    const trigger = unsent === undefined || unsent === NOTHING_ASKED ? asked : unsent;
    const day = await services.leases.acquire(businessDate, {
      ...leaseOf(invocation, now),
      seal: seals(businessDate, before, trigger, now, services.settings.calendar),
      ...(trigger === 'continue' ? { goesOn: { after: after ?? '', messageId } } : {}),
      ratesFound: await areRatesFound(before, services),
    });
    if (day !== undefined) {
      if (!(before !== undefined && isSealed(before)) && isSealed(day))
        logger.info('day sealed', { businessDate });
      const ratesFound = before?.status === 'blocked' && day.status !== 'blocked';
      return { day: noteSeal(day, services.now()), trigger, startedAt: now, ratesFound, attempt };
    }
    // Another run has overtaken this one, or its message came twice: it is no longer needed.
    if (trigger === 'continue') return undefined;
    if (await services.leases.requestRerun(businessDate, trigger, now)) return undefined;
  }
  throw new Error('The lease of the day could be neither taken nor left to its holder.');
}

/** True if the rates that a day waits for are there. */
async function areRatesFound(day: BusinessDay | undefined, services: LeaseServices): Promise<boolean> {
  if (day?.status !== 'blocked') return false;
  const rates = await services.rates.find(day.businessDate);
  return rates !== undefined && day.ratesMissing.every((currency) => hasRate(rates, currency));
}

async function takeUp(
  { businessDate, run, part }: WalkMessage,
  invocation: Invocation,
  services: LeaseServices,
): Promise<LeasedRun | undefined> {
  const cutRun = { run, ticket: ticketOf(run, part) };
  const day = await services.leases.takeUp(businessDate, leaseOf(invocation, services.now()), cutRun);
  return day === undefined ? undefined : { day: noteSeal(day, services.now()), run };
}

/** Hands the lease over to the invocation where the next part of a walk goes on. */
export async function handOver(
  businessDate: BusinessDate,
  { run, part }: { readonly run: string; readonly part: number },
  { requestId: holder }: Invocation,
  services: LeaseServices,
): Promise<'handed over' | 'lost'> {
  const until = new Date(services.now().getTime() + HAND_OVER_SECONDS * 1000);
  return services.leases.handOver(businessDate, { holder, until }, { run, ticket: ticketOf(run, part) });
}

/**
 * Gives the lease of a run that failed back, so that the next run need not wait for its end; and passes on what asked for a
 * run meanwhile. The failed run's own message comes again after the visibility timeout, whatever becomes of this.
 */
export async function abandon(
  businessDate: BusinessDate,
  { requestId: holder }: Invocation,
  services: LeaseServices,
): Promise<void> {
  try {
    const released = await services.leases.release(businessDate, holder);
    if (released === 'lost' || released.rerun === undefined) return;
    await services.sendReconcileMessage({ kind: 'business-day', businessDate, trigger: released.rerun });
  } catch {
    logger.warn('lease not released', { businessDate });
  }
}

function ticketOf(run: string, part: number): string {
  return `${run}/${part}`;
}

function leaseOf({ requestId, remainingMilliseconds }: Invocation, now: Date) {
  const until = new Date(now.getTime() + remainingMilliseconds() + LEASE_MARGIN_SECONDS * 1000);
  return { holder: requestId, now, until };
}
