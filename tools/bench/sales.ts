import { randomUUID } from 'node:crypto';
import { factOf, type StagedFact } from '../../lambda/card-settlement/domain/settlement.ts';
import type { Transaction } from '../../lambda/card-settlement/domain/transaction.ts';

/** A plain sale, unlike every other: 40 merchants, a card of its own, more than a small amount. */
export function benchSale(number: number, occurredAt: Date): Transaction {
  return {
    merchantId: `mer_bench_${String(number % 40).padStart(4, '0')}`,
    terminalId: 'till-1',
    type: 'sale',
    cardToken: `tok_bench_${randomUUID()}`,
    amount: 300 + (number % 10_000),
    currency: 'USD',
    merchantCategoryCode: '5411',
    occurredAt: occurredAt.toISOString(),
  };
}

export const BENCH_CLIENT = 'benchclient0000000000000000';

/** The same as intake would stage it. */
export function benchFact(number: number, occurredAt: Date, businessDate: string): StagedFact {
  return factOf(benchSale(number, occurredAt), {
    factId: randomUUID().replaceAll('-', ''),
    clientId: BENCH_CLIENT,
    businessDate,
    stagedAt: occurredAt.toISOString(),
    bodyDigest: '00112233445566778899aabbccddeeff',
  });
}
