import { createHash, randomUUID } from 'node:crypto';
import { factOf, type StagedFact } from '../../lambda/card-settlement/domain/settlement.ts';
import type { Transaction } from '../../lambda/card-settlement/domain/transaction.ts';

/** Each sale has its own card, so no fraud rule applies. */
export function benchSale(number: number, occurredAt: Date, card: string = randomUUID()): Transaction {
  return {
    merchantId: `mer_bench_${String(number % 40).padStart(4, '0')}`,
    terminalId: 'till-1',
    type: 'sale',
    cardToken: `tok_bench_${card}`,
    amount: 300 + (number % 10_000),
    currency: 'USD',
    merchantCategoryCode: '5411',
    occurredAt: occurredAt.toISOString(),
  };
}

export const BENCH_CLIENT = 'benchclient0000000000000000';

export function benchFact(number: number, occurredAt: Date, businessDate: string): StagedFact {
  const key = `${number} ${occurredAt.getTime()} ${businessDate}`;
  const factId = createHash('sha256').update(key).digest('hex').slice(0, 32);
  return factOf(benchSale(number, occurredAt, factId), {
    factId,
    clientId: BENCH_CLIENT,
    businessDate,
    stagedAt: occurredAt.toISOString(),
    bodyDigest: '00112233445566778899aabbccddeeff',
  });
}
