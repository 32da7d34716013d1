import { tableNames } from '../../../tools/simulate/settlement/environment.ts';
import { describe, expect, it } from '@jest/globals';
import { cutOffOf } from '../../../lambda/card-settlement/domain/business-date.ts';
import { decisionIdOf } from '../../../lambda/card-settlement/domain/identifiers.ts';
import type { LedgerEntry, StagedFact } from '../../../lambda/card-settlement/domain/settlement.ts';
import { acceptTransaction } from '../../../lambda/card-settlement/intake/handler.ts';
import * as intake from '../../../lambda/card-settlement/intake/services.ts';
import { review as reviewTransaction } from '../../../lambda/card-settlement/review/handler.ts';
import * as review from '../../../lambda/card-settlement/review/services.ts';
import * as settlement from '../../../lambda/card-settlement/settle/services.ts';
import { settleBatch } from '../../../lambda/card-settlement/settle/settle-batch.ts';
import { daysTable } from '../../../lambda/card-settlement/store/business-days.ts';
import { ledgerTable } from '../../../lambda/card-settlement/store/ledger.ts';
import { stagedTable } from '../../../lambda/card-settlement/store/staged-transactions.ts';
import { Problem } from '../../../lambda/shared/problem.ts';
import { httpRequest, sqsRecord, stagedFact } from '../../unit/card-settlement/card-facts.ts';
import { everyInterleaving } from './interleaving.ts';
import { expectConserved } from '../../../tools/simulate/settlement/books.ts';
import type { Draw } from '../../../tools/simulate/draw.ts';
import { settlementWorld } from '../../../tools/simulate/settlement/world.ts';

/**
 * Goal: of two who come at once one wins, and the books are as if one had come after the other. Method: functions run
 * side by side before real tables, one call at a time, in every order that their calls can have. Each has an execution
 * environment of its own.
 */

const DATE = '2026-03-10';
const calendar = { timeZone: 'America/New_York', cutOff: '17:00' };

let choose: Draw = () => 0;

const world = await settlementWorld(new Date(`${DATE}T16:00:00Z`), undefined, {
  scheduler: (below) => choose(below),
});
await daysTable(world.aws.client, tableNames.businessDays).begin(DATE, world.now());

/** Races in every way there is. @param prepare makes ready the sale that they race for */
async function raceEveryWay<T>(
  prepare: (
    number: number,
  ) => Promise<{ readonly fact: StagedFact; readonly racers: readonly (() => Promise<T>)[] }>,
  check: (results: readonly T[], fact: StagedFact) => Promise<void>,
): Promise<number> {
  return everyInterleaving(async (draw, number) => {
    const { fact, racers } = await prepare(number);
    choose = draw;
    const ended = await Promise.all(racers.map((run) => world.aws.invoke(run)));
    choose = () => 0;
    const results = ended.map((each) => {
      if (each.outcome === 'failed') throw each.error;
      return each.value;
    });
    await check(results, fact);
  });
}

/** A sale of a card of its own, staged; the number tells it apart. */
async function stageSale(name: string, number: number): Promise<StagedFact> {
  const fact = stagedFact({
    factId: `${name}_${number}`,
    cardToken: `tok_${name}_${number}`,
    businessDate: DATE,
  });
  await stagedTable(world.aws.client, tableNames.staged).put(fact);
  return fact;
}

function reversalOf({ factId, ...sale }: StagedFact): StagedFact {
  return { ...sale, kind: 'reversal', factId: decisionIdOf(factId) };
}

const scores = { score: 70, rules: [{ rule: 'duplicate', score: 70, inputs: {} }] };

async function holdSale(fact: StagedFact): Promise<void> {
  const amount = BigInt(fact.amount);
  const entry: LedgerEntry = {
    factId: fact.factId,
    merchantId: fact.merchantId,
    businessDate: fact.businessDate,
    status: 'held',
    kind: 'sale',
    amount,
    currency: fact.currency,
    settlementCurrency: fact.currency,
    gross: amount,
    fee: 0n,
    net: amount,
    withoutProfile: true,
    ...scores,
  };
  await ledgerTable(world.aws.client, tableNames.ledger).put(entry, world.now());
}

/** What a client is told: the status, and the slug of a problem. */
async function told(answer: Promise<{ readonly status: number }>): Promise<string> {
  try {
    return String((await answer).status);
  } catch (error) {
    if (error instanceof Problem) return `${error.status} ${error.slug}`;
    throw error;
  }
}

function reviewing(transactionId: string, type: 'release' | 'reject'): () => Promise<string> {
  const request = httpRequest({
    routeKey: `POST /transactions/{transactionId}/${type}`,
    path: { transactionId },
    body: JSON.stringify({ reason: type }),
  });
  return () => told(reviewTransaction(request, review.buildServices(world.aws.client, world.now)));
}

function reversing(fact: StagedFact): () => Promise<string> {
  const { merchantId, terminalId, cardToken, amount, currency, merchantCategoryCode, occurredAt } = fact;
  const request = httpRequest({
    headers: { 'idempotency-key': `reversal-${fact.factId}` },
    body: JSON.stringify({
      ...{ merchantId, terminalId, cardToken, amount, currency, merchantCategoryCode, occurredAt },
      type: 'reversal',
      originalTransactionId: fact.factId,
    }),
  });
  return () => told(acceptTransaction(request, intake.buildServices(world.aws.client, world.now)));
}

function settling(...facts: readonly StagedFact[]): () => Promise<readonly string[]> {
  const records = facts.map(({ factId }, index) => sqsRecord(`m${index}`, JSON.stringify({ factId })));
  return async () => {
    const services = settlement.buildServices(world.aws.client, world.now);
    const { batchItemFailures } = await settleBatch(records, services);
    return batchItemFailures.map(({ itemIdentifier }) => itemIdentifier);
  };
}

/** What stands at the decision's id: of which kind. */
async function decisionOn({ factId }: StagedFact): Promise<string | undefined> {
  const decision = await stagedTable(world.aws.client, tableNames.staged).getDecision(decisionIdOf(factId));
  return decision?.kind;
}

describe('two decisions on a held transaction at once', () => {
  it.each([
    ['a release and a rejection', 'release', 'reject'],
    ['a release and a reversal', 'release', 'reversal'],
  ] as const)('%s: one stands, the other is told so', async (_, one, other) => {
    const winners = new Set<string>();
    const ways = await raceEveryWay(
      async (number) => {
        const fact = await stageSale(`${one}-${other}`, number);
        await holdSale(fact);
        const racers = [one, other].map((type) =>
          type === 'reversal' ? reversing(fact) : reviewing(fact.factId, type),
        );
        return { fact, racers };
      },
      async (answers, fact) => {
        const [first, second] = answers;
        expect([first, second]).toContain('409 already-decided');
        expect([first, second]).toContainEqual(expect.stringMatching(/^20[01]$/));
        const winner = first === '409 already-decided' ? other : one;
        expect(await decisionOn(fact)).toBe(winner);
        winners.add(winner);
      },
    );
    expect(ways).toBeGreaterThan(100);
    expect([...winners].toSorted()).toEqual([one, other].toSorted());
  });
});

describe('a reversal that is settled while its sale is', () => {
  it('comes to nothing with it, whoever is first', async () => {
    const statuses = new Set<string>();
    const ways = await raceEveryWay(
      async (number) => {
        const fact = await stageSale('raced', number);
        const reversal = reversalOf(fact);
        await stagedTable(world.aws.client, tableNames.staged).put(reversal);
        return { fact, racers: [settling(fact), settling(reversal)] };
      },
      async (failures, fact) => {
        expect(failures).toEqual([[], []]);
        const { client } = world.aws;
        const sale = await ledgerTable(client, tableNames.ledger).get(fact);
        const reversal = await ledgerTable(client, tableNames.ledger).get(reversalOf(fact));
        if (sale === undefined || reversal === undefined) throw new Error('An entry is missing.');
        expect(reversal).toMatchObject({
          status: 'reversed',
          movesFrom: sale.status,
          amount: -sale.amount,
          gross: -sale.gross,
          fee: -sale.fee,
          net: -sale.net,
        });
        statuses.add(sale.status);
      },
    );
    expect(ways).toBeGreaterThan(100);
    expect([...statuses].toSorted()).toEqual(['reversed', 'settled']);
  });
});

describe('the books of all those races', () => {
  it('are conserved', async () => {
    await world.advance(cutOffOf(DATE, calendar).getTime());
    await world.settleDown();
    await expectConserved(world);
  });
});
