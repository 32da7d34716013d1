import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { addDays } from '../../../lambda/card-settlement/domain/business-date.ts';
import { balanced, reconcile } from './day.ts';
import { daysAgo, startSystem, type System } from '../system.ts';

/**
 * Goal: each kind of attack is held for what it is, honest shopping is not, and no verdict depends on how the messages
 * come. Method: the whole app on the local host; one and the same day is played twice, with cards and terminals of its
 * own each time: settled by its reconcile run, and by messages that come in another order, several times each.
 */

type Fields = Readonly<Record<string, unknown>>;

let system: System;
/** Both days, each transaction by its name: what the ledger says of it. */
let settledInOrder: ReadonlyMap<string, Verdict>;
let settledInDisorder: ReadonlyMap<string, Verdict>;

interface Verdict {
  readonly status: unknown;
  readonly score: unknown;
  readonly rules: readonly { readonly rule: string; readonly inputs: Fields }[];
}

beforeAll(async () => {
  system = await startSystem();
  const [one, other] = [daysAgo(system, 5), daysAgo(system, 8)];
  const [inOrder, inDisorder] = await Promise.all([stageDay(one), stageDay(other)]);
  await sendThrice(shuffled([...inDisorder.values()]));
  await Promise.all([reconcile(system, one), reconcile(system, other)]);
  await Promise.all([system.dayWith(one, balanced, 60), system.dayWith(other, balanced, 60)]);
  [settledInOrder, settledInDisorder] = [await verdictsOn(inOrder), await verdictsOn(inDisorder)];
}, 300_000);

afterAll(async () => {
  await system.stop();
});

/** A day of shopping and attacks, by names that say what each transaction is. */
function dayOf(date: string): ReadonlyMap<string, Fields> {
  const transactions = new Map<string, Fields>();
  const at = (time: string, seconds = 0) =>
    new Date(Date.parse(`${date}T${time}Z`) + seconds * 1000).toISOString();
  const series = (name: string, count: number, fieldsOf: (number: number) => Fields) => {
    for (let number = 1; number <= count; number++) {
      transactions.set(`${name} ${number}`, {
        cardToken: `tok_${date}_${name.replaceAll(' ', '_')}`,
        merchantId: `mer_${date}`,
        ...fieldsOf(number),
      });
    }
  };
  series('card testing', 12, (number) => ({
    cardToken: `tok_${date}_tested_${number}`,
    terminalId: `till_${date}`,
    amount: 100 + number,
    occurredAt: at('12:00:00', 30 * number),
  }));
  series('burst', 12, (number) => ({ amount: 2000 + number, occurredAt: at('13:00:00', 40 * number) }));
  series('equal sale', 5, (number) => ({ amount: 7500, occurredAt: at('14:00:00', 60 * number) }));
  series('equal gift', 5, (number) => ({ amount: 2500, occurredAt: at('08:00:00', 3600 * number) }));
  series('equal refund', 2, (number) => ({
    type: 'refund',
    amount: 999,
    occurredAt: at('15:00:00', 60 * number),
  }));
  series('travel', 2, (number) => ({
    amount: 3000 + number,
    location: { latitude: 40.7, longitude: number === 1 ? -74 : -118.2 },
    occurredAt: at('15:00:00', 3600 * number),
  }));
  // The clock on the wall shows 23:00, wherever that is.
  series('night', 1, () => ({ amount: 25_001, occurredAt: `${date}T23:00:00+11:00` }));
  series('night in euro', 1, () => ({
    amount: 25_000,
    currency: 'EUR',
    occurredAt: `${date}T23:00:00+11:00`,
  }));
  series('night in crowns', 1, () => ({
    amount: 25_001,
    currency: 'SEK',
    occurredAt: `${date}T23:00:00+11:00`,
  }));
  series('day', 1, () => ({ amount: 25_001, occurredAt: at('12:00:00') }));
  series('spike', 6, (number) => ({
    amount: number === 6 ? 60_000 : 1000 + number,
    occurredAt: at('02:00:00', 3 * 3600 * number - 2 * 3600),
  }));
  series('fast and spike', 6, (number) => ({
    amount: number === 6 ? 60_000 : 1000 + number,
    occurredAt: at('09:00:00', 3600 * number),
  }));
  series('betting', 1, () => ({ merchantCategoryCode: '7995', amount: 60_000, occurredAt: at('12:00:00') }));
  return transactions;
}

/** Stages a day, and gives the ids of its transactions by their names. */
async function stageDay(date: string): Promise<ReadonlyMap<string, string>> {
  const rates = { base: 'USD', source: 'test', rateDate: date, rates: { EUR: '0.9', SEK: '10' } };
  const put = await system.call('operator', 'PUT', `/fx-rates/${date}`, { body: rates });
  expect(put.status).toBe(204);
  return new Map(
    await Promise.all(
      [...dayOf(date)].map(async ([name, fields]) => [name, await system.stage(fields)] as const),
    ),
  );
}

/** Sends each fact's message three times over, past the reconcile run. */
async function sendThrice(ids: readonly string[]): Promise<void> {
  const thrice = [...ids, ...ids.toReversed(), ...ids];
  for (let from = 0; from < thrice.length; from += 7) {
    await system.sqs.sendMessageBatch({
      QueueUrl: system.outputs.DuotempoCardSettlement['SettlementQueueUrl'],
      Entries: thrice.slice(from, from + 7).map((factId, index) => ({
        Id: String(index),
        MessageBody: JSON.stringify({ factId }),
      })),
    });
  }
}

/** An order of its own, always the same: by the last digits of the squares of the places. */
function shuffled<T>(items: readonly T[]): T[] {
  return items
    .map((item, place) => ({ item, rank: (place * place * 7919) % 101 }))
    .toSorted((one, other) => one.rank - other.rank)
    .map(({ item }) => item);
}

/** What the ledger says, with names in the place of ids, so that two days can be compared. */
async function verdictsOn(ids: ReadonlyMap<string, string>): Promise<ReadonlyMap<string, Verdict>> {
  const names = new Map([...ids].map(([name, id]) => [id, name]));
  const verdicts = new Map<string, Verdict>();
  for (const [name, id] of ids) {
    const { body } = await system.call('gateway', 'GET', `/transactions/${id}`);
    const { entries } = body as { readonly entries: readonly Verdict[] };
    expect([name, entries.length]).toEqual([name, 1]);
    const { status, score, rules } = entries[0] as Verdict;
    verdicts.set(name, {
      status,
      score,
      rules: rules.map(({ rule, inputs }) => ({
        rule,
        inputs: Object.fromEntries(
          Object.entries(inputs)
            .filter(([input]) => input !== 'terminalId')
            .map(([input, value]) => [input, names.get(String(value)) ?? value]),
        ),
      })),
    });
  }
  return verdicts;
}

/** The transactions of a kind that are held, by their numbers, and for what. */
function heldOf(name: string): Record<string, readonly string[]> {
  return Object.fromEntries(
    [...settledInOrder]
      .filter(([each, { status }]) => each.replace(/ \d+$/, '') === name && status === 'held')
      .map(([each, { rules }]) => [each.slice(name.length + 1), rules.map(({ rule }) => rule)]),
  );
}

describe('what is held', () => {
  test('are the cards from the tenth on that are tried at a terminal', () => {
    expect(heldOf('card testing')).toEqual({
      10: ['card-testing'],
      11: ['card-testing'],
      12: ['card-testing'],
    });
  });

  test('is a card from its eleventh use in ten minutes on', () => {
    expect(heldOf('burst')).toEqual({ 11: ['burst', 'velocity'], 12: ['burst', 'velocity'] });
  });

  test('are five equal sales in five minutes, all but the first, and no equal gifts an hour apart', () => {
    const duplicate = ['duplicate'];
    expect(heldOf('equal sale')).toEqual({ 2: duplicate, 3: duplicate, 4: duplicate, 5: duplicate });
    expect(heldOf('equal gift')).toEqual({});
    expect(heldOf('equal refund')).toEqual({ 2: duplicate });
  });

  test('is a card in Los Angeles an hour after New York', () => {
    expect(heldOf('travel')).toEqual({ 2: ['impossible-travel'] });
  });

  test('is a large amount at night, in whatever currency it is large', () => {
    expect(heldOf('night')).toEqual({ 1: ['night-large'] });
    expect(heldOf('night in euro')).toEqual({ 1: ['night-large'] });
    expect(heldOf('night in crowns')).toEqual({});
    expect(heldOf('day')).toEqual({});
  });

  test('is an amount far above the others if something else is strange, too', () => {
    expect(settledInOrder.get('spike 6')).toMatchObject({
      status: 'settled',
      score: 40,
      rules: [{ rule: 'amount-spike', inputs: { amount: '600.00', mean: '10.03', earlierUses: 5 } }],
    });
    expect(heldOf('fast and spike')).toEqual({ 6: ['amount-spike', 'velocity'] });
    expect(settledInOrder.get('betting 1')).toMatchObject({ status: 'settled', score: 20 });
  });
});

describe('the verdicts', () => {
  test('are the same when the messages come in another order, in other batches, and three times', () => {
    expect(settledInDisorder).toEqual(settledInOrder);
    expect(settledInOrder.size).toBe(dayOf(addDays(system.today, -5)).size);
  });
});
