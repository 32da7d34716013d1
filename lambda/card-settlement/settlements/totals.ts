import * as v from 'valibot';
import type { Problem } from '../../shared/problem.ts';
import { problem } from '../api.ts';
import { FactId } from '../contract.ts';
import type { BusinessDate } from '../domain/business-date.ts';
import type { BusinessDay } from '../domain/business-day.ts';
import { sortKeyOf } from '../domain/identifiers.ts';
import { createMerchantTotals, type MerchantTotals } from '../domain/totals.ts';
import { Identifier } from '../domain/transaction.ts';
import type { LedgerRange, LedgerTable } from '../store/ledger.ts';
import type { MerchantTotalsTable } from '../store/merchant-totals.ts';

export interface TotalsServices {
  readonly merchantTotals: Pick<MerchantTotalsTable, 'pagesOf'>;
  readonly ledger: Pick<LedgerTable, 'summariesOf'>;
}

const Currency = v.pipe(v.string(), v.regex(/^[A-Z]{3}$/));
const IntegerText = v.pipe(v.string(), v.regex(/^-?\d{1,30}$/));

/** Read for one answer before a day is balanced: about 5 s of a small function. */
const EXAMINED_LIMIT = 100_000;
const CARRIED_LIMIT = 50;

/** Currency, count, gross and fees. */
const CarriedTotals = v.strictTuple([
  Currency,
  v.pipe(v.number(), v.safeInteger()),
  IntegerText,
  IntegerText,
]);

/** After a merchant and currency, or among a merchant's entries, with what earlier pages have added up. */
export const TotalsCursor = v.strictObject({
  merchantId: Identifier,
  currency: v.exactOptional(Currency),
  reached: v.exactOptional(
    v.strictObject({
      transactionId: FactId,
      totals: v.pipe(v.array(CarriedTotals), v.maxLength(CARRIED_LIMIT)),
    }),
  ),
});
export type TotalsCursor = v.InferOutput<typeof TotalsCursor>;

export interface TotalsPart {
  readonly totals: readonly MerchantTotals[];
  readonly next?: TotalsCursor;
}

/** Final totals come as recorded, others as the ledger stands. */
export async function readTotals(
  day: BusinessDay,
  cursor: TotalsCursor | undefined,
  services: TotalsServices,
  limit: number,
): Promise<TotalsPart> {
  return isFinal(day)
    ? readFinalTotals(day, cursor, services, limit)
    : addUpTotals(day.businessDate, cursor, services, limit);
}

async function readFinalTotals(
  day: BusinessDay,
  cursor: TotalsCursor | undefined,
  services: TotalsServices,
  limit: number,
): Promise<TotalsPart> {
  // The cursor may stem from before the day was balanced, in the middle of a merchant.
  const after = cursor === undefined ? undefined : `${cursor.merchantId}#${cursor.currency ?? ''}`;
  const found: MerchantTotals[] = [];
  for await (const page of services.merchantTotals.pagesOf(day, after, Math.min(limit + 1, 500))) {
    found.push(...page);
    if (found.length > limit) break;
  }
  return firstOf(found, limit);
}

async function addUpTotals(
  businessDate: BusinessDate,
  cursor: TotalsCursor | undefined,
  services: TotalsServices,
  limit: number,
): Promise<TotalsPart> {
  const isWanted = ({ merchantId, currency }: MerchantTotals): boolean =>
    merchantId !== cursor?.merchantId || currency > (cursor.currency ?? '');
  const merchants = createMerchantTotals(carriedTotals(cursor));
  const found: MerchantTotals[] = [];
  let examined = 0;
  for await (const entry of services.ledger.summariesOf(businessDate, rangeAfter(cursor))) {
    found.push(...merchants.add(entry).filter(isWanted));
    if (found.length > limit) return firstOf(found, limit);
    if (++examined < EXAMINED_LIMIT) continue;
    const { merchantId, factId } = entry;
    const begun = merchants.end();
    if (begun.length > CARRIED_LIMIT) throw tooManyCurrenciesProblem(merchantId);
    const given = cursor?.merchantId === merchantId ? cursor.currency : undefined;
    const reached = { transactionId: factId, totals: begun.map(carried) };
    return {
      totals: found,
      next: { merchantId, ...(given === undefined ? {} : { currency: given }), reached },
    };
  }
  found.push(...merchants.end().filter(isWanted));
  return firstOf(found, limit);
}

function firstOf(found: readonly MerchantTotals[], limit: number): TotalsPart {
  const totals = found.slice(0, limit);
  const last = totals.at(-1);
  if (found.length <= limit || last === undefined) return { totals };
  return { totals, next: { merchantId: last.merchantId, currency: last.currency } };
}

function carried({ currency, count, gross, fees }: MerchantTotals): v.InferOutput<typeof CarriedTotals> {
  return [currency, count, String(gross), String(fees)];
}

function carriedTotals(cursor: TotalsCursor | undefined): MerchantTotals[] {
  return (cursor?.reached?.totals ?? []).map(([currency, count, gross, fees]) => ({
    merchantId: cursor?.merchantId ?? '',
    currency,
    count,
    gross: BigInt(gross),
    fees: BigInt(fees),
    net: BigInt(gross) - BigInt(fees),
  }));
}

function rangeAfter(cursor: TotalsCursor | undefined): LedgerRange | undefined {
  if (cursor === undefined) return undefined;
  const { merchantId, reached } = cursor;
  const factId = reached?.transactionId ?? '';
  return { after: sortKeyOf({ merchantId, factId }) };
}

function tooManyCurrenciesProblem(merchantId: string): Problem {
  return problem('settlement-too-long', {
    detail: `Merchant ${merchantId} has too many transactions in too many currencies. Ask again when the day is balanced.`,
  });
}

export function isFinal(day: BusinessDay): boolean {
  return day.status === 'balanced';
}
