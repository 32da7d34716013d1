import { calendar, queues, tableNames } from './environment.ts';
import { ScanCommand } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import type { SQSBatchResponse } from 'aws-lambda';
import * as v from 'valibot';
import { ReconcileMessage } from '../../../lambda/card-settlement/contract.ts';
import {
  businessDateOf,
  cutOffOf,
  type BusinessDate,
} from '../../../lambda/card-settlement/domain/business-date.ts';
import type { BusinessDay } from '../../../lambda/card-settlement/domain/business-day.ts';
import type { FxRates } from '../../../lambda/card-settlement/domain/fx.ts';
import type { Transaction } from '../../../lambda/card-settlement/domain/transaction.ts';
import { acceptTransaction } from '../../../lambda/card-settlement/intake/handler.ts';
import * as intake from '../../../lambda/card-settlement/intake/services.ts';
import { putFxRates } from '../../../lambda/card-settlement/rates/handler.ts';
import * as fxRates from '../../../lambda/card-settlement/rates/services.ts';
import { reconcileDueDays } from '../../../lambda/card-settlement/reconcile/due-days.ts';
import { reconcileBusinessDay } from '../../../lambda/card-settlement/reconcile/run.ts';
import * as reconcile from '../../../lambda/card-settlement/reconcile/services.ts';
import { review as reviewTransaction } from '../../../lambda/card-settlement/review/handler.ts';
import * as review from '../../../lambda/card-settlement/review/services.ts';
import * as settlement from '../../../lambda/card-settlement/settle/services.ts';
import { settleBatch } from '../../../lambda/card-settlement/settle/settle-batch.ts';
import { daysTable } from '../../../lambda/card-settlement/store/business-days.ts';
import type { HttpResponse } from '../../../lambda/shared/http.ts';
import { Problem } from '../../../lambda/shared/problem.ts';
import { httpRequest, sqsRecord } from './facts.ts';
import { drawFrom, inBursts, type Draw } from '../draw.ts';
import { simulatedAws, type Ended, type Fault } from '../aws.ts';
import { simulatedFunctions, environment, type Environment } from '../functions.ts';
import { createLog, timed, type Log } from '../log.ts';
import { simulatedQueues, type Disorder, type Message, type SimulatedQueue } from '../queues.ts';
import { createTables } from './tables.ts';

/** What the API answered: a 2xx, or the slug of a problem. */
export interface Answer {
  readonly status: number;
  readonly slug?: string;
  readonly body: Readonly<Record<string, unknown>>;
}

export type World = Awaited<ReturnType<typeof settlementWorld>>;

/** Each run asks for the next: every second one doubled would be a flood of runs, and show nothing more. */
const RUN_DUPLICATE_PERCENT = 5;

/** The run that finds a fact missing sends its message again. */
const QUEUES: readonly SimulatedQueue[] = [
  { ...queues.settlement, mayLose: true },
  { ...queues.reconcile, mayLose: false, mostDuplicatePercent: RUN_DUPLICATE_PERCENT },
];

const inOrder: Draw = () => 0;

const SCHEDULE_MILLISECONDS = 15 * 60_000;
/** Lambda stops a function that is invoked in a chain of more. [lambda/latest/dg/invocation-recursion] */
const MOST_HOPS = 16;

/**
 * The card half of the app, its functions and tables real, in a simulated time in which everything happens at once or
 * at the worst moment. Without disorder, messages come in order and in full batches, and nothing fails.
 *
 * @param scheduler overrides who goes next where several functions call at once
 */
export async function settlementWorld(
  startsAt: Date,
  disorder?: Disorder,
  options: {
    readonly scheduler?: Draw;
    readonly faultOf?: (invocation: number) => Fault | undefined;
    readonly pagesOf?: () => number;
    /** True if Lambda stops recursive loops, as it does unless a function allows them. */
    readonly stopsLoops?: boolean;
    readonly log?: Log;
  } = {},
) {
  const draw = drawFrom(disorder?.seed ?? 0);
  const happens = (percent: number | undefined): boolean => percent !== undefined && draw(100) < percent;
  let clock = startsAt.getTime();
  const now = (): Date => new Date(clock);
  const log = timed(options.log ?? createLog(), now);
  const waiting = simulatedQueues(QUEUES, () => clock, draw, disorder, log);
  /** Until then no date ends, and all that have ended are balanced. */
  let quietUntil = 0;
  const deadLetters: string[] = [];

  const aws = simulatedAws(
    options.scheduler ?? (disorder === undefined ? inOrder : inBursts(draw, disorder.burstPercent)),
    (message) => waiting.accept(message),
    (queueUrl) => waiting.waiting(queueUrl),
    { onCall: () => (clock += 1 + (disorder === undefined ? 0 : draw(5))), log },
  );
  await createTables(aws);

  const environments = {
    intake: environment('intake', () => intake.buildServices(aws.client, now)),
    review: environment('review', () => review.buildServices(aws.client, now)),
    rates: environment('rates', () => fxRates.buildServices(aws.client, aws.sqs, now)),
    reconcile: environment('reconcile', () => reconcile.buildServices(aws.client, aws.sqs, now)),
    settlement: environment('settlement', () => settlement.buildServices(aws.client, now)),
  };

  const { invoke, invocationCount, writes, deathCount } = simulatedFunctions(
    aws,
    draw,
    disorder,
    options.faultOf,
  );

  /** Asks as a client does: again, with the same key, until there is an answer; and now and then once more. */
  async function ask<S>(of: Environment<S>, handle: (services: S) => Promise<HttpResponse>): Promise<Answer> {
    for (let attempt = 0; attempt < 20; attempt++) {
      const answer = answerOf(await invoke(of, handle));
      if (answer !== undefined && !happens(disorder?.duplicatePercent)) return answer;
      clock += 500;
    }
    throw new Error('The client gave up.');
  }

  async function work(batch: readonly Message[]): Promise<void> {
    const [first] = batch;
    if (first === undefined) return;
    const takenAt = (clock = Math.max(clock, ...batch.map(({ visibleAt }) => visibleAt)));
    const isSettlement = first.queueUrl === queues.settlement.queueUrl;
    const failed = await (isSettlement ? settleMessages(batch) : runMessage(first));
    waiting.giveBack(
      batch.filter(({ id }) => failed === 'all' || failed.has(id)),
      takenAt,
    );
  }

  async function settleMessages(batch: readonly Message[]): Promise<ReadonlySet<string> | 'all'> {
    const records = batch.map(({ id, body }) => sqsRecord(id, body));
    const ended: Ended<SQSBatchResponse> = await invoke(environments.settlement, (services) =>
      settleBatch(records, services),
    );
    if (ended.outcome === 'failed') return 'all';
    return new Set(ended.value.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
  }

  async function runMessage({
    id: messageId,
    body,
    hops = 0,
  }: Message): Promise<ReadonlySet<string> | 'all'> {
    const message = v.parse(ReconcileMessage, JSON.parse(body));
    const requestId = `run-${invocationCount()}`;
    const pages =
      options.pagesOf?.() ?? (happens(disorder?.cutPercent) ? 1 + draw(3) : Number.POSITIVE_INFINITY);
    const remainingMilliseconds = timeOf(clock, pages);
    if (options.stopsLoops === true && hops > MOST_HOPS) {
      deadLetters.push(body);
      return new Set();
    }
    const ended = await invoke(
      environments.reconcile,
      (services) =>
        message.kind === 'due-days'
          ? reconcileDueDays(services)
          : reconcileBusinessDay(message, { requestId, messageId, remainingMilliseconds }, services),
      hops,
    );
    return ended.outcome === 'failed' ? 'all' : new Set();
  }

  /** What is due now, as one invocation, or as several at once. */
  async function deliver(): Promise<void> {
    const most = disorder === undefined ? 1 : 1 + draw(3);
    await Promise.all(Array.from({ length: most }, () => waiting.receive()).map(work));
  }

  /** How much of an invocation's time is left: by the clock, or, where walks are to be cut, for so many pages. */
  function timeOf(startedAt: number, pages: number): () => number {
    const wholeMilliseconds = queues.reconcile.timeoutSeconds * 1000;
    let asked = 0;
    return () => {
      // It is asked twice before the first page.
      if (asked++ > pages + 1) return 0;
      return Math.max(0, startedAt + wholeMilliseconds - clock);
    };
  }

  function sendToReconcile(message: ReconcileMessage): void {
    const { queueUrl } = queues.reconcile;
    waiting.accept({ queueUrl, body: JSON.stringify(message), delaySeconds: 0 });
  }

  async function days(): Promise<BusinessDay[]> {
    const all: BusinessDay[] = [];
    const range = { newestFirst: false };
    const table = daysTable(aws.client, tableNames.businessDays);
    for await (const page of table.pagesOf(range, 100)) all.push(...page);
    return all;
  }

  async function unbalanced(): Promise<BusinessDate[]> {
    const open = businessDateOf(now(), calendar);
    return (await days())
      .filter((day) => day.businessDate < open && day.status !== 'balanced')
      .map(({ businessDate }) => businessDate);
  }

  async function advance(to: number): Promise<void> {
    for (let steps = 0; ; steps++) {
      if (steps > 20_000) throw new Error('The world does not come to rest.');
      const message = waiting.nextAt();
      const tick = Math.max(
        quietUntil,
        (Math.floor(clock / SCHEDULE_MILLISECONDS) + 1) * SCHEDULE_MILLISECONDS,
      );
      if (Math.min(message, tick) > to) break;
      if (tick <= message) {
        clock = tick;
        // The schedule always rings; runs of days that are balanced would find what the last ones found.
        if ((await unbalanced()).length > 0) sendToReconcile({ kind: 'due-days' });
        else quietUntil = cutOffOf(businessDateOf(now(), calendar), calendar).getTime();
      } else {
        clock = Math.max(clock, message);
        await deliver();
      }
    }
    clock = Math.max(clock, to);
  }

  return {
    aws,
    now,
    advance,
    environments,
    invoke,
    days,
    writes,
    /** What ended in the dead-letter queue of the reconcile queue as a loop. */
    deadLetters,
    /** How many invocations died of a fault. */
    deathCount,
    /** Does something while what is due is delivered. */
    meanwhile: async <T>(act: () => Promise<T>): Promise<T> => {
      const [result] = await Promise.all([act(), disorder === undefined ? undefined : deliver()]);
      return result;
    },
    /** Lets time pass, and nothing else happen. */
    skip: (milliseconds: number): void => {
      clock += milliseconds;
    },
    post: (transaction: Transaction, idempotencyKey: string) =>
      ask(environments.intake, (services) =>
        acceptTransaction(
          httpRequest({
            headers: { 'idempotency-key': idempotencyKey },
            body: JSON.stringify(transaction),
          }),
          services,
        ),
      ),
    review: (transactionId: string, type: 'release' | 'reject', reason: string) =>
      ask(environments.review, (services) =>
        reviewTransaction(
          httpRequest({
            routeKey: `POST /transactions/{transactionId}/${type}`,
            path: { transactionId },
            caller: { clientId: 'operator-client', scopes: ['duotempo/settlement.operate'] },
            body: JSON.stringify({ reason }),
          }),
          services,
        ),
      ),
    putRates: (businessDate: BusinessDate, rates: FxRates) =>
      ask(environments.rates, (services) =>
        putFxRates(httpRequest({ path: { businessDate }, body: JSON.stringify(rates) }), services),
      ),
    requestReconcile: (businessDate: BusinessDate) =>
      sendToReconcile({ kind: 'business-day', businessDate, trigger: 'operator' }),
    /** The schedule's message, which also has balanced days of the last 48 hours walked again. */
    remind: () => {
      quietUntil = 0;
      sendToReconcile({ kind: 'due-days' });
    },
    /** Lets time pass until every date that has ended is balanced, and no message is left. */
    settleDown: async () => {
      const deadline = clock + 8 * 3_600_000;
      while (waiting.nextAt() < Number.POSITIVE_INFINITY || (await unbalanced()).length > 0) {
        if (clock > deadline)
          throw new Error(`Not balanced within eight hours: ${String(await unbalanced())}`);
        await advance(clock + 5 * 60_000);
      }
    },
    scan: async (table: keyof typeof tableNames): Promise<Readonly<Record<string, unknown>>[]> => {
      const request = new ScanCommand({ TableName: tableNames[table] });
      const { Items: items = [], LastEvaluatedKey: lastKey } = await aws.client.send(request);
      if (lastKey !== undefined) throw new Error('The table is too large to be read at once.');
      return items.map((item) => unmarshall(item));
    },
  };
}

/** Undefined where a client gets none, or a 5xx: it asks again. */
function answerOf(ended: Ended<HttpResponse>): Answer | undefined {
  if (ended.outcome === 'answered') {
    return {
      status: ended.value.status,
      body: v.parse(v.record(v.string(), v.unknown()), ended.value.body ?? {}),
    };
  }
  const { error, died } = ended;
  return error instanceof Problem && !died ? { status: error.status, slug: error.slug, body: {} } : undefined;
}
