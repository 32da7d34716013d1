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
 * A lease lets one run at a time walk a day's books. A run hands it over when its walk continues in another invocation,
 * and gives it back when it ends or fails. A run that finds it taken asks the holder to run again.
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

export interface Invocation {
  readonly requestId: string;
  readonly messageId: string;
  readonly remainingMilliseconds: () => number;
}

export interface BegunRun extends Pick<RunStart, 'trigger' | 'startedAt' | 'ratesFound'> {
  readonly day: BusinessDay;
  readonly attempt: number;
}

export type LeasedRun = BegunRun | { readonly day: BusinessDay; readonly run: string };

/** Clocks differ. */
const LEASE_MARGIN_SECONDS = 5;

/** How long a walk waits for its next invocation before another run may begin. */
const HAND_OVER_SECONDS = 300;

const ATTEMPTS = 5;

/** @returns undefined if there is nothing to do, or the holder will do it */
export async function takeLease(
  message: RunMessage | WalkMessage,
  invocation: Invocation,
  services: LeaseServices,
): Promise<LeasedRun | undefined> {
  if (message.kind === 'business-day') return beginRun(message, invocation, services);
  const { businessDate } = message;
  // A run may have died between its conclusion and its messages. Only its last message may repeat those.
  const again: RunMessage = { kind: 'business-day', businessDate, trigger: 'continue' };
  return (await takeUp(message, invocation, services)) ?? beginRun(again, invocation, services);
}

async function beginRun(
  { businessDate, trigger: asked, after, attempt = 0 }: RunMessage,
  invocation: Invocation,
  services: LeaseServices,
): Promise<BegunRun | undefined> {
  const { messageId } = invocation;
  // The holder may give the lease back before it can be asked.
  for (let tries = 0; tries < ATTEMPTS; tries++) {
    const now = services.now();
    const before = await services.days.read(businessDate);
    if (before === undefined && asked !== 'operator') return undefined;
    // The message's run concluded, but died before it sent what it had to.
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
    // Another run overtook this one, or its message came twice.
    if (trigger === 'continue') return undefined;
    if (await services.leases.requestRerun(businessDate, trigger, now)) return undefined;
  }
  throw new Error('The lease of the day could be neither taken nor left to its holder.');
}

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

export async function handOver(
  businessDate: BusinessDate,
  { run, part }: { readonly run: string; readonly part: number },
  { requestId: holder }: Invocation,
  services: LeaseServices,
): Promise<'handed over' | 'lost'> {
  const until = new Date(services.now().getTime() + HAND_OVER_SECONDS * 1000);
  return services.leases.handOver(businessDate, { holder, until }, { run, ticket: ticketOf(run, part) });
}

/** Lets the next run begin at once, and passes on requests for one. The failed run's own message comes again anyway. */
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
