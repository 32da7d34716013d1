import {
  isBefore,
  subjectOf,
  type Past,
  type PastUse,
  type Subject,
} from '../../../lambda/card-settlement/domain/fraud/history.ts';
import { isSmallSale } from '../../../lambda/card-settlement/domain/fraud/small-amount.ts';
import { terminalKeyOf } from '../../../lambda/card-settlement/domain/identifiers.ts';
import type { StagedFact } from '../../../lambda/card-settlement/domain/settlement.ts';
import type { HistoriesTable, HistoryRange } from '../../../lambda/card-settlement/store/card-histories.ts';
import { stagedFact } from './card-facts.ts';

/** Histories of cards and terminals for the tests of the fraud rules. */

/** The transaction under assessment: at noon in New York, unless `changes` says otherwise. */
export function subject(changes: Partial<StagedFact> = {}): Subject {
  return subjectOf(stagedFact({ occurredAt: '2026-03-10T12:00:00-04:00', ...changes }));
}

/** An earlier use of the subject's card, so many seconds before it, in other respects like it unless `changes` say so. */
export function useBefore(later: Subject, seconds: number, changes: Partial<PastUse> = {}): PastUse {
  const { merchantId, kind, amount, currency, businessDate } = later;
  return {
    factId: `earlier-${seconds}`,
    occurredAt: new Date(later.occurredAt.getTime() - seconds * 1000),
    businessDate,
    merchantId,
    kind,
    amount,
    currency,
    ...changes,
  };
}

const knownPasts = new WeakMap<StagedFact, Subject>();

/** `subjectOf`, once per fact: properties ask for the same ones thousands of times. */
function pastOf(fact: StagedFact): Subject {
  const past = knownPasts.get(fact) ?? subjectOf(fact);
  knownPasts.set(fact, past);
  return past;
}

/** The tables' histories in memory, with small pages; counts its queries. */
export function historiesOf(facts: () => readonly StagedFact[], pageItems = 3) {
  const queries: string[] = [];
  async function* pages<P extends Past>(
    name: string,
    past: readonly P[],
    { upTo, from }: HistoryRange,
  ): AsyncGenerator<readonly P[], void, undefined> {
    queries.push(name);
    const inRange = past
      .filter((each) => !isBefore(upTo, each) && each.occurredAt >= from)
      .toSorted((one, other) => (isBefore(one, other) ? 1 : -1));
    for (let page = 0; page < inRange.length; page += pageItems) {
      yield await Promise.resolve(inRange.slice(page, page + pageItems));
    }
  }
  const histories: HistoriesTable = {
    ofCard: (cardToken, range) =>
      pages(
        `card ${cardToken}`,
        facts()
          .filter((fact) => fact.cardToken === cardToken)
          .map(pastOf),
        range,
      ),
    ofTerminal: (terminalKey, range) =>
      pages(
        `terminal ${terminalKey}`,
        facts()
          .filter((fact) => isSmallSale(fact) && terminalKeyOf(fact) === terminalKey)
          .map(pastOf),
        range,
      ),
  };
  return { queries, histories };
}
