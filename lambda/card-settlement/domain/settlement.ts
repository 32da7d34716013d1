import { crossRate, hasRate, type FxRates } from './fx.ts';
import type { MerchantProfile } from './merchant.ts';
import { convert, currencyExponent, feeOf, type MinorUnits, type Ratio } from './money.ts';
import type { BusinessDate } from './business-date.ts';
import { signedAmount, type FactKind, type Transaction } from './transaction.ts';

export const ENTRY_STATUSES = ['settled', 'held', 'reversed', 'rejected'] as const;
export type EntryStatus = (typeof ENTRY_STATUSES)[number];

/** An accepted transaction. It never changes. */
export interface StagedFact extends Omit<Transaction, 'type'> {
  readonly factId: string;
  readonly kind: Transaction['type'];
  readonly clientId: string;
  readonly businessDate: BusinessDate;
  /** ISO 8601 UTC with milliseconds. */
  readonly stagedAt: string;
  /** Tells a retry from a reused key. */
  readonly bodyDigest: string;
  /** A reversal's own id, which its idempotency key leads to. */
  readonly idempotencyId?: string;
  readonly requestId?: string;
}

export function factOf(
  { type: kind, ...transaction }: Transaction,
  staging: Omit<StagedFact, keyof Transaction | 'kind'>,
): StagedFact {
  return { ...transaction, kind, ...staging };
}

export interface RuleVerdict {
  readonly rule: string;
  readonly score: number;
  readonly inputs: Readonly<Record<string, string | number>>;
}

export interface Assessment {
  readonly score: number;
  readonly rules: readonly RuleVerdict[];
}

/** Never changes. Amounts are signed minor units. Releases and rejections repeat those they decide on. */
export interface LedgerEntry {
  readonly factId: string;
  readonly merchantId: string;
  readonly businessDate: BusinessDate;
  readonly status: EntryStatus;
  readonly kind: FactKind;
  /** Only decisions have it: where the original was before it moved to `status`. */
  readonly movesFrom?: EntryStatus;
  readonly amount: MinorUnits;
  readonly currency: string;
  readonly settlementCurrency: string;
  readonly gross: MinorUnits;
  readonly fee: MinorUnits;
  readonly net: MinorUnits;
  /** Absent if the currencies are the same. */
  readonly conversion?: {
    readonly base: string;
    readonly source: string;
    readonly rateDate: string;
    /** Units per unit of the base, as published. */
    readonly fromRate: string;
    readonly toRate: string;
  };
  readonly withoutProfile: boolean;
  readonly score: number;
  readonly rules: readonly RuleVerdict[];
  readonly requestId?: string;
}

export function needsConversion(
  fact: Pick<StagedFact, 'currency'>,
  profile: MerchantProfile | undefined,
): boolean {
  return profile !== undefined && profile.settlementCurrency !== fact.currency;
}

export function missingRates(
  fact: Pick<StagedFact, 'currency'>,
  profile: MerchantProfile | undefined,
  rates: FxRates | undefined,
): string[] {
  if (profile === undefined || !needsConversion(fact, profile)) return [];
  return [fact.currency, profile.settlementCurrency].filter(
    (currency) => rates === undefined || !hasRate(rates, currency),
  );
}

/**
 * The gross amount is converted first, then sales pay a fee (Adyen, net settlement). Without a profile, a merchant
 * settles in the transaction's currency and pays no fee.
 * @throws RangeError if a rate is missing: ask `missingRates` first
 */
export function settle(
  fact: StagedFact,
  profile: MerchantProfile | undefined,
  rates: FxRates | undefined,
  assessment: Assessment,
  holdScore: number,
): LedgerEntry {
  const amount = signedAmount(fact);
  const settlementCurrency = profile?.settlementCurrency ?? fact.currency;
  const conversion =
    settlementCurrency === fact.currency ? undefined : ratesUsed(fact.currency, settlementCurrency, rates);
  const gross =
    conversion === undefined
      ? amount
      : convert(amount, conversion.rate, exponentOf(fact.currency), exponentOf(settlementCurrency));
  const fee =
    profile === undefined || fact.kind !== 'sale'
      ? 0n
      : feeOf(gross, profile.feeBasisPoints, profile.feeFixedMinor);
  return {
    factId: fact.factId,
    merchantId: fact.merchantId,
    businessDate: fact.businessDate,
    status: assessment.score >= holdScore ? 'held' : 'settled',
    kind: fact.kind,
    amount,
    currency: fact.currency,
    settlementCurrency,
    gross,
    fee,
    net: gross - fee,
    ...(conversion === undefined ? {} : { conversion: conversion.record }),
    withoutProfile: profile === undefined,
    score: assessment.score,
    rules: assessment.rules,
    ...requestOf(fact),
  };
}

export function requestOf({ requestId }: Pick<StagedFact, 'requestId'>): Pick<LedgerEntry, 'requestId'> {
  return requestId === undefined ? {} : { requestId };
}

function ratesUsed(
  from: string,
  to: string,
  rates: FxRates | undefined,
): { readonly rate: Ratio; readonly record: NonNullable<LedgerEntry['conversion']> } {
  const rate = rates === undefined ? undefined : crossRate(rates, from, to);
  if (rates === undefined || rate === undefined) throw new RangeError(`no rate from ${from} to ${to}`);
  return {
    rate,
    record: {
      base: rates.base,
      source: rates.source,
      rateDate: rates.rateDate,
      fromRate: from === rates.base ? '1' : (rates.rates[from] ?? ''),
      toRate: to === rates.base ? '1' : (rates.rates[to] ?? ''),
    },
  };
}

function exponentOf(currency: string): number {
  const exponent = currencyExponent(currency);
  if (exponent === undefined) throw new RangeError(`unknown currency ${currency}`);
  return exponent;
}
