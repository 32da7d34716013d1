import { currenciesCompared } from '../domain/fraud/amounts.ts';
import { assess, cardWindowMilliseconds, type Seen } from '../domain/fraud/assessment.ts';
import { historyBounds, seenBy, subjectOf, type Subject } from '../domain/fraud/history.ts';
import type { FraudSettings } from '../domain/fraud/settings.ts';
import { isSmallSale } from '../domain/fraud/small-amount.ts';
import { COMPARED_IN } from '../domain/fraud/value.ts';
import { terminalKeyOf } from '../domain/identifiers.ts';
import type { Assessment, StagedFact } from '../domain/settlement.ts';
import type { RatesOf } from './rate-cache.ts';
import { readHistory } from './read-history.ts';
import type { HistoriesTable } from '../store/card-histories.ts';

export interface AssessorServices {
  readonly histories: HistoriesTable;
  readonly ratesOf: RatesOf;
}

export interface BatchAssessment {
  readonly assessments: ReadonlyMap<string, Assessment>;
  /** By id; a later batch may succeed. */
  readonly failures: ReadonlyMap<string, unknown>;
}

export type AssessBatch = (facts: readonly StagedFact[]) => Promise<BatchAssessment>;

/** Reads each card and each terminal once. If a history cannot be read, only the facts that need it fail. */
export function createAssessor(services: AssessorServices, settings: FraudSettings): AssessBatch {
  const cardWindow = (subject: Subject) => cardWindowMilliseconds(subject, settings);
  const terminalWindow = () => settings.cardTesting.windowMinutes * 60_000;

  async function readHistories(subjects: readonly Subject[]): Promise<(subject: Subject) => Seen> {
    const [usesOf, smallSalesAt] = await Promise.all([
      readEach(
        groupBy(subjects, ({ cardToken }) => cardToken),
        async (cardToken, ofCard) =>
          readHistory(ofCard, cardWindow, (range) => services.histories.ofCard(cardToken, range)),
      ),
      readEach(groupBy(subjects.filter(isSmallSale), terminalKeyOf), async (terminalKey, atTerminal) =>
        readHistory(atTerminal, terminalWindow, (range) => services.histories.ofTerminal(terminalKey, range)),
      ),
    ]);
    return (subject) => ({
      uses: seenBy(subject, usesOf(subject.cardToken), cardWindow(subject), historyBounds),
      smallSales: isSmallSale(subject)
        ? seenBy(subject, smallSalesAt(terminalKeyOf(subject)), terminalWindow(), historyBounds)
        : [],
    });
  }

  return async (facts) => {
    const assessments = new Map<string, Assessment>();
    const failures = new Map<string, unknown>();
    const subjects = [...new Map(facts.map((fact) => [fact.factId, fact])).values()].map(subjectOf);
    const seenOf = await readHistories(subjects);
    const assessable: Assessable[] = [];
    for (const subject of subjects) {
      try {
        const seen = seenOf(subject);
        assessable.push({ subject, seen, currencies: currenciesCompared(subject, seen.uses, settings) });
      } catch (error) {
        failures.set(subject.factId, error);
      }
    }
    const ratesOn = await readEach(
      groupBy(
        assessable.filter(({ currencies }) => currencies.length > 0),
        ({ subject }) => subject.businessDate,
      ),
      async (businessDate, comparing) =>
        services.ratesOf(businessDate, [
          ...new Set([COMPARED_IN, ...comparing.flatMap(({ currencies }) => currencies)]),
        ]),
    );
    for (const { subject, seen, currencies } of assessable) {
      try {
        // A fact with nothing to compare gets no rates, so its verdict is the same in every batch.
        const rates = currencies.length > 0 ? ratesOn(subject.businessDate) : undefined;
        assessments.set(subject.factId, assess(subject, seen, rates, settings));
      } catch (error) {
        failures.set(subject.factId, error);
      }
    }
    return { assessments, failures };
  };
}

interface Assessable {
  readonly subject: Subject;
  readonly seen: Seen;
  readonly currencies: readonly string[];
}

/** @returns a function that throws for a group that could not be read */
async function readEach<T, R>(
  groups: ReadonlyMap<string, readonly T[]>,
  read: (key: string, group: readonly T[]) => Promise<R>,
): Promise<(key: string) => R> {
  const keys = [...groups.keys()];
  const results = await Promise.allSettled(keys.map(async (key) => read(key, groups.get(key) ?? [])));
  const byKey = new Map(keys.map((key, index) => [key, results[index]]));
  return (key) => {
    const result = byKey.get(key);
    if (result?.status === 'fulfilled') return result.value;
    throw result?.reason;
  };
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}
