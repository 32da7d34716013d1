import { problem } from '../api.ts';
import type { BusinessDay } from '../domain/business-day.ts';
import { settlementFile } from '../domain/settlement-file.ts';
import { isFinal, readTotals, type TotalsServices } from './totals.ts';

/** Lambda answers 6 MB at most; a line has up to 125 characters. */
const FILE_LINES_LIMIT = 45_000;

/** @throws Problem 422 if it is too long for one answer */
export async function writeFile(
  day: BusinessDay,
  services: TotalsServices & { readonly now: () => Date },
): Promise<string> {
  const { businessDate } = day;
  const final = isFinal(day);
  const { totals, next } = await readTotals(day, undefined, services, FILE_LINES_LIMIT);
  if (next !== undefined) {
    throw problem('settlement-file-too-long', {
      detail: final
        ? `It would have more than ${FILE_LINES_LIMIT} detail lines. Read the settlement as JSON, page by page.`
        : 'Before the day is balanced each request adds it up again. Read the settlement as JSON, page by page, or ask again when the day is balanced.',
    });
  }
  const asOf = day.status === 'balanced' ? day.balancedAt : services.now().toISOString();
  return settlementFile({ businessDate, final, asOf }, totals);
}
