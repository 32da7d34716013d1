import { expect, test } from '@jest/globals';
import * as v from 'valibot';
import { addDays } from '../../../lambda/card-settlement/domain/business-date.ts';
import type { BusinessDay } from '../../../lambda/card-settlement/domain/business-day.ts';
import { getBusinessDay } from '../../../lambda/card-settlement/reconcile/get-days-handler.ts';
import type { DayRange } from '../../../lambda/card-settlement/store/business-days.ts';
import { businessDay, httpRequest } from './card-facts.ts';

const LAMBDA_ANSWER_BYTES = 6 * 1024 * 1024;

/** Days with so many terminals at odds in six lines each, the newest first. */
function days(count: number, terminals: number): BusinessDay[] {
  const lines = Array.from({ length: 6 }, () => ({
    type: 'reversal' as const,
    currency: 'USD',
    count: 1_000_000,
    amount: 9_007_199_254_740_991n,
  }));
  return Array.from({ length: count }, (_, number) =>
    businessDay({
      businessDate: addDays('2026-11-24', -number),
      breaks: Array.from({ length: terminals }, (_each, terminal) => ({
        kind: 'terminal-totals' as const,
        subject: `terminal-${terminal}`,
        expected: lines,
        actual: lines,
      })),
    }),
  );
}

function servicesOn(all: readonly BusinessDay[]) {
  return {
    days: {
      read: async () => Promise.resolve(undefined),
      pagesOf: async function* ({ to }: DayRange, pageItems: number) {
        const wanted = all.filter(({ businessDate }) => to === undefined || businessDate <= to);
        for (let from = 0; from < wanted.length; from += pageItems)
          yield await Promise.resolve(wanted.slice(from, from + pageItems));
      },
    },
  };
}

const Page = v.object({
  items: v.array(v.looseObject({ businessDate: v.string() })),
  cursor: v.optional(v.string()),
});

test.each([
  ['150 terminals at odds on each', 150, 100],
  ['nothing at odds', 0, 100],
  ['nothing at odds, in pages of 7', 0, 7],
])('days are listed in pages that Lambda can answer: %s', async (_, terminals, limit) => {
  const all = days(100, terminals);
  const listed: string[] = [];
  let cursor: string | undefined;
  do {
    const query = { limit: String(limit), ...(cursor === undefined ? {} : { cursor }) };
    const { body } = await getBusinessDay(httpRequest({ query }), servicesOn(all));
    expect(JSON.stringify(body).length).toBeLessThan(LAMBDA_ANSWER_BYTES);
    const page = v.parse(Page, body);
    expect(page.items.length).toBeGreaterThan(0);
    listed.push(...page.items.map(({ businessDate }) => businessDate));
    cursor = page.cursor;
  } while (cursor !== undefined);
  expect(listed).toEqual(all.map(({ businessDate }) => businessDate));
});
