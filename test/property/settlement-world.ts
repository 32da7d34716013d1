import { calendar, queues, tableNames } from './settlement-environment.ts';
import { ScanCommand } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import type { SQSBatchResponse } from 'aws-lambda';
import * as v from 'valibot';
import {
  cardIndexAttributes,
  ReconcileMessage,
  smallAmountIndexAttributes,
  stagedIndexAttributes,
  tables,
} from '../../lambda/card-settlement/contract.ts';
import {
  businessDateOf,
  cutOffOf,
  type BusinessDate,
} from '../../lambda/card-settlement/domain/business-date.ts';
import type { BusinessDay } from '../../lambda/card-settlement/domain/business-day.ts';
import type { FxRates } from '../../lambda/card-settlement/domain/fx.ts';
import type { Transaction } from '../../lambda/card-settlement/domain/transaction.ts';
import * as intake from '../../lambda/card-settlement/handlers/accept-transaction.ts';
import * as putRates from '../../lambda/card-settlement/handlers/put-fx-rates.ts';
import * as reconcile from '../../lambda/card-settlement/handlers/reconcile-business-day.ts';
import * as review from '../../lambda/card-settlement/handlers/review-transaction.ts';
import * as settlement from '../../lambda/card-settlement/handlers/settle-transactions.ts';
import { daysOf } from '../../lambda/card-settlement/tables/business-days.ts';
import type { HttpResponse } from '../../lambda/shared/http.ts';
import { Problem } from '../../lambda/shared/problem.ts';
import { httpRequest, sqsRecord } from '../unit/card-facts.ts';
import {
  drawFrom,
  simulatedAws,
  type Draw,
  type Ended,
  type Fault,
  type SentMessage,
} from './simulated-aws.ts';

/** What goes wrong in a world, in per cent of the messages and invocations that it may happen to. */
export interface Disorder {
  readonly seed: number;
  /** Settlement messages that never arrive. */
  readonly lossPercent: number;
  /** Messages and requests that come two or three times. */
  readonly duplicatePercent: number;
  /** Messages that come up to 15 minutes late. */
  readonly delayPercent: number;
  /** Invocations in which a write fails before or after its effect, or is sent twice; half of them die of it. */
  readonly faultPercent: number;
}

/** What the API answered: a 2xx, or the slug of a problem. */
export interface Answer {
  readonly status: number;
  readonly slug?: string;
  readonly body: Readonly<Record<string, unknown>>;
}

interface Message extends SentMessage {
  readonly id: string;
  visibleAt: number;
  receiveCount: number;
}

/** A function's execution environment: warm until it dies. */
interface Environment<S> {
  readonly services: () => S;
  readonly end: () => void;
}

export type World = Awaited<ReturnType<typeof settlementWorld>>;

const RUN_DUPLICATE_PERCENT = 5;
const SCHEDULE_MILLISECONDS = 15 * 60_000;

/**
 * The card half of the app, its functions and tables real, in a simulated time in which everything happens at once or
 * at the worst moment. Without disorder, messages come in order and in full batches, and nothing fails.
 *
 * @param scheduler overrides who goes next where several functions call at once
 */
export async function settlementWorld(
  startsAt: Date,
  disorder?: Disorder,
  options: { readonly scheduler?: Draw; readonly faultOf?: (invocation: number) => Fault | undefined } = {},
) {
  const draw = drawFrom(disorder?.seed ?? 0);
  const happens = (percent: number | undefined): boolean => percent !== undefined && draw(100) < percent;
  let clock = startsAt.getTime();
  const now = (): Date => new Date(clock);
  const messages: Message[] = [];
  let messageCount = 0;
  let invocationCount = 0;
  let deathCount = 0;
  /** Until then no date ends, and all that have ended are balanced. */
  let quietUntil = 0;
  const writes: number[] = [];

  const inOrder: Draw = () => 0;
  const aws = simulatedAws(
    options.scheduler ?? (disorder === undefined ? inOrder : draw),
    (message) => {
      const isSettlement = message.queueUrl === queues.settlement.queueUrl;
      // Each run asks for the next: every second one doubled would be a flood of runs, and show nothing more.
      const duplicatePercent = isSettlement ? disorder?.duplicatePercent : RUN_DUPLICATE_PERCENT;
      const copies = disorder !== undefined && happens(duplicatePercent) ? 2 + draw(2) : 1;
      for (let copy = 0; copy < copies; copy++) {
        if (isSettlement && happens(disorder?.lossPercent)) continue;
        const lateSeconds = happens(disorder?.delayPercent) ? draw(900) : 0;
        const visibleAt = clock + 100 + (message.delaySeconds + lateSeconds) * 1000;
        messages.push({ ...message, id: `m${(messageCount += 1)}`, visibleAt, receiveCount: 0 });
      }
    },
    () => (clock += 1 + (disorder === undefined ? 0 : draw(5))),
  );
  await createTables(aws.dynamoDb.createTable);

  const environments = {
    intake: environment(() => intake.buildServices(aws.client, now)),
    review: environment(() => review.buildServices(aws.client, now)),
    rates: environment(() => putRates.buildServices(aws.client, aws.sqs, now)),
    reconcile: environment(() => reconcile.buildServices(aws.client, aws.sqs, now)),
    settlement: environment(() => settlement.buildServices(aws.client, now)),
  };

  function faultOfInvocation(): Fault | undefined {
    const invocation = invocationCount;
    invocationCount += 1;
    if (options.faultOf !== undefined) return options.faultOf(invocation);
    if (!happens(disorder?.faultPercent)) return undefined;
    const effect = (['before', 'after', 'again'] as const)[draw(3)] ?? 'before';
    return { atWrite: draw(5), effect, dies: draw(2) === 0 };
  }

  async function invoke<S, T>(of: Environment<S>, run: (services: S) => Promise<T>): Promise<Ended<T>> {
    const ended = await aws.invoke(() => run(of.services()), faultOfInvocation());
    writes.push(ended.writes);
    if (ended.outcome === 'failed' && ended.died) {
      deathCount += 1;
      of.end();
    }
    return ended;
  }

  /** Asks as a client does: again, with the same key, until there is an answer; and now and then once more. */
  async function ask<S>(of: Environment<S>, handle: (services: S) => Promise<HttpResponse>): Promise<Answer> {
    for (let attempt = 0; attempt < 20; attempt++) {
      const answer = answerOf(await invoke(of, handle));
      if (answer !== undefined && !happens(disorder?.duplicatePercent)) return answer;
      clock += 500;
    }
    throw new Error('The client gave up.');
  }

  /** One batch of a queue, taken off it: what a poller would have. */
  function receive(): Message[] {
    const due = messages.filter(({ visibleAt }) => visibleAt <= clock);
    const first = disorder === undefined ? earliest(due) : due[draw(Math.max(1, due.length))];
    if (first === undefined) return [];
    const batch = [first];
    messages.splice(messages.indexOf(first), 1);
    const { queueUrl, windowSeconds, batchSize } = queues.settlement;
    if (first.queueUrl !== queueUrl) return batch;
    const size = disorder === undefined ? batchSize : 1 + draw(batchSize);
    const mates = messages.filter(
      (message) => message.queueUrl === queueUrl && message.visibleAt <= clock + windowSeconds * 1000,
    );
    while (batch.length < size && mates.length > 0) {
      const next = disorder === undefined ? earliest(mates) : mates[draw(mates.length)];
      if (next === undefined) break;
      mates.splice(mates.indexOf(next), 1);
      messages.splice(messages.indexOf(next), 1);
      batch.push(next);
    }
    clock = Math.max(clock, ...batch.map(({ visibleAt }) => visibleAt));
    return batch;
  }

  async function work(batch: readonly Message[]): Promise<void> {
    const [first] = batch;
    if (first === undefined) return;
    const isSettlement = first.queueUrl === queues.settlement.queueUrl;
    const { visibilityTimeoutSeconds, maxReceiveCount } = isSettlement ? queues.settlement : queues.reconcile;
    const visibleAgainAt = clock + visibilityTimeoutSeconds * 1000;
    const failed = await (isSettlement ? settleMessages(batch) : runMessage(first));
    for (const message of batch) {
      if (failed !== 'all' && !failed.has(message.id)) continue;
      message.receiveCount += 1;
      message.visibleAt = visibleAgainAt;
      // Beyond, it is in the dead-letter queue, and the run that finds its fact missing sends another.
      if (message.receiveCount < maxReceiveCount) messages.push(message);
    }
  }

  async function settleMessages(batch: readonly Message[]): Promise<ReadonlySet<string> | 'all'> {
    const records = batch.map(({ id, body }) => sqsRecord(id, body));
    const ended: Ended<SQSBatchResponse> = await invoke(environments.settlement, (services) =>
      settlement.settleBatch(records, services),
    );
    if (ended.outcome === 'failed') return 'all';
    return new Set(ended.value.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
  }

  async function runMessage({ body }: Message): Promise<ReadonlySet<string> | 'all'> {
    const message = v.parse(ReconcileMessage, JSON.parse(body));
    const requestId = `run-${invocationCount}`;
    const remainingMilliseconds = queues.reconcile.timeoutSeconds * 1000;
    const ended = await invoke(environments.reconcile, (services) =>
      message.kind === 'due-days'
        ? reconcile.reconcileDueDays(services)
        : reconcile.reconcileBusinessDay(message, { requestId, remainingMilliseconds }, services),
    );
    return ended.outcome === 'failed' ? 'all' : new Set();
  }

  /** What is due now, as one invocation, or as several at once. */
  async function deliver(): Promise<void> {
    const most = disorder === undefined ? 1 : 1 + draw(3);
    await Promise.all(Array.from({ length: most }, () => receive()).map(work));
  }

  function sendToReconcile(message: ReconcileMessage): void {
    const visibleAt = clock + 100;
    messages.push({
      id: `m${(messageCount += 1)}`,
      queueUrl: queues.reconcile.queueUrl,
      body: JSON.stringify(message),
      delaySeconds: 0,
      visibleAt,
      receiveCount: 0,
    });
  }

  async function days(): Promise<BusinessDay[]> {
    const all: BusinessDay[] = [];
    const range = { newestFirst: false };
    for await (const page of daysOf(aws.client, tableNames.businessDays, range, 100)) all.push(...page);
    return all;
  }

  /** Dates that have ended and are not balanced. */
  async function unbalanced(): Promise<BusinessDate[]> {
    const open = businessDateOf(now(), calendar);
    return (await days())
      .filter((day) => day.businessDate < open && day.balancedAt === undefined)
      .map(({ businessDate }) => businessDate);
  }

  /** Lets time pass, with all that happens until then. */
  async function advance(to: number): Promise<void> {
    for (let steps = 0; ; steps++) {
      if (steps > 20_000) throw new Error('The world does not come to rest.');
      const message = earliest(messages)?.visibleAt ?? Number.POSITIVE_INFINITY;
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
    /** How many writes each invocation began, in the order in which they ended. */
    writes,
    /** How many invocations died of a fault. */
    deathCount: () => deathCount,
    /** Does something while what is due is delivered. */
    meanwhile: async <T>(act: () => Promise<T>): Promise<T> => {
      const [result] = await Promise.all([act(), disorder === undefined ? undefined : deliver()]);
      return result;
    },
    post: (transaction: Transaction, idempotencyKey: string) =>
      ask(environments.intake, (services) =>
        intake.acceptTransaction(
          httpRequest({
            headers: { 'idempotency-key': idempotencyKey },
            body: JSON.stringify(transaction),
          }),
          services,
        ),
      ),
    review: (transactionId: string, type: 'release' | 'reject', reason: string) =>
      ask(environments.review, (services) =>
        review.review(
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
        putRates.putFxRates(httpRequest({ path: { businessDate }, body: JSON.stringify(rates) }), services),
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
      while (messages.length > 0 || (await unbalanced()).length > 0) {
        if (clock > deadline) throw new Error(`Not balanced within eight hours: ${String(await unbalanced())}`);
        await advance(clock + 5 * 60_000);
      }
    },
    /** All items of a table, as plain records. */
    scan: async (table: keyof typeof tableNames): Promise<Readonly<Record<string, unknown>>[]> => {
      const request = new ScanCommand({ TableName: tableNames[table] });
      const { Items: items = [], LastEvaluatedKey: lastKey } = await aws.client.send(request);
      if (lastKey !== undefined) throw new Error('The table is too large to be read at once.');
      return items.map((item) => unmarshall(item));
    },
  };
}

function environment<S>(build: () => S): Environment<S> {
  let warm: S | undefined;
  return { services: () => (warm ??= build()), end: () => (warm = undefined) };
}

function earliest(messages: readonly Message[]): Message | undefined {
  return messages.reduce<Message | undefined>(
    (first, each) => (first === undefined || each.visibleAt < first.visibleAt ? each : first),
    undefined,
  );
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

async function createTables(
  createTable: ReturnType<typeof simulatedAws>['dynamoDb']['createTable'],
): Promise<void> {
  const { partitionKey, byBusinessDate, byCard, bySmallAmount } = tables.stagedTransactions;
  const indexes = [
    { ...byBusinessDate, attributes: stagedIndexAttributes },
    { ...byCard, attributes: cardIndexAttributes },
    { ...bySmallAmount, attributes: smallAmountIndexAttributes },
  ];
  await createTable({
    ...tableOf(
      tableNames.staged,
      [partitionKey],
      indexes.flatMap((index) => [index.partitionKey, index.sortKey]),
    ),
    GlobalSecondaryIndexes: indexes.map((index) => ({
      IndexName: index.name,
      KeySchema: keySchema([index.partitionKey, index.sortKey]),
      Projection: { ProjectionType: 'INCLUDE', NonKeyAttributes: [...index.attributes] },
    })),
  });
  for (const [name, keys] of [
    [tableNames.ledger, tables.ledger],
    [tableNames.businessDays, tables.businessDays],
    [tableNames.merchants, tables.merchants],
  ] as const) {
    await createTable(tableOf(name, [keys.partitionKey, keys.sortKey]));
  }
}

function tableOf(name: string, keys: readonly string[], indexKeys: readonly string[] = []) {
  return {
    TableName: name,
    BillingMode: 'PAY_PER_REQUEST',
    KeySchema: keySchema(keys),
    AttributeDefinitions: [...new Set([...keys, ...indexKeys])].map((AttributeName) => ({
      AttributeName,
      AttributeType: 'S',
    })),
  };
}

function keySchema(keys: readonly string[]) {
  return keys.map((AttributeName, index) => ({ AttributeName, KeyType: index === 0 ? 'HASH' : 'RANGE' }));
}
