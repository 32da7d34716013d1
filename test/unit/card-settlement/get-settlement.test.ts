import { describe, expect, it } from '@jest/globals';
import * as v from 'valibot';
import type { BusinessDay } from '../../../lambda/card-settlement/domain/business-day.ts';
import { sortKeyOf } from '../../../lambda/card-settlement/domain/identifiers.ts';
import {
  createMerchantTotals,
  type LedgerSummary,
  type MerchantTotals,
} from '../../../lambda/card-settlement/domain/totals.ts';
import { getSettlement } from '../../../lambda/card-settlement/settlements/handler.ts';
import { merchantTotalsBody } from '../../../lambda/card-settlement/api.ts';
import type { LedgerRange } from '../../../lambda/card-settlement/store/ledger.ts';
import { balancedDay, businessDay, httpRequest } from './card-facts.ts';

/**
 * Goal: however large a day is that is not balanced, one request reads a bounded part of it, and the pages together say
 * what one walk through the ledger says. Method: the handler on a ledger in memory that counts what is read.
 */

const DATE = '2026-03-10';
const BOUND = 100_000;

const IDS = Array.from({ length: 250_000 }, (_, number) => `t${String(number).padStart(7, '0')}`);
const AMOUNTS = IDS.map((_, number) => BigInt(100 + number));

/** Entries of merchants with so many each, in currencies that take turns; every tenth is held. */
function ledgerOf(counts: Readonly<Record<string, number>>, currencies: readonly string[]): LedgerSummary[] {
  return Object.entries(counts).flatMap(([merchantId, count]) =>
    IDS.slice(0, count).map((factId, number): LedgerSummary => {
      const currency = currencies[number % currencies.length] ?? 'USD';
      const gross = AMOUNTS[number] ?? 0n;
      return {
        factId,
        merchantId,
        status: number % 10 === 9 ? 'held' : 'settled',
        kind: 'sale',
        amount: gross,
        currency,
        settlementCurrency: currency,
        gross,
        fee: 3n,
        net: gross - 3n,
      };
    }),
  );
}

function servicesOn(ledger: readonly LedgerSummary[], day: BusinessDay = businessDay()) {
  const reads: number[] = [];
  return {
    reads,
    now: () => new Date('2026-03-10T20:00:00Z'),
    days: { read: async () => Promise.resolve(day) },
    merchantTotals: {
      pagesOf: async function* (_: unknown, after: string | undefined, pageItems: number) {
        const totals = expected(ledger).filter(
          ({ merchantId, currency }) => after === undefined || `${merchantId}#${currency}` > after,
        );
        for (let from = 0; from < totals.length; from += pageItems)
          yield await Promise.resolve(totals.slice(from, from + pageItems));
      },
    },
    ledger: {
      summariesOf: async function* (_: string, range?: LedgerRange) {
        const after = range !== undefined && 'after' in range ? range.after : '';
        const request = reads.push(0) - 1;
        await Promise.resolve();
        let read = 0;
        for (const entry of ledger) {
          if (sortKeyOf(entry) <= after) continue;
          reads[request] = read += 1;
          yield entry;
        }
      },
      entriesOf: () => {
        throw new Error('Entries were not asked for.');
      },
    },
  };
}

function expected(ledger: readonly LedgerSummary[]): MerchantTotals[] {
  const merchants = createMerchantTotals();
  return [...ledger.flatMap((entry) => merchants.add(entry)), ...merchants.end()];
}

const Page = v.object({ items: v.array(v.unknown()), cursor: v.optional(v.string()) });

async function pagesOf(services: ReturnType<typeof servicesOn>, limit: number, first?: string) {
  const pages: v.InferOutput<typeof Page>[] = [];
  let cursor = first;
  do {
    const query = { limit: String(limit), ...(cursor === undefined ? {} : { cursor }) };
    const request = httpRequest({ path: { businessDate: DATE }, query });
    pages.push(v.parse(Page, (await getSettlement(request, services)).body));
    cursor = pages.at(-1)?.cursor;
  } while (cursor !== undefined);
  return pages;
}

describe('the totals of a day that is not balanced', () => {
  it.each([
    ['one merchant with more than a request reads', { big: 250_000 }, ['USD'], 50],
    [
      'a merchant of several currencies among small ones',
      { a: 3, big: 210_000, c: 2 },
      ['EUR', 'JPY', 'USD'],
      50,
    ],
    ['pages of one total', { a: 2, big: 150_000, c: 2 }, ['EUR', 'USD'], 1],
  ])('are read in bounded parts that add up: %s', async (_, counts, currencies, limit) => {
    const ledger = ledgerOf(counts, currencies);
    const services = servicesOn(ledger);
    const pages = await pagesOf(services, limit);
    expect(pages.flatMap(({ items }) => items)).toEqual(expected(ledger).map(merchantTotalsBody));
    expect(Math.max(...services.reads)).toBeLessThanOrEqual(BOUND);
    expect(pages.length).toBeGreaterThan(1);
    expect(pages.every(({ items }) => items.length <= limit)).toBe(true);
  });

  it('may come in empty pages, with a cursor', async () => {
    const pages = await pagesOf(servicesOn(ledgerOf({ big: BOUND + 1 }, ['USD'])), 50);
    expect(pages.map(({ items }) => items.length)).toEqual([0, 1]);
  });

  it('go on where they were when it is balanced meanwhile', async () => {
    const ledger = ledgerOf({ a: 1, big: 150_000 }, ['USD']);
    const request = httpRequest({ path: { businessDate: DATE } });
    const { items, cursor } = v.parse(Page, (await getSettlement(request, servicesOn(ledger))).body);
    const balanced = servicesOn(ledger, balancedDay({ balancedAt: '2026-03-11T00:00:00.000Z' }));
    const rest = await pagesOf(balanced, 50, cursor);
    expect([...items, ...rest.flatMap((page) => page.items)]).toEqual(
      expected(ledger).map(merchantTotalsBody),
    );
    expect(balanced.reads).toEqual([]);
  });

  it('are refused for a merchant of more currencies than a cursor carries', async () => {
    const currencies = Array.from(
      { length: 60 },
      (_, number) => `A${String.fromCharCode(65 + (number % 26), 65 + Math.floor(number / 26))}`,
    );
    const services = servicesOn(ledgerOf({ big: BOUND + 1 }, currencies));
    await expect(pagesOf(services, 50)).rejects.toMatchObject({ status: 422, slug: 'settlement-too-long' });
  });

  it('fit no file if they are more than a request reads, and the refusal says what to do', async () => {
    const request = httpRequest({ path: { businessDate: DATE }, headers: { accept: 'text/csv' } });
    const services = servicesOn(ledgerOf({ big: BOUND + 1 }, ['USD']));
    await expect(getSettlement(request, services)).rejects.toMatchObject({
      status: 422,
      slug: 'settlement-file-too-long',
      detail: expect.stringContaining('as JSON, page by page'),
    });
    expect(services.reads).toEqual([BOUND]);
  });
});
