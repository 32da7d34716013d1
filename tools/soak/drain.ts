import { SQS } from '@aws-sdk/client-sqs';
import type { CallApi } from '../../cli/shared/api.ts';
import {
  type BusinessDay,
  missingCount,
  readBusinessDay,
  requestReconcile,
  stagedCount,
} from '../../cli/shared/business-day.ts';
import { awsClientOptions, type Outputs } from '../../cli/shared/outputs.ts';
import { reportTerminalTotals } from '../../cli/replay/terminal-totals.ts';
import { depthsOf } from '../../cli/smoke/alarms.ts';
import { until } from '../harness/until.ts';
import type { SettlementBooks } from './books.ts';
import type { Findings, Tally } from './record.ts';

const PATIENCE = { seconds: 240, everyMilliseconds: 1000 };
/** A killed run keeps its date for as long as its function could have run. */
const ASK_AGAIN_SECONDS = 8;

export interface DrainOptions {
  readonly findings: Findings;
  /** Sends dead letters back to their queues. */
  readonly redrive: () => Promise<void>;
}

/** Past dates must be balanced; in the open one, nothing may be missing. */
export async function drainSettlement(
  options: DrainOptions & {
    readonly operator: CallApi;
    readonly gateway: CallApi;
    readonly books: SettlementBooks;
    readonly openDate: string;
  },
): Promise<ReadonlyMap<string, BusinessDay>> {
  const { operator, gateway, books, openDate, findings, redrive } = options;
  const accepted = acceptedByDate(books);
  const totals = books.terminalTotals();
  await reportTerminalTotals({ totals, call: gateway, concurrency: 4, onReported: () => undefined });
  // Only runs that begin after this compare all totals.
  const reportedAt = new Date().toISOString();
  const days = new Map<string, BusinessDay>();
  const isDone = (date: string): boolean => {
    const day = days.get(date);
    if (day === undefined || (day.asOf ?? '') < reportedAt) return false;
    if (stagedCount(day) !== accepted.get(date) || missingCount(day) !== 0) return false;
    return day.status === 'balanced' || (date >= openDate && day.status === 'open');
  };

  let pending = [...accepted.keys()];
  let askedAt = -Infinity;
  await until(async () => {
    if (performance.now() - askedAt > ASK_AGAIN_SECONDS * 1000) {
      await redrive();
      for (const date of pending) await requestReconcile(operator, date);
      askedAt = performance.now();
    }
    for (const date of pending) {
      const day = await readBusinessDay(operator, date);
      if (day !== undefined) days.set(date, day);
    }
    pending = pending.filter((date) => !isDone(date));
    return pending.length === 0;
  }, PATIENCE);
  for (const date of pending) findings.add(unfinished(days.get(date)), date);
  return days;
}

function unfinished(day: BusinessDay | undefined): string {
  if (day === undefined) return 'the API knows nothing of the date';
  return `not done in time: ${day.status}, staged ${stagedCount(day)}, without an outcome ${missingCount(day)}`;
}

/** A date may have decisions only. */
function acceptedByDate(books: SettlementBooks): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { businessDate, type } of books.facts.values()) {
    const isReview = type === 'release' || type === 'reject';
    counts.set(businessDate, (counts.get(businessDate) ?? 0) + (isReview ? 0 : 1));
  }
  return counts;
}

/** @param what is wrong with those that are left in the end */
export async function drainMessages(
  left: () => Promise<number>,
  where: string,
  what: string,
  { findings, redrive }: DrainOptions,
): Promise<void> {
  const isDrained = await until(async () => {
    if ((await left()) === 0) return true;
    await redrive();
    return false;
  }, PATIENCE);
  if (!isDrained) findings.add(`${await left()} messages ${what}`, where);
}

/** What an operator does at the alarm: redrives all dead-letter queues. */
export async function redriveAll(outputs: Outputs, redriven: Tally): Promise<void> {
  const found: Readonly<Record<string, string>> = {
    ...outputs.DuotempoCardSettlement,
    ...outputs.DuotempoChat,
  };
  // A pipe's dead letters come from no queue, so they cannot go back to one.
  const deadLetters = Object.entries(found).filter(
    ([key]) => key.endsWith('DeadLetterQueueUrl') && Object.hasOwn(found, key.replace('DeadLetter', '')),
  );
  const depths = await depthsOf(
    outputs,
    deadLetters.map(([, url]) => url),
  );
  const sqs = new SQS(awsClientOptions(outputs));
  for (const [key, url] of deadLetters) {
    const count = depths.get(url) ?? 0;
    if (count === 0) continue;
    await sqs.startMessageMoveTask({ SourceArn: found[key.replace(/Url$/, 'Arn')] });
    redriven.add(url.split('/').at(-1) ?? url, count);
  }
  sqs.destroy();
}
