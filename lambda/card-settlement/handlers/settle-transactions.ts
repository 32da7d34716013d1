import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import * as v from 'valibot';
import { batchResponse, parseJsonBody, PermanentError, type RecordFailure } from '../../shared/batch.ts';
import { systemClock } from '../../shared/clock.ts';
import { createDynamoDbClient } from '../../shared/dynamodb.ts';
import { environmentVariable } from '../../shared/environment.ts';
import { logger } from '../../shared/log.ts';
import { createAssessor, type AssessBatch } from '../assess.ts';
import { environmentNames, SettlementMessage } from '../contract.ts';
import type { BusinessDate } from '../domain/business-date.ts';
import {
  isReview,
  reversalEntry,
  reviewEntry,
  type AnyStagedFact,
  type StagedReview,
} from '../domain/decision.ts';
import { isDecisionId, originalIdOf } from '../domain/identifiers.ts';
import {
  missingRates as ratesLacked,
  needsConversion,
  settle,
  type Assessment,
  type LedgerEntry,
  type StagedFact,
} from '../domain/settlement.ts';
import { hasRate, type FxRates } from '../domain/fx.ts';
import type { MerchantProfile } from '../domain/merchant.ts';
import { fraudSettings } from '../settings.ts';
import { markRatesMissing } from '../tables/business-days.ts';
import { cardHistory } from '../tables/card-history.ts';
import { freezeRates } from '../tables/fx-rates.ts';
import { getEntry, putEntry, type EntryKey } from '../tables/ledger.ts';
import { profileOn } from '../tables/merchants.ts';
import { smallSalesAt } from '../tables/small-sales.ts';
import { getStagedFacts } from '../tables/staged-transactions.ts';

interface Services {
  readonly now: () => Date;
  readonly getFacts: (factIds: readonly string[]) => Promise<ReadonlyMap<string, AnyStagedFact>>;
  readonly getEntry: (key: EntryKey) => Promise<LedgerEntry | undefined>;
  readonly profileOn: (
    merchantId: string,
    businessDate: BusinessDate,
  ) => Promise<MerchantProfile | undefined>;
  /** The rates that the date converts with, frozen by this call if they were not before. */
  readonly ratesOf: (
    businessDate: BusinessDate,
    currencies: readonly string[],
  ) => Promise<FxRates | undefined>;
  readonly markRatesMissing: (
    businessDate: BusinessDate,
    currencies: readonly string[],
  ) => Promise<'marked' | 'known'>;
  readonly assess: AssessBatch;
  /** At this score, and above it, a transaction is held. */
  readonly holdScore: number;
  readonly putEntry: (entry: LedgerEntry) => Promise<'written' | 'exists'>;
}

/** A message that names a staged fact, understood. */
type Work = { readonly record: SQSRecord } & Task;

type Task =
  | { readonly kind: 'transaction'; readonly fact: StagedFact }
  | { readonly kind: 'reversal'; readonly fact: StagedFact; readonly sale: StagedFact }
  | { readonly kind: 'review'; readonly fact: StagedReview };

/**
 * Settles the facts that a batch of messages names. Each effect is one conditional write, so a message that comes
 * twice, late, or beside its own double does nothing more. Only the messages that failed come again.
 */
export async function settleBatch(
  records: readonly SQSRecord[],
  services: Services,
): Promise<SQSBatchResponse> {
  const startedAt = performance.now();
  const { work, failures } = await readWork(records, services);
  const assessmentOf = await assessEach(work, services);
  const batchServices = { ...services, profileOn: readOnce(services.profileOn) };
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

/** Assesses the sales and refunds of a batch, and the sales that it reverses. What it gives throws for one that could not be assessed, and only for it. */
async function assessEach(
  work: readonly Work[],
  services: Services,
): Promise<(transactionId: string) => Assessment> {
  const { assessments, failures } = await services.assess(
    work.flatMap((task) =>
      task.kind === 'transaction' ? [task.fact] : task.kind === 'reversal' ? [task.sale] : [],
    ),
  );
  return (transactionId) => {
    const assessment = assessments.get(transactionId);
    if (assessment === undefined) throw failures.get(transactionId);
    return assessment;
  };
}

/** Reads each profile once in a batch: facts are sent in the order of their merchants, so that a batch has few. */
function readOnce(read: Services['profileOn']): Services['profileOn'] {
  const asked = new Map<string, ReturnType<Services['profileOn']>>();
  return async (merchantId, businessDate) => {
    const key = `${businessDate}#${merchantId}`;
    const profile = asked.get(key) ?? read(merchantId, businessDate);
    asked.set(key, profile);
    return profile;
  };
}

/** By what the log tells a fact. */
function namesOf({ transactionId: factId, requestId }: AnyStagedFact): NonNullable<RecordFailure['about']> {
  return { factId, requestId };
}

/** Reads the facts of a batch in one request, and the sales that reversals among them undo in another. */
async function readWork(
  records: readonly SQSRecord[],
  services: Services,
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
  const facts = await services.getFacts([...new Set(wanted.map(({ factId }) => factId))]);
  const originalIds = originalsOf(facts);
  const originals = originalIds.length === 0 ? facts : await services.getFacts(originalIds);
  const work: Work[] = [];
  for (const { record, factId } of wanted) {
    const task = taskOf(facts.get(factId), originals);
    if (task === undefined)
      failures.push({
        record,
        error: new PermanentError('The message names no staged fact.'),
        about: { factId },
      });
    else work.push({ record, ...task });
  }
  return { work, failures };
}

function originalsOf(facts: ReadonlyMap<string, AnyStagedFact>): string[] {
  return [...facts.values()]
    .filter((fact) => !isReview(fact) && isDecisionId(fact.transactionId))
    .map(({ transactionId }) => originalIdOf(transactionId));
}

function taskOf(
  fact: AnyStagedFact | undefined,
  originals: ReadonlyMap<string, AnyStagedFact>,
): Task | undefined {
  if (fact === undefined) return undefined;
  if (isReview(fact)) return { kind: 'review', fact };
  if (!isDecisionId(fact.transactionId)) return { kind: 'transaction', fact };
  const sale = originals.get(originalIdOf(fact.transactionId));
  return sale === undefined || isReview(sale) ? undefined : { kind: 'reversal', fact, sale };
}

async function perform(
  task: Task,
  assessmentOf: (transactionId: string) => Assessment,
  services: Services,
): Promise<'settled' | 'held' | 'decided' | 'known' | 'blocked'> {
  if (task.kind === 'review') return review(task.fact, services);
  if (task.kind === 'reversal') return reverse(task.fact, task.sale, assessmentOf, services);
  return settleFact(task.fact, assessmentOf(task.fact.transactionId), undefined, services);
}

/** Releases or rejects: the held entry stands, because intake of the decision has read it. */
async function review(fact: StagedReview, services: Services): Promise<'decided' | 'known'> {
  const held = await services.getEntry({
    businessDate: fact.originalBusinessDate,
    merchantId: fact.merchantId,
    transactionId: fact.originalTransactionId,
  });
  if (held?.status !== 'held') throw new PermanentError('The decision names no held entry.');
  return (await services.putEntry(reviewEntry(fact, held))) === 'written' ? 'decided' : 'known';
}

/**
 * Reverses a sale, settled or not: where the sale has no entry yet it gets one that says `reversed`. Settlement of the
 * sale may put another at the same moment; what stands then is what is negated.
 */
async function reverse(
  fact: StagedFact,
  sale: StagedFact,
  assessmentOf: (transactionId: string) => Assessment,
  services: Services,
): Promise<'decided' | 'known' | 'blocked'> {
  let standing = await services.getEntry(sale);
  if (standing === undefined) {
    // It is assessed like any other sale, so that its entry says the same whoever puts it.
    const assessment = assessmentOf(sale.transactionId);
    if ((await settleFact(sale, assessment, 'reversed', services)) === 'blocked') return 'blocked';
    standing = await services.getEntry(sale);
  }
  if (standing === undefined) throw new Error('The entry of the sale was put, and is not there.');
  return (await services.putEntry(reversalEntry(fact, standing))) === 'written' ? 'decided' : 'known';
}

/** @param status what the entry is to say, if not what the assessment leads to */
async function settleFact(
  fact: StagedFact,
  assessment: Assessment,
  status: 'reversed' | undefined,
  services: Services,
): Promise<'settled' | 'held' | 'known' | 'blocked'> {
  const { businessDate } = fact;
  const profile = await services.profileOn(fact.merchantId, businessDate);
  const currencies = profile === undefined ? [] : [fact.currency, profile.settlementCurrency];
  const rates = needsConversion(fact, profile) ? await services.ratesOf(businessDate, currencies) : undefined;
  const lacked = ratesLacked(fact, profile, rates);
  if (lacked.length > 0) {
    // Not a failure: the day is blocked, its fact stays staged, and the run that finds the rates sends it again.
    if ((await services.markRatesMissing(businessDate, lacked)) === 'marked') {
      logger.error('rates missing', { businessDate, currencies: lacked });
    }
    return 'blocked';
  }
  const settled = settle(fact, profile, rates, assessment, services.holdScore);
  const entry = status === undefined ? settled : { ...settled, status };
  if ((await services.putEntry(entry)) === 'exists') return 'known';
  return entry.status === 'held' ? 'held' : 'settled';
}

const CACHED_DATES = 100;

/** Remembers the rates of dates, which are frozen once they were read; asks again if they lack a currency. */
export function createRateCache(
  freeze: (businessDate: BusinessDate) => Promise<FxRates | undefined>,
): Services['ratesOf'] {
  const cache = new Map<BusinessDate, Promise<FxRates | undefined>>();
  return async (businessDate, currencies) => {
    const known = cache.get(businessDate);
    if (known !== undefined) {
      // A read that failed is nobody's answer but its own caller's.
      const rates = await known.catch(() => undefined);
      if (rates !== undefined && currencies.every((currency) => hasRate(rates, currency))) return rates;
    }
    const asked = freeze(businessDate);
    if (cache.size >= CACHED_DATES) cache.clear();
    cache.set(businessDate, asked);
    return asked;
  };
}

/** The function's ports, at the tables that its environment names. Who simulates gives a client and a clock. */
export function buildServices(client = createDynamoDbClient(), now: () => Date = systemClock): Services {
  const stagedTable = environmentVariable(environmentNames.stagedTransactionsTable);
  const ledgerTable = environmentVariable(environmentNames.ledgerTable);
  const daysTable = environmentVariable(environmentNames.businessDaysTable);
  const merchantsTable = environmentVariable(environmentNames.merchantsTable);
  const fraud = fraudSettings();
  const ratesOf = createRateCache((businessDate) => freezeRates(client, daysTable, businessDate, now()));
  return {
    now,
    getFacts: (factIds) => getStagedFacts(client, stagedTable, factIds),
    profileOn: (merchantId, businessDate) => profileOn(client, merchantsTable, merchantId, businessDate),
    ratesOf,
    assess: createAssessor(
      {
        historyOf: (cardToken, range) => cardHistory(client, stagedTable, cardToken, range),
        smallAmountsAt: (terminalId, range) => smallSalesAt(client, stagedTable, terminalId, range),
        ratesOf,
      },
      fraud,
    ),
    holdScore: fraud.holdScore,
    markRatesMissing: (businessDate, currencies) =>
      markRatesMissing(client, daysTable, businessDate, currencies),
    getEntry: (key) => getEntry(client, ledgerTable, key),
    putEntry: (entry) => putEntry(client, ledgerTable, entry, now()),
  };
}

let services: Services | undefined;

export async function handler(
  event: SQSEvent,
  context: Pick<Context, 'awsRequestId'>,
): Promise<SQSBatchResponse> {
  services ??= buildServices();
  logger.resetKeys();
  logger.appendKeys({ functionRequestId: context.awsRequestId });
  return settleBatch(event.Records, services);
}
