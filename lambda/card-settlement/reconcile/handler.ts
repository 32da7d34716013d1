import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import type { Context, SQSEvent } from 'aws-lambda';
import * as v from 'valibot';
import { systemClock } from '../../shared/clock.ts';
import { createDynamoDbClient } from '../../shared/dynamodb.ts';
import { environmentVariable } from '../../shared/environment.ts';
import { logger } from '../../shared/log.ts';
import { PermanentError, parseJsonBody } from '../../shared/batch.ts';
import { environmentNames, metrics as metricNames, MOST_WALK_PARTS, ReconcileMessage } from '../contract.ts';
import { addDays, businessDateOf, type BusinessDate } from '../domain/business-date.ts';
import {
  conclude,
  NOTHING_ASKED,
  planRun,
  seals,
  statusOf,
  type BusinessDay,
  type InterruptedSends,
  type RunStart,
  type Trigger,
} from '../domain/business-day.ts';
import { isDue } from '../domain/later-walks.ts';
import { RECONCILED_DAYS } from '../domain/retention.ts';
import { hasRate } from '../domain/fx.ts';
import type { WalkState } from '../domain/walk-state.ts';
import { createSqsClient, reconcileQueueSender } from '../store/reconcile-queue.ts';
import { messagesWaiting, sendForSettlement } from '../store/settlement-queue.ts';
import { findingsOf, walk, type BookServices } from './walk.ts';
import { dayBody } from '../responses.ts';
import { runSettings } from '../settings.ts';
import * as days from '../store/business-days.ts';
import { findRates } from '../store/fx-rates.ts';
import { ledgerPagesOfDate } from '../store/ledger.ts';
import { writeMerchantTotals } from '../store/merchant-totals.ts';
import { stagedOfDate } from '../store/staged-transactions.ts';
import { terminalReportsOf } from '../store/terminal-totals.ts';
import * as walks from '../store/walks.ts';
import type { OpenWalk } from '../store/walks.ts';

const DAYS_PAGE = 100;
/** The lease outlasts the function by this much, for clocks that differ. */
const LEASE_MARGIN_SECONDS = 5;

/** How long a walk waits for the invocation where it goes on, before another run may begin. */
const HAND_OVER_SECONDS = 300;
/** A walk stops when this part of its invocation's time is left: to write down where it stands takes a few seconds. */
const RESERVED_TIME = 0.15;

type RunMessage = Extract<ReconcileMessage, { kind: 'business-day' }>;
type WalkMessage = Extract<ReconcileMessage, { kind: 'walk' }>;

/** The invocation that a run happens in. */
interface Invocation {
  readonly requestId: string;
  /** Of the message that asks for the run. */
  readonly messageId: string;
  readonly remainingMilliseconds: () => number;
}

/** Finds the days that are due, and asks for a run of each. */
export async function reconcileDueDays(
  services: Pick<Services, 'openDate' | 'now' | 'daysFrom' | 'sendReconcileMessage'>,
): Promise<void> {
  const open = services.openDate();
  const now = services.now();
  let count = 0;
  for await (const page of services.daysFrom(addDays(open, -RECONCILED_DAYS))) {
    for (const day of page) {
      const { businessDate } = day;
      // The schedule leaves the open day alone: only an operator's request settles before the cut-off.
      if (businessDate >= open || !isDue(day, now)) continue;
      await services.sendReconcileMessage({ kind: 'business-day', businessDate, trigger: 'schedule' });
      count += 1;
    }
  }
  logger.info('due days', { count });
  metrics.addMetric(metricNames.scheduleTicks, MetricUnit.Count, 1);
  metrics.publishStoredMetrics();
}

/**
 * One run of one day: take its lease, walk both books, send what the ledger lacks, write down what was found. A walk that
 * one invocation has no time for goes on in others, and is one run all the same.
 */
export async function reconcileBusinessDay(
  message: RunMessage | WalkMessage,
  invocation: Invocation,
  services: Services,
): Promise<void> {
  const open = services.openDate();
  const { businessDate } = message;
  // A message may be sent on the last day that it can be, and come on the next.
  if (businessDate > open || businessDate < addDays(open, -RECONCILED_DAYS - 1)) {
    throw new PermanentError('The message names a date that has no books.');
  }
  const isTimeUp = timeLimit(invocation);
  const leased =
    message.kind === 'walk'
      ? ((await takeUp(message, invocation, services)) ?? (await lease(again(message), invocation, services)))
      : await lease(message, invocation, services);
  if (leased === undefined) return;
  const { day } = leased;
  const walked = await walkOn(leased, invocation, isTimeUp, services).catch(async (error: unknown) => {
    await abandon(businessDate, invocation.requestId, services);
    throw error;
  });
  if (walked.state.phase === 'done') await finish(day, walked, invocation, services);
  else await cut(day, walked, invocation, services);
}

/** A run that ended between its conclusion and what it had to hand on runs again by its last message, and by no other. */
function again({ businessDate }: WalkMessage): RunMessage {
  return { kind: 'business-day', businessDate, trigger: 'continue' };
}

/** True once so little of the invocation's time is left that a walk must stop. */
function timeLimit({ remainingMilliseconds }: Invocation): () => boolean {
  const reserved = remainingMilliseconds() * RESERVED_TIME;
  return () => remainingMilliseconds() < reserved;
}

/** A run that has its day's lease: one that begins, or whose walk goes on. */
type Leased = { readonly day: BusinessDay } & (
  | (Pick<RunStart, 'trigger' | 'startedAt' | 'ratesFound'> & { readonly attempt: number })
  | { readonly run: string }
);

/** Walks as far as there is time. */
async function walkOn(
  leased: Leased,
  { requestId }: Invocation,
  isTimeUp: () => boolean,
  services: Services,
): Promise<OpenWalk> {
  const { day } = leased;
  const { businessDate } = day;
  const begun: Omit<OpenWalk, 'state'> & { readonly state?: WalkState } =
    'run' in leased
      ? await services.loadWalk(businessDate, leased.run)
      : { run: requestId, part: 0, ...(await planned(leased, services)) };
  const { run: id, plan, startedAt } = begun;
  const sends = { startedAt, all: plan.sends.all };
  const state = await walk(
    { id, day, plan },
    begun.state,
    {
      ...services.books,
      noteSends: async (through) => services.noteSends(businessDate, { ...sends, through }),
    },
    isTimeUp,
  );
  return { ...begun, state };
}

/** Settles what a run is going to do. */
async function planned(
  { day, attempt, ...begun }: Exclude<Leased, { readonly run: string }>,
  services: Services,
): Promise<Pick<OpenWalk, 'startedAt' | 'attempt' | 'waiting' | 'plan'>> {
  const interrupted = await services.notedSends(day.businessDate);
  // Before the first send nothing waits.
  const asked = day.resendAt === undefined ? {} : { waiting: await services.messagesWaiting() };
  const start = { ...begun, ...asked, ...(interrupted === undefined ? {} : { interrupted }) };
  const plan = planRun(day, start, services.settings);
  return { startedAt: begun.startedAt.toISOString(), attempt, ...asked, plan };
}

/** Hands a walk that is not done on to another invocation. */
async function cut(
  { businessDate }: BusinessDay,
  walked: OpenWalk,
  { requestId: holder }: Invocation,
  services: Services,
): Promise<void> {
  const { run } = walked;
  const part = walked.part + 1;
  if (part > MOST_WALK_PARTS) throw new Error('The walk of the day does not end.');
  await services.saveWalk(businessDate, { ...walked, part });
  const until = new Date(services.now().getTime() + HAND_OVER_SECONDS * 1000);
  const ticket = ticketOf(run, part);
  if ((await services.handOver(businessDate, { holder, until }, { run, ticket })) === 'lost') {
    logger.warn('lease lost', { businessDate });
    return;
  }
  logger.info('walk goes on', { businessDate, run, part, through: walked.state.through });
  await services.sendReconcileMessage({ kind: 'walk', businessDate, run, part });
}

async function takeUp(
  { businessDate, run, part }: WalkMessage,
  invocation: Invocation,
  services: Services,
): Promise<Leased | undefined> {
  const cutRun = { run, ticket: ticketOf(run, part) };
  const day = await services.takeUp(businessDate, leaseOf(invocation, services.now()), cutRun);
  return day === undefined ? undefined : { day: withSealSeen(day, services.now()), run };
}

/** The seal's wait counts from when a run knows of it, not from before the write: that one may have taken long. */
function withSealSeen(day: BusinessDay, now: Date): BusinessDay {
  return day.sealedAt === undefined ? day : { sealSeenAt: now.toISOString(), ...day };
}

function ticketOf(run: string, part: number): string {
  return `${run}/${part}`;
}

function leaseOf({ requestId, remainingMilliseconds }: Invocation, now: Date) {
  const until = new Date(now.getTime() + remainingMilliseconds() + LEASE_MARGIN_SECONDS * 1000);
  return { holder: requestId, now, until };
}

/** Draws the conclusion of a run whose walk is done, and asks for what comes next. */
async function finish(
  day: BusinessDay,
  { run, startedAt, attempt, waiting, plan, state }: OpenWalk,
  { requestId: holder, messageId }: Invocation,
  services: Services,
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
  const finished = await services.finishRun(outcome.day, { holder, run, messageId });
  if (finished === 'lost') {
    logger.warn('lease lost', { businessDate });
    return;
  }
  report(day, outcome.day, { sent: findings.sent, missing: findings.missing.count });
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

/**
 * Gives the lease of a run that failed back, so that whoever asks next need not wait for its end; and hands on what asked
 * for a run meanwhile. The run's own message comes again after the visibility timeout, whatever becomes of this.
 */
async function abandon(businessDate: BusinessDate, holder: string, services: Services): Promise<void> {
  try {
    const released = await services.releaseLease(businessDate, holder);
    if (released === 'lost' || released.rerun === undefined) return;
    await services.sendReconcileMessage({ kind: 'business-day', businessDate, trigger: released.rerun });
  } catch {
    logger.warn('lease not released', { businessDate });
  }
}

async function lease(
  { businessDate, trigger: asked, after, attempt: waited = 0 }: RunMessage,
  invocation: Invocation,
  services: Services,
): Promise<Leased | undefined> {
  const { messageId } = invocation;
  // Who cannot take the lease asks its holder to run again; between the two, the holder may have given it back.
  for (let attempt = 0; attempt < 5; attempt++) {
    const now = services.now();
    const before = await services.readDay(businessDate);
    if (before === undefined && asked !== 'operator') return undefined;
    // Its run ended between its conclusion and what it had to hand on: the message comes again for that.
    const unsent = before?.lastMessage === messageId ? before.handedOn : undefined;
    const trigger = unsent === undefined || unsent === NOTHING_ASKED ? asked : unsent;
    const seal = seals(before ?? { businessDate }, trigger, now, services.settings.calendar);
    const day = await services.acquireLease(businessDate, {
      ...leaseOf(invocation, now),
      seal,
      ...(trigger === 'continue' ? { goesOn: { after: after ?? '', messageId } } : {}),
      ratesFound:
        before?.ratesMissing !== undefined && (await services.ratesFound(businessDate, before.ratesMissing)),
    });
    if (day !== undefined) {
      if (before?.sealedAt === undefined && day.sealedAt !== undefined)
        logger.info('day sealed', { businessDate });
      const ratesFound = before?.ratesMissing !== undefined && day.ratesMissing === undefined;
      return { day: withSealSeen(day, services.now()), trigger, startedAt: now, ratesFound, attempt: waited };
    }
    // A run that others have overtaken, or whose message came twice, is of no more use.
    if (trigger === 'continue') return undefined;
    if (await services.requestRerun(businessDate, trigger, now)) return undefined;
  }
  throw new Error('The lease of the day could be neither taken nor left to its holder.');
}

// Its namespace is the stage's, and comes from the environment.
const metrics = new Metrics({ serviceName: 'reconcile-business-day' });

function report(
  before: BusinessDay,
  after: BusinessDay,
  run: { readonly sent: number; readonly missing: number },
): void {
  const { businessDate, revision } = after;
  const status = statusOf(after);
  logger.info('day reconciled', { businessDate, revision, status, ...run });
  if (status === 'balanced' && before.balancedAt === undefined) logger.info('day balanced', dayBody(after));
  if (status === 'blocked') logger.warn('day blocked', { businessDate, ratesMissing: after.ratesMissing });
  if (after.breaks.length > 0) {
    logger.error('breaks found', {
      businessDate,
      breaks: after.breaks.map(({ kind, subject, count }) => ({ kind, subject, count })),
    });
  }
  metrics.addMetric(metricNames.breaksFound, MetricUnit.Count, after.breaks.length);
  metrics.addMetric(metricNames.daysBlocked, MetricUnit.Count, status === 'blocked' ? 1 : 0);
  metrics.publishStoredMetrics();
}

interface Services {
  readonly settings: ReturnType<typeof runSettings>;
  readonly now: () => Date;
  readonly openDate: () => BusinessDate;
  /** All days there are from a date on, page by page. */
  readonly daysFrom: (from: BusinessDate) => AsyncIterable<readonly BusinessDay[]>;
  readonly readDay: (businessDate: BusinessDate) => Promise<BusinessDay | undefined>;
  readonly acquireLease: (
    businessDate: BusinessDate,
    request: days.LeaseRequest,
  ) => Promise<BusinessDay | undefined>;
  readonly requestRerun: (businessDate: BusinessDate, by: Trigger, now: Date) => Promise<boolean>;
  readonly finishRun: (day: BusinessDay, by: days.Concluding) => Promise<days.GivenBack>;
  readonly handOver: (
    businessDate: BusinessDate,
    from: { readonly holder: string; readonly until: Date },
    cutRun: days.CutRun,
  ) => Promise<'handed over' | 'lost'>;
  readonly takeUp: (
    businessDate: BusinessDate,
    lease: { readonly holder: string; readonly now: Date; readonly until: Date },
    cutRun: days.CutRun,
  ) => Promise<BusinessDay | undefined>;
  readonly saveWalk: (businessDate: BusinessDate, walk: OpenWalk) => Promise<void>;
  /** @throws Error if another run's walk has been saved since */
  readonly loadWalk: (businessDate: BusinessDate, run: string) => Promise<OpenWalk>;
  readonly releaseLease: (businessDate: BusinessDate, holder: string) => Promise<days.GivenBack>;
  readonly ratesFound: (businessDate: BusinessDate, currencies: readonly string[]) => Promise<boolean>;
  readonly sendReconcileMessage: ReturnType<typeof reconcileQueueSender>;
  /** Messages in the settlement queue, about. */
  readonly messagesWaiting: () => Promise<number>;
  readonly noteSends: (businessDate: BusinessDate, sends: InterruptedSends) => Promise<void>;
  readonly notedSends: (businessDate: BusinessDate) => Promise<InterruptedSends | undefined>;
  readonly books: Omit<BookServices, 'noteSends'>;
}

/** The function's ports, at the tables that its environment names. Who simulates gives clients and a clock. */
export function buildServices(
  client = createDynamoDbClient(),
  sqs = createSqsClient(),
  now: () => Date = systemClock,
): Services {
  const settings = runSettings();
  const daysTable = environmentVariable(environmentNames.businessDaysTable);
  const stagedTable = environmentVariable(environmentNames.stagedTransactionsTable);
  const ledgerTable = environmentVariable(environmentNames.ledgerTable);
  const settlementQueueUrl = environmentVariable(environmentNames.settlementQueueUrl);
  return {
    settings,
    now,
    openDate: () => businessDateOf(now(), settings.calendar),
    daysFrom: (from) => days.daysOf(client, daysTable, { from, newestFirst: true }, DAYS_PAGE),
    readDay: (businessDate) => days.readDay(client, daysTable, businessDate),
    acquireLease: (businessDate, request) => days.acquireLease(client, daysTable, businessDate, request),
    requestRerun: (businessDate, by, at) => days.requestRerun(client, daysTable, businessDate, by, at),
    finishRun: (day, by) => days.finishRun(client, daysTable, day, by),
    releaseLease: (businessDate, holder) => days.releaseLease(client, daysTable, businessDate, holder),
    handOver: (businessDate, from, run) => days.handOver(client, daysTable, businessDate, from, run),
    takeUp: (businessDate, asked, run) => days.takeUp(client, daysTable, businessDate, asked, run),
    saveWalk: (businessDate, saved) => walks.saveWalk(client, daysTable, businessDate, saved),
    loadWalk: (businessDate, run) => walks.loadWalk(client, daysTable, businessDate, run),
    ratesFound: async (businessDate, currencies) => {
      const rates = await findRates(client, daysTable, businessDate);
      return rates !== undefined && currencies.every((currency) => hasRate(rates, currency));
    },
    sendReconcileMessage: reconcileQueueSender(sqs, environmentVariable(environmentNames.reconcileQueueUrl)),
    messagesWaiting: () => messagesWaiting(sqs, settlementQueueUrl),
    noteSends: (businessDate, sends) => walks.noteSends(client, daysTable, businessDate, sends),
    notedSends: (businessDate) => walks.notedSends(client, daysTable, businessDate),
    books: {
      staged: (businessDate, after) => stagedOfDate(client, stagedTable, businessDate, after),
      ledger: (businessDate, after) => ledgerPagesOfDate(client, ledgerTable, businessDate, after),
      terminalReports: (businessDate) => terminalReportsOf(client, daysTable, businessDate),
      send: (factIds) => sendForSettlement(sqs, settlementQueueUrl, factIds),
      writeMerchantTotals: (day, totals) => writeMerchantTotals(client, daysTable, day, totals),
    },
  };
}

let services: Services | undefined;

/**
 * SQS event of one message. An error leaves the message in the queue: it comes again after the visibility timeout,
 * when the lease of the run that failed has ended.
 */
export async function handler(
  event: SQSEvent,
  context: Pick<Context, 'awsRequestId' | 'getRemainingTimeInMillis'>,
): Promise<void> {
  services ??= buildServices();
  logger.resetKeys();
  logger.appendKeys({ functionRequestId: context.awsRequestId });
  for (const record of event.Records) {
    const parsed = v.safeParse(ReconcileMessage, parseJsonBody(record));
    if (!parsed.success) throw new PermanentError('The message is no reconcile message.');
    const message = parsed.output;
    if (message.kind === 'due-days') await reconcileDueDays(services);
    else {
      await reconcileBusinessDay(
        message,
        {
          requestId: context.awsRequestId,
          messageId: record.messageId,
          remainingMilliseconds: () => context.getRemainingTimeInMillis(),
        },
        services,
      );
    }
  }
}
