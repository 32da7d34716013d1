import type { BusinessDate } from '../domain/business-date.ts';
import { sortKeyOf } from '../domain/identifiers.ts';
import type { LedgerTable, WrittenEntry } from '../store/ledger.ts';

export interface EntryServices {
  readonly ledger: Pick<LedgerTable, 'entriesOf'>;
}

/** Sorts after every key that begins with an identifier and `#`, and before every longer identifier. */
const AFTER_KEYS = '$';

/**
 * Lists a merchant's entries of a date.
 *
 * @param after the fact id of the entry to begin after
 * @returns at most `limit`; with `next` others follow
 */
export async function listEntries(
  businessDate: BusinessDate,
  merchantId: string,
  after: string | undefined,
  limit: number,
  services: EntryServices,
): Promise<{ readonly items: readonly WrittenEntry[]; readonly next: string | undefined }> {
  const to = `${merchantId}${AFTER_KEYS}`;
  // What follows a key directly is the key with the least character behind it.
  const from = after === undefined ? `${merchantId}#` : `${sortKeyOf({ merchantId, factId: after })}\u0001`;
  const found: WrittenEntry[] = [];
  for await (const entry of services.ledger.entriesOf(businessDate, { from, to }, limit + 1)) {
    found.push(entry);
    if (found.length > limit) break;
  }
  const items = found.slice(0, limit);
  return { items, next: found.length > limit ? items.at(-1)?.factId : undefined };
}
