import { createHash } from 'node:crypto';

/** What every identifier that a caller chooses looks like. */
export const IDENTIFIER = /^[A-Za-z0-9_-]{1,64}$/;

/** Number of shards that a business date is spread over, so that its writes reach as many partitions. */
const SHARD_COUNT = 16;

/**
 * The id of a transaction: 32 hex digits that the same client, merchant and idempotency key always lead to, so that a
 * retry finds its own item, on whatever day it comes.
 */
export function transactionIdOf(clientId: string, merchantId: string, idempotencyKey: string): string {
  // JSON keeps the parts apart: ("ab", "c") and ("a", "bc") differ.
  return digest(JSON.stringify([clientId, merchantId, idempotencyKey])).slice(0, 32);
}

const DECISION_SUFFIX = '#decision';

/** The id of the one decision that a transaction can have. No identifier that a caller chooses has a `#`. */
export function decisionIdOf(transactionId: string): string {
  return `${transactionId}${DECISION_SUFFIX}`;
}

/** True of a decision's id. A decision stands beside its transaction, and has no address of its own. */
export function isDecisionId(factId: string): boolean {
  return factId.endsWith(DECISION_SUFFIX);
}

/** The transaction that a fact is, or decides on. */
export function originalIdOf(factId: string): string {
  return isDecisionId(factId) ? factId.slice(0, -DECISION_SUFFIX.length) : factId;
}

/** The partition of the staged index and of the ledger that a fact lies in: `<date>#<00 to 15>`. */
export function partitionOf(businessDate: string, factId: string): string {
  // A decision's id is its original's with a suffix: both lie in one shard.
  const shard = Number.parseInt(digest(originalIdOf(factId)).slice(0, 8), 16) % SHARD_COUNT;
  return `${businessDate}#${String(shard).padStart(2, '0')}`;
}

/** All partitions of a date, in order. */
export function partitionsOf(businessDate: string): string[] {
  return Array.from(
    { length: SHARD_COUNT },
    (_, shard) => `${businessDate}#${String(shard).padStart(2, '0')}`,
  );
}

/** The order inside a partition: by merchant, then by fact. `#` sorts before every character of an identifier. */
export function sortKeyOf(merchantId: string, factId: string): string {
  return `${merchantId}#${factId}`;
}

/**
 * The order of a card's transactions, and of a terminal's: by the instant, ISO 8601 UTC with milliseconds, then by
 * transaction.
 */
export function occurrenceKeyOf(occurredAt: Date, transactionId: string): string {
  return `${occurredAt.toISOString()}#${transactionId}`;
}

/** A terminal belongs to the client that calls it so: two clients may call theirs alike. */
export function terminalKeyOf(terminal: { readonly clientId: string; readonly terminalId: string }): string {
  return `${terminal.clientId}#${terminal.terminalId}`;
}

/** SHA-256 of a parsed request body, independent of the order of its members. */
export function bodyDigest(body: unknown): string {
  return digest(JSON.stringify(sorted(body))).slice(0, 32);
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, member]) => [name, sorted(member)]),
  );
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
