import { Problem } from '../shared/problem.ts';
import { isReview, type AnyStagedFact } from './domain/decision.ts';
import type { StagedFact } from './domain/settlement.ts';
import { statusOf, type Break, type BusinessDay } from './domain/business-day.ts';
import type { TerminalLine } from './domain/terminal-totals.ts';
import type { MerchantTotals } from './domain/totals.ts';
import type { WrittenEntry } from './store/ledger.ts';

export function keyReusedProblem(): Problem {
  return new Problem(422, 'idempotency-key-reused', 'The idempotency key was used for another transaction', {
    detail: 'Send a new key with a new transaction; the same key only with the same body.',
  });
}

/** A transaction as its client and operators see it. */
export function factBody(fact: StagedFact): Record<string, unknown> {
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

/** Sums may pass 2^53, so every amount that is added up is decimal text in JSON. */

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
