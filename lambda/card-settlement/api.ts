import { problemsOf, type Problem } from '../shared/problem.ts';
import { isReview, type AnyStagedFact } from './domain/decision.ts';
import type { StagedFact } from './domain/settlement.ts';
import { statusOf, type Break, type BusinessDay } from './domain/business-day.ts';
import type { TerminalLine } from './domain/terminal-totals.ts';
import type { MerchantTotals } from './domain/totals.ts';
import type { WrittenEntry } from './store/ledger.ts';

/** The problems of this API, besides those of every API: status and title by type. */
export const problemTypes = {
  'card-number': [400, 'The request seems to hold a card number'],
  'already-decided': [409, 'The transaction is decided already'],
  'day-closed': [409, 'The business day of the sale is closed'],
  'not-held': [409, 'The transaction is not held'],
  'rates-frozen': [409, 'The rates of this date are frozen'],
  'date-out-of-range': [422, 'The business date is out of range'],
  'idempotency-key-reused': [422, 'The idempotency key was used for another transaction'],
  'occurred-at-in-future': [422, 'The transaction lies in the future'],
  'occurred-at-too-old': [422, 'The transaction is too old'],
  'original-not-found': [422, 'There is no such transaction to reverse'],
  'reversal-mismatch': [422, 'The reversal does not repeat its sale'],
  'settlement-file-too-long': [422, 'The settlement file is too long for one answer'],
  'settlement-too-long': [422, 'The settlement is too long to be added up'],
  'too-many-terminals': [422, 'Too many terminals have reported totals of this date'],
} as const;

export const problem = problemsOf(problemTypes);

export function keyReusedProblem(): Problem {
  return problem('idempotency-key-reused', {
    detail: 'Send a new key with a new transaction; the same key only with the same body.',
  });
}

const DECIDED = { release: 'released', reject: 'rejected', reversal: 'reversed' } as const;

/** @param standing the decision that was taken before */
export function decidedProblem({ type }: AnyStagedFact): Problem {
  const done = type === 'release' || type === 'reject' ? DECIDED[type] : DECIDED.reversal;
  return problem('already-decided', {
    detail: `It was ${done}, and there is only one decision on a transaction.`,
  });
}

/** A transaction as its client and operators see it. */
function factBody(fact: StagedFact): Record<string, unknown> {
  const { bodyDigest: _digest, clientId: _client, requestId: _request, ...shown } = fact;
  return shown;
}

/** A decision beside its transaction; only a review has a reason. */
export function decisionBody(decision: AnyStagedFact): Record<string, unknown> {
  return {
    decision: decision.type,
    businessDate: decision.businessDate,
    decidedAt: decision.stagedAt,
    ...(isReview(decision) ? { reason: decision.reason } : {}),
  };
}

/** A transaction with the decision on it, its status, and its ledger entries. */
export function transactionBody({
  fact,
  decision,
  entries,
}: {
  readonly fact: StagedFact;
  readonly decision: AnyStagedFact | undefined;
  readonly entries: readonly WrittenEntry[];
}): Record<string, unknown> {
  return {
    ...factBody(fact),
    status: entries.at(-1)?.status ?? 'staged',
    ...(decision === undefined ? {} : { decision: decisionBody(decision) }),
    entries: entries.map(entryBody),
  };
}

/** A held transaction, with what held it. */
export function heldBody({
  fact,
  entry: { status, score, rules, settledAt },
}: {
  readonly fact: StagedFact;
  readonly entry: WrittenEntry;
}): Record<string, unknown> {
  return { ...factBody(fact), status, score, rules, settledAt };
}

/** A ledger entry. Sums may pass 2^53, so every amount that is added up is decimal text in JSON. */
export function entryBody(entry: WrittenEntry): Record<string, unknown> {
  const { amount, gross, fee, net, ...rest } = entry;
  return { ...rest, amount: String(amount), gross: String(gross), fee: String(fee), net: String(net) };
}

export function merchantTotalsBody(totals: MerchantTotals): Record<string, unknown> {
  return { ...totals, gross: String(totals.gross), fees: String(totals.fees), net: String(totals.net) };
}

export function dayBody(day: BusinessDay): Record<string, unknown> {
  return {
    businessDate: day.businessDate,
    status: statusOf(day),
    revision: day.revision,
    ...(day.asOf === undefined ? {} : { asOf: day.asOf }),
    ...(day.ratesMissing === undefined || day.balancedAt !== undefined
      ? {}
      : { ratesMissing: day.ratesMissing }),
    totals: Object.fromEntries(
      Object.entries(day.totals).map(([currency, sides]) => [
        currency,
        Object.fromEntries(
          Object.entries(sides).map(([side, { count, amount }]) => [side, { count, amount: String(amount) }]),
        ),
      ]),
    ),
    breaks: day.breaks.map(breakBody),
  };
}

function breakBody({ expected, actual, ...rest }: Break): Record<string, unknown> {
  return {
    ...rest,
    ...(expected === undefined ? {} : { expected: expected.map(lineBody) }),
    ...(actual === undefined ? {} : { actual: actual.map(lineBody) }),
  };
}

function lineBody(line: TerminalLine): Record<string, unknown> {
  return { ...line, amount: String(line.amount) };
}
