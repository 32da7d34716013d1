import { hash } from 'node:crypto';
import type { BusinessDate } from '../domain/business-date.ts';
import { originalIdOf } from '../domain/identifiers.ts';

/** Spreads the writes of a business date over partitions. */
const SHARD_COUNT = 16;

/** `<date>#<00 to 15>`, in the staged index and in the ledger. */
export function partitionOf(businessDate: BusinessDate, factId: string): string {
  // A decision shares its original's shard.
  return shardOf(
    businessDate,
    Number.parseInt(hash('sha256', originalIdOf(factId)).slice(0, 8), 16) % SHARD_COUNT,
  );
}

export function partitionsOf(businessDate: BusinessDate): string[] {
  return Array.from({ length: SHARD_COUNT }, (_, shard) => shardOf(businessDate, shard));
}

function shardOf(businessDate: BusinessDate, shard: number): string {
  return `${businessDate}#${String(shard).padStart(2, '0')}`;
}

/** ISO 8601 UTC with milliseconds sorts by time. */
export function occurrenceKeyOf(occurredAt: Date, factId: string): string {
  return `${occurredAt.toISOString()}#${factId}`;
}
