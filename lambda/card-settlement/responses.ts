import { statusOf, type BusinessDay } from './domain/business-day.ts';
import type { MerchantTotals } from './domain/totals.ts';
import type { WrittenEntry } from './tables/ledger.ts';

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
    breaks: day.breaks,
  };
}
