import type { BusinessDate } from '../domain/business-date.ts';
import { sortKeyOf } from '../domain/identifiers.ts';
import type { LedgerTable, WrittenEntry } from '../store/ledger.ts';

export interface EntryServices {
  readonly ledger: Pick<LedgerTable, 'entriesOf'>;
}

/** Sorts after `#` and before every character of an identifier. */
const AFTER_KEYS = '$';

/** @param after a fact's id @returns `next` if others follow */
export async function listEntries(
  businessDate: BusinessDate,
  merchantId: string,
  after: string | undefined,
  limit: number,
  services: EntryServices,
): Promise<{ readonly items: readonly WrittenEntry[]; readonly next: string | undefined }> {
  const to = `${merchantId}${AFTER_KEYS}`;
  // The least greater key.
  const from = after === undefined ? `${merchantId}#` : `${sortKeyOf({ merchantId, factId: after })}\u0001`;
  const found: WrittenEntry[] = [];
  for await (const entry of services.ledger.entriesOf(businessDate, { from, to }, limit + 1)) {
    found.push(entry);
    if (found.length > limit) break;
  }
  const items = found.slice(0, limit);
  return { items, next: found.length > limit ? items.at(-1)?.factId : undefined };
}
