import { PermanentError } from '../../shared/batch.ts';
import { logger } from '../../shared/log.ts';
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
  type StagedFact,
} from '../domain/settlement.ts';
import type { DaysTable } from '../store/business-days.ts';
import type { LedgerTable } from '../store/ledger.ts';
import type { MerchantsTable } from '../store/merchants.ts';
import type { RatesOf } from './rate-cache.ts';

export interface SettlementServices {
  readonly now: () => Date;
  readonly ledger: Pick<LedgerTable, 'get' | 'put'>;
  readonly merchants: Pick<MerchantsTable, 'profileOn'>;
  readonly days: Pick<DaysTable, 'markRatesMissing'>;
  readonly ratesOf: RatesOf;
  readonly holdScore: number;
}

export type Task =
  | { readonly kind: 'transaction'; readonly fact: StagedFact }
  | { readonly kind: 'reversal'; readonly fact: StagedFact; readonly sale: StagedFact }
  | { readonly kind: 'review'; readonly fact: StagedReview };

/** `known`: an earlier message has done it. `blocked`: it waits for rates. */
export type TaskOutcome = 'settled' | 'held' | 'decided' | 'known' | 'blocked';

export function originalsOf(facts: ReadonlyMap<string, AnyStagedFact>): string[] {
  return [...facts.values()]
    .filter((fact) => !isReview(fact) && isDecisionId(fact.factId))
    .map(({ factId }) => originalIdOf(factId));
}

export function taskOf(
  fact: AnyStagedFact | undefined,
  originals: ReadonlyMap<string, AnyStagedFact>,
): Task | undefined {
  if (fact === undefined) return undefined;
  if (isReview(fact)) return { kind: 'review', fact };
  if (!isDecisionId(fact.factId)) return { kind: 'transaction', fact };
  const sale = originals.get(originalIdOf(fact.factId));
  return sale === undefined || isReview(sale) ? undefined : { kind: 'reversal', fact, sale };
}

/** @throws PermanentError if no attempt will succeed, or what `assessmentOf` throws */
export async function perform(
  task: Task,
  assessmentOf: (factId: string) => Assessment,
  services: SettlementServices,
): Promise<TaskOutcome> {
  if (task.kind === 'review') return review(task.fact, services);
  if (task.kind === 'reversal') return reverse(task.fact, task.sale, assessmentOf, services);
  return settleFact(task.fact, assessmentOf(task.fact.factId), undefined, services);
}

/** Review has read the held entry, so it must be there. */
async function review(fact: StagedReview, services: SettlementServices): Promise<'decided' | 'known'> {
  const held = await services.ledger.get({
    businessDate: fact.originalBusinessDate,
    merchantId: fact.merchantId,
    factId: fact.originalTransactionId,
  });
  if (held?.status !== 'held') throw new PermanentError('The decision names no held entry.');
  return (await services.ledger.put(reviewEntry(fact, held), services.now())) === 'written'
    ? 'decided'
    : 'known';
}

/** An unsettled sale gets an entry that says `reversed`. If its own settlement comes first, that entry is negated. */
async function reverse(
  fact: StagedFact,
  sale: StagedFact,
  assessmentOf: (factId: string) => Assessment,
  services: SettlementServices,
): Promise<'decided' | 'known' | 'blocked'> {
  let standing = await services.ledger.get(sale);
  if (standing === undefined) {
    // Assessed like any sale, so that its entry is the same whoever writes it.
    const assessment = assessmentOf(sale.factId);
    if ((await settleFact(sale, assessment, 'reversed', services)) === 'blocked') return 'blocked';
    standing = await services.ledger.get(sale);
  }
  if (standing === undefined) throw new Error('The entry of the sale was put, and is not there.');
  return (await services.ledger.put(reversalEntry(fact, standing), services.now())) === 'written'
    ? 'decided'
    : 'known';
}

async function settleFact(
  fact: StagedFact,
  assessment: Assessment,
  status: 'reversed' | undefined,
  services: SettlementServices,
): Promise<'settled' | 'held' | 'known' | 'blocked'> {
  const { businessDate } = fact;
  const profile = await services.merchants.profileOn(fact.merchantId, businessDate);
  const currencies = profile === undefined ? [] : [fact.currency, profile.settlementCurrency];
  const rates = needsConversion(fact, profile) ? await services.ratesOf(businessDate, currencies) : undefined;
  const lacked = ratesLacked(fact, profile, rates);
  if (lacked.length > 0) {
    // No failure: the run that finds the rates sends the fact again.
    if ((await services.days.markRatesMissing(businessDate, lacked)) === 'marked') {
      logger.error('rates missing', { businessDate, currencies: lacked });
    }
    return 'blocked';
  }
  const settled = settle(fact, profile, rates, assessment, services.holdScore);
  const entry = status === undefined ? settled : { ...settled, status };
  if ((await services.ledger.put(entry, services.now())) === 'exists') return 'known';
  return entry.status === 'held' ? 'held' : 'settled';
}
