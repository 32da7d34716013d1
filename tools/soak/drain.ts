import { setTimeout as wait } from 'node:timers/promises';
import { GetQueueAttributesCommand, type SQSClient } from '@aws-sdk/client-sqs';
import type { CallApi } from '../../cli/shared/api.ts';
import {
  missingCount,
  readBusinessDay,
  requestReconcile,
  stagedCount,
  type BusinessDay,
} from '../../cli/shared/business-day.ts';
import { reportTerminalTotals } from '../../cli/replay/terminal-totals.ts';
import type { Findings } from './findings.ts';
import type { SettlementBooks } from './settlement-books.ts';

/** A run that was killed keeps its date for as long as its function could have run; after that, the next request gets it. */
const ASK_AGAIN_SECONDS = 8;
const LOOK_AGAIN_MILLISECONDS = 1000;

export interface DrainOptions {
  /** How long it may take, all in all. */
  readonly timeoutSeconds: number;
  readonly findings: Findings;
  /** Sends what lies in dead-letter queues where it came from. */
  readonly redrive: () => Promise<unknown>;
}

/**
 * Lets the terminals report their totals, and reconciles every date of the client's books: past ones until they are
 * balanced, the open one until nothing is missing.
 *
 * @param openDate as the calendar has it now
 * @returns the days as they end
 */
export async function drainSettlement(
  options: DrainOptions & {
    readonly operator: CallApi;
    readonly gateway: CallApi;
    readonly books: SettlementBooks;
    readonly openDate: string;
  },
): Promise<Map<string, BusinessDay>> {
  const { operator, gateway, books, openDate, findings, redrive, timeoutSeconds } = options;
  const accepted = acceptedByDate(books);
  await reportTerminalTotals({
    totals: books.terminalTotals(),
    call: gateway,
    concurrency: 4,
    onReported: () => undefined,
  });
  // Totals are compared by runs: only what a run says that began after this counts.
  const reportedAt = new Date().toISOString();
  const days = new Map<string, BusinessDay>();
  const deadline = performance.now() + timeoutSeconds * 1000;
  let askedAt = -Infinity;
  for (;;) {
    const pending = [...accepted.keys()].filter((date) => !isDone(date));
    if (pending.length === 0) return days;
    if (performance.now() > deadline) {
      for (const date of pending) findings.add(unfinished(days.get(date)), date);
      return days;
    }
    if (performance.now() - askedAt > ASK_AGAIN_SECONDS * 1000) {
      await redrive();
      for (const date of pending) await requestReconcile(operator, date);
      askedAt = performance.now();
    }
    await wait(LOOK_AGAIN_MILLISECONDS);
    for (const date of pending) {
      const day = await readBusinessDay(operator, date);
      if (day !== undefined) days.set(date, day);
    }
  }

  function isDone(date: string): boolean {
    const day = days.get(date);
    if (day === undefined || (day.asOf ?? '') < reportedAt) return false;
    if (stagedCount(day) !== accepted.get(date) || missingCount(day) !== 0) return false;
    return day.status === 'balanced' || (date >= openDate && day.status === 'open');
  }
}

function unfinished(day: BusinessDay | undefined): string {
  if (day === undefined) return 'the API knows nothing of the date';
  return `not done in time: ${day.status}, staged ${stagedCount(day)}, without an outcome ${missingCount(day)}`;
}

/** How many transactions each date has; a date may have decisions alone. */
function acceptedByDate(books: SettlementBooks): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { businessDate, type } of books.facts.values()) {
    const isReview = type === 'release' || type === 'reject';
    counts.set(businessDate, (counts.get(businessDate) ?? 0) + (isReview ? 0 : 1));
  }
  return counts;
}

/** Waits until every message of the chat is seen and acknowledged, or waits for who is away. */
export async function drainChat(
  options: DrainOptions & { readonly outstanding: () => Promise<number> },
): Promise<void> {
  const { outstanding, ...rest } = options;
  await until({ ...rest, done: async () => (await outstanding()) === 0 }, async () =>
    rest.findings.add(`${await outstanding()} messages were not delivered in time`, 'chat'),
  );
}

/** Waits until nothing is left in queues: neither what waits, nor what a worker has in its hands. */
export async function drainQueues(
  options: DrainOptions & { readonly sqs: SQSClient; readonly queueUrls: readonly string[] },
): Promise<void> {
  const { sqs, queueUrls, ...rest } = options;
  const left = async (): Promise<number> => {
    let messages = 0;
    for (const QueueUrl of queueUrls) {
      const AttributeNames = [
        'ApproximateNumberOfMessages',
        'ApproximateNumberOfMessagesNotVisible',
        'ApproximateNumberOfMessagesDelayed',
      ] as const;
      const { Attributes = {} } = await sqs.send(
        new GetQueueAttributesCommand({ QueueUrl, AttributeNames: [...AttributeNames] }),
      );
      for (const name of AttributeNames) messages += Number(Attributes[name] ?? 0);
    }
    return messages;
  };
  await until({ ...rest, done: async () => (await left()) === 0 }, async () =>
    rest.findings.add(`${await left()} messages are left in the queues`, 'queues'),
  );
}

async function until(
  { timeoutSeconds, redrive, done }: DrainOptions & { readonly done: () => Promise<boolean> },
  late: () => Promise<void>,
): Promise<void> {
  const deadline = performance.now() + timeoutSeconds * 1000;
  while (!(await done())) {
    if (performance.now() > deadline) return late();
    await redrive();
    await wait(LOOK_AGAIN_MILLISECONDS);
  }
}
