import * as v from 'valibot';
import { Hash, Instant, pageOf, type Body } from '../shared/api.ts';
import { problemsOf, type Problem } from '../shared/problem.ts';
import { CalendarDate } from './domain/business-date.ts';
import { isReview, type AnyStagedFact } from './domain/decision.ts';
import { FxRates, RateCurrency } from './domain/fx.ts';
import { MerchantProfile } from './domain/merchant.ts';
import { ENTRY_STATUSES, type StagedFact } from './domain/settlement.ts';
import { BREAK_KINDS, type Break, type BusinessDay } from './domain/business-day.ts';
import { lineKey, type TerminalLine } from './domain/terminal-totals.ts';
import { eachSide, type MerchantTotals } from './domain/totals.ts';
import { CurrencyCode, FACT_KINDS, Identifier, isReviewKind, Transaction } from './domain/transaction.ts';
import type { WrittenEntry } from './store/ledger.ts';

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

export function decidedProblem({ kind }: AnyStagedFact): Problem {
  const done = isReviewKind(kind) ? DECIDED[kind] : DECIDED.reversal;
  return problem('already-decided', {
    detail: `It was ${done}, and there is only one decision on a transaction.`,
  });
}

/** Text, because sums may pass 2^53. */
const MinorUnits = v.pipe(v.string(), v.regex(/^-?\d+$/));

const Count = v.pipe(v.number(), v.integer(), v.minValue(0));

const decisionTypes = ['release', 'reject', 'reversal'] as const;

const Rules = v.array(
  v.object({
    rule: v.string(),
    score: v.number(),
    inputs: v.record(v.string(), v.union([v.string(), v.number()])),
  }),
);

const EntryId = v.pipe(v.string(), v.regex(/^[0-9a-f]{32}(?:#decision)?$/));

const EntryBody = v.object({
  transactionId: EntryId,
  merchantId: Identifier,
  businessDate: CalendarDate,
  status: v.picklist(ENTRY_STATUSES),
  type: v.picklist(FACT_KINDS),
  movesFrom: v.exactOptional(v.picklist(ENTRY_STATUSES)),
  amount: MinorUnits,
  currency: CurrencyCode,
  settlementCurrency: CurrencyCode,
  gross: MinorUnits,
  fee: MinorUnits,
  net: MinorUnits,
  conversion: v.exactOptional(
    v.object({
      base: RateCurrency,
      source: v.string(),
      rateDate: CalendarDate,
      fromRate: v.string(),
      toRate: v.string(),
    }),
  ),
  withoutProfile: v.boolean(),
  score: v.number(),
  rules: Rules,
  settledAt: Instant,
});

const SignedCount = v.pipe(v.number(), v.integer());

const CountAndAmountBody = v.object({ count: SignedCount, amount: MinorUnits });

const TerminalLineBody = v.object({
  type: Transaction.entries.type,
  currency: CurrencyCode,
  count: Count,
  amount: MinorUnits,
});

const DayBody = v.object({
  businessDate: CalendarDate,
  status: v.picklist(['open', 'sealed', 'blocked', 'balanced']),
  revision: v.pipe(v.number(), v.integer(), v.minValue(1)),
  asOf: v.exactOptional(Instant),
  ratesMissing: v.exactOptional(v.array(CurrencyCode)),
  totals: v.record(v.string(), v.object(eachSide(() => CountAndAmountBody))),
  breaks: v.array(
    v.object({
      kind: v.picklist(BREAK_KINDS),
      subject: v.string(),
      count: v.exactOptional(Count),
      ids: v.exactOptional(v.array(v.string())),
      expected: v.exactOptional(v.array(TerminalLineBody)),
      actual: v.exactOptional(v.array(TerminalLineBody)),
    }),
  ),
});

const DecisionBody = v.object({
  decision: v.picklist(decisionTypes),
  businessDate: CalendarDate,
  decidedAt: Instant,
  reason: v.exactOptional(v.string()),
});

const AcceptedBody = v.object({
  ...Transaction.entries,
  transactionId: Hash,
  businessDate: CalendarDate,
  stagedAt: Instant,
});

const HeldBody = v.object({
  ...AcceptedBody.entries,
  status: v.literal('held'),
  score: v.number(),
  rules: Rules,
  settledAt: Instant,
});

const MerchantTotalsBody = v.object({
  merchantId: Identifier,
  currency: CurrencyCode,
  count: Count,
  gross: MinorUnits,
  fees: MinorUnits,
  net: MinorUnits,
});

function wholeUpTo(limit: number) {
  return v.pipe(
    v.number(),
    v.check(
      (value) => Number.isInteger(value) && value >= 0 && value <= limit,
      `must be a whole number from 0 to ${limit}`,
    ),
  );
}

const TERMINAL_LINE_LIMIT = 100;
const TERMINAL_COUNT_LIMIT = 1_000_000;

const ReportedLine = v.strictObject({
  type: Transaction.entries.type,
  currency: CurrencyCode,
  count: wholeUpTo(TERMINAL_COUNT_LIMIT),
  amount: v.pipe(
    wholeUpTo(Number.MAX_SAFE_INTEGER),
    v.transform((amount) => BigInt(amount)),
  ),
});

/** Request bodies by their names in the OpenAPI document. */
export const requests = {
  Transaction,
  MerchantProfile,
  FxRates,
  Review: v.strictObject({
    reason: v.pipe(
      v.string(),
      v.trim(),
      v.minLength(1, 'must not be empty'),
      v.maxLength(200, 'must be at most 200 characters'),
    ),
  }),
  TerminalTotals: v.strictObject({
    totals: v.pipe(
      v.array(ReportedLine),
      v.maxLength(TERMINAL_LINE_LIMIT, `must be at most ${TERMINAL_LINE_LIMIT} lines`),
      v.check(
        (lines) => new Set(lines.map(lineKey)).size === lines.length,
        'must name each type and currency once',
      ),
    ),
  }),
};

/** Response bodies and their parts by their names in the OpenAPI document. */
export const responses = {
  MinorUnits,
  StagedTransaction: v.object({
    transactionId: Hash,
    businessDate: CalendarDate,
    status: v.literal('staged'),
  }),
  TransactionView: v.object({
    ...AcceptedBody.entries,
    status: v.picklist(['staged', ...ENTRY_STATUSES]),
    decision: v.exactOptional(DecisionBody),
    entries: v.array(EntryBody),
  }),
  HeldTransaction: HeldBody,
  HeldTransactionPage: v.object(pageOf(HeldBody)),
  Reviewed: v.object({ transactionId: Hash, ...DecisionBody.entries }),
  TerminalLine: TerminalLineBody,
  LedgerEntry: EntryBody,
  ReconcileRequested: v.object({ businessDate: CalendarDate }),
  CountAndAmount: CountAndAmountBody,
  BusinessDay: DayBody,
  BusinessDayPage: v.object(pageOf(DayBody)),
  MerchantTotals: MerchantTotalsBody,
  SettlementPage: v.object({
    businessDate: CalendarDate,
    final: v.boolean(),
    ...pageOf(MerchantTotalsBody),
  }),
  MerchantSettlementPage: v.object({
    businessDate: CalendarDate,
    merchantId: Identifier,
    ...pageOf(EntryBody),
  }),
};

function factBody(fact: StagedFact): Body<typeof AcceptedBody> {
  const { factId, kind, bodyDigest: _digest, clientId: _client, requestId: _request, ...shown } = fact;
  return { transactionId: factId, type: kind, ...shown };
}

export function decisionBody(decision: AnyStagedFact): Body<typeof DecisionBody> {
  const { businessDate, stagedAt: decidedAt } = decision;
  return isReview(decision)
    ? { decision: decision.kind, businessDate, decidedAt, reason: decision.reason }
    : { decision: 'reversal', businessDate, decidedAt };
}

export function transactionBody({
  fact,
  decision,
  entries,
}: {
  readonly fact: StagedFact;
  readonly decision: AnyStagedFact | undefined;
  readonly entries: readonly WrittenEntry[];
}): Body<typeof responses.TransactionView> {
  return {
    ...factBody(fact),
    status: entries.at(-1)?.status ?? 'staged',
    ...(decision === undefined ? {} : { decision: decisionBody(decision) }),
    entries: entries.map(entryBody),
  };
}

export function heldBody({
  fact,
  entry: { score, rules, settledAt },
}: {
  readonly fact: StagedFact;
  readonly entry: WrittenEntry;
}): Body<typeof HeldBody> {
  return { ...factBody(fact), status: 'held', score, rules, settledAt };
}

export function entryBody(entry: WrittenEntry): Body<typeof EntryBody> {
  const { factId, kind, amount, gross, fee, net, ...rest } = entry;
  return {
    transactionId: factId,
    type: kind,
    ...rest,
    amount: String(amount),
    gross: String(gross),
    fee: String(fee),
    net: String(net),
  };
}

export function merchantTotalsBody(totals: MerchantTotals): Body<typeof MerchantTotalsBody> {
  return { ...totals, gross: String(totals.gross), fees: String(totals.fees), net: String(totals.net) };
}

export function dayBody(day: BusinessDay): Body<typeof DayBody> {
  return {
    businessDate: day.businessDate,
    status: day.status,
    revision: day.revision,
    ...(day.asOf === undefined ? {} : { asOf: day.asOf }),
    ...(day.status === 'blocked' ? { ratesMissing: day.ratesMissing } : {}),
    totals: Object.fromEntries(
      Object.entries(day.totals).map(([currency, totals]) => [
        currency,
        eachSide((side) => ({ count: totals[side].count, amount: String(totals[side].amount) })),
      ]),
    ),
    breaks: day.breaks.map(breakBody),
  };
}

function breakBody({ expected, actual, ...rest }: Break): Body<typeof DayBody>['breaks'][number] {
  return {
    ...rest,
    ...(expected === undefined ? {} : { expected: expected.map(lineBody) }),
    ...(actual === undefined ? {} : { actual: actual.map(lineBody) }),
  };
}

function lineBody(line: TerminalLine): Body<typeof TerminalLineBody> {
  return { ...line, amount: String(line.amount) };
}
