import { plainLabel } from './rows.ts';
import type { Verdict } from './verdicts.ts';

export const fraudRules = [
  'card-testing',
  'impossible-travel',
  'burst',
  'duplicate',
  'night-large',
  'amount-spike',
  'velocity',
  'high-risk-category',
] as const;

/** Shares go from 0 to 1. */
export interface Score {
  readonly flagged: number;
  readonly truePositives: number;
  readonly falsePositives: number;
  /** Share of the flagged that is labelled; null if nothing was flagged. */
  readonly precision: number | null;
  /** Share of the labelled that was flagged; null if nothing is labelled. */
  readonly recall: number | null;
}

export interface LabelScore {
  readonly transactions: number;
  readonly held: number;
  readonly recall: number;
}

export interface Detection {
  readonly transactions: number;
  readonly fraud: number;
  readonly all: Score;
  readonly rules: Readonly<Record<string, Score>>;
  readonly labels: Readonly<Record<string, LabelScore>>;
}

interface Hits {
  flagged: number;
  truePositives: number;
}

/** Ignores decisions, and transactions that are not in the file. @param labels by the API's ids; undefined: honest */
export function createDetection(
  labels: ReadonlyMap<string, string | undefined>,
  rules: readonly string[] = [],
): { readonly add: (verdict: Verdict) => void; readonly detection: () => Detection } {
  const all: Hits = { flagged: 0, truePositives: 0 };
  const byRule = new Map<string, Hits>(rules.map((rule) => [rule, { flagged: 0, truePositives: 0 }]));
  const byLabel = new Map<string, { transactions: number; held: number }>();
  const seen = new Set<string>();
  let fraud = 0;

  function hit(hits: Hits, label: string | undefined): void {
    hits.flagged += 1;
    if (label !== undefined) hits.truePositives += 1;
  }

  return {
    add: ({ transactionId, status, rules: fired }) => {
      if (!labels.has(transactionId) || seen.has(transactionId)) return;
      seen.add(transactionId);
      const label = labels.get(transactionId);
      const held = status === 'held';
      if (held) hit(all, label);
      for (const rule of new Set(fired.map((each) => each.rule))) {
        const hits = byRule.get(rule) ?? { flagged: 0, truePositives: 0 };
        byRule.set(rule, hits);
        hit(hits, label);
      }
      if (label === undefined) return;
      fraud += 1;
      const ofLabel = byLabel.get(label) ?? { transactions: 0, held: 0 };
      byLabel.set(label, ofLabel);
      ofLabel.transactions += 1;
      if (held) ofLabel.held += 1;
    },
    detection: () => ({
      transactions: seen.size,
      fraud,
      all: scoreOf(all, fraud),
      rules: Object.fromEntries([...byRule].map(([rule, hits]) => [rule, scoreOf(hits, fraud)])),
      labels: Object.fromEntries(
        [...byLabel]
          .filter(([label]) => label !== plainLabel)
          .toSorted(([one], [other]) => one.localeCompare(other))
          .map(([label, { transactions, held }]) => [
            label,
            { transactions, held, recall: share(held, transactions) ?? 0 },
          ]),
      ),
    }),
  };
}

function scoreOf({ flagged, truePositives }: Hits, fraud: number): Score {
  return {
    flagged,
    truePositives,
    falsePositives: flagged - truePositives,
    precision: share(truePositives, flagged),
    recall: share(truePositives, fraud),
  };
}

function share(part: number, whole: number): number | null {
  return whole === 0 ? null : Math.round((part / whole) * 10_000) / 10_000;
}
