import type { SQSBatchResponse, SQSRecord } from 'aws-lambda';
import * as v from 'valibot';
import { batchResponse, parseJsonBody, PermanentError, type RecordFailure } from '../../shared/batch.ts';
import { logger } from '../../shared/log.ts';
import { SettlementMessage } from '../contract.ts';
import type { AnyStagedFact } from '../domain/decision.ts';
import type { Assessment } from '../domain/settlement.ts';
import type { StagedTable } from '../store/staged-transactions.ts';
import type { AssessBatch } from './assess.ts';
import { originalsOf, perform, taskOf, type SettlementServices, type Task } from './settle-fact.ts';

export interface BatchServices extends SettlementServices {
  readonly staged: Pick<StagedTable, 'getMany'>;
  readonly assess: AssessBatch;
}

type Work = { readonly record: SQSRecord } & Task;

/** Each effect is one conditional write, so repeated or simultaneous messages do nothing more. */
export async function settleBatch(
  records: readonly SQSRecord[],
  services: BatchServices,
): Promise<SQSBatchResponse> {
  const startedAt = performance.now();
  const { work, failures } = await readWork(records, services);
  const assessmentOf = await assessEach(work, services);
  const batchServices = {
    ...services,
    merchants: {
      profileOn: once(services.merchants.profileOn, (merchantId, date) => `${date}#${merchantId}`),
    },
    days: { markRatesMissing: once(services.days.markRatesMissing, (businessDate) => businessDate) },
  };
  const outcomes = await Promise.all(
    work.map(async ({ record, ...task }) => {
      try {
        return await perform(task, assessmentOf, batchServices);
      } catch (error) {
        failures.push({ record, error, about: namesOf(task.fact) });
        return 'failed' as const;
      }
    }),
  );
  const count = (outcome: (typeof outcomes)[number]) => outcomes.filter((each) => each === outcome).length;
  logger.info('batch settled', {
    count: records.length,
    settled: count('settled'),
    held: count('held'),
    decided: count('decided'),
    known: count('known'),
    blocked: count('blocked'),
    failed: failures.length,
    facts: work.map(({ fact }, index) => ({ ...namesOf(fact), outcome: outcomes[index] })),
    milliseconds: Math.round(performance.now() - startedAt),
  });
  return batchResponse(failures);
}

/** @returns a function that throws for a fact that could not be assessed */
async function assessEach(
  work: readonly Work[],
  services: BatchServices,
): Promise<(factId: string) => Assessment> {
  const { assessments, failures } = await services.assess(
    work.flatMap((task) =>
      task.kind === 'transaction' ? [task.fact] : task.kind === 'reversal' ? [task.sale] : [],
    ),
  );
  return (factId) => {
    const assessment = assessments.get(factId);
    if (assessment === undefined) throw failures.get(factId);
    return assessment;
  };
}

function once<A extends readonly unknown[], T>(
  ask: (...args: A) => Promise<T>,
  keyOf: (...args: A) => string,
): (...args: A) => Promise<T> {
  const asked = new Map<string, Promise<T>>();
  return async (...args) => {
    const key = keyOf(...args);
    const answer = asked.get(key) ?? ask(...args);
    asked.set(key, answer);
    return answer;
  };
}

function namesOf({ factId, requestId }: AnyStagedFact): NonNullable<RecordFailure['about']> {
  return { factId, requestId };
}

async function readWork(
  records: readonly SQSRecord[],
  services: BatchServices,
): Promise<{ readonly work: Work[]; readonly failures: RecordFailure[] }> {
  const failures: RecordFailure[] = [];
  const wanted: { readonly record: SQSRecord; readonly factId: string }[] = [];
  for (const record of records) {
    try {
      const parsed = v.safeParse(SettlementMessage, parseJsonBody(record));
      if (!parsed.success) throw new PermanentError('The message is no settlement message.');
      wanted.push({ record, factId: parsed.output.factId });
    } catch (error) {
      failures.push({ record, error });
    }
  }
  const facts = await services.staged.getMany([...new Set(wanted.map(({ factId }) => factId))]);
  const originalIds = originalsOf(facts);
  const originals = originalIds.length === 0 ? facts : await services.staged.getMany(originalIds);
  const work: Work[] = [];
  for (const { record, factId } of wanted) {
    const task = taskOf(facts.get(factId), originals);
    if (task === undefined) {
      const error = new PermanentError('The message names no staged fact.');
      failures.push({ record, error, about: { factId } });
    } else work.push({ record, ...task });
  }
  return { work, failures };
}
