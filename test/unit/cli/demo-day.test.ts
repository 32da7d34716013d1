import { beforeAll, describe, expect, it } from '@jest/globals';
import { kinds } from '../../../cli/demo/event.ts';
import { demoDay, fewestTransactions, type DemoDay } from '../../../cli/demo/day.ts';
import { readShippedFxRates } from '../../../cli/shared/fx-rates.ts';
import { heldOf, verdictsOf, type DemoVerdict } from '../../demo-verdicts.ts';
import type { FxRates } from '../../../lambda/card-settlement/domain/fx.ts';
import { stageConfig } from '../../../lib/config.ts';

const { calendar } = stageConfig('sandbox');

function day(seed = 1, count = 1000, date = '2026-11-20'): DemoDay {
  return demoDay({ seed, count, date, calendar });
}

describe('the demo day', () => {
  it('is the same for the same seed, number and date, and another one for any other', () => {
    expect(day()).toEqual(day());
    const ids = [day(), day(2), day(1, 1001), day(1, 1000, '2026-11-21')].flatMap(({ transactions }) =>
      transactions.map(({ transaction_id: id, card_token: card }) => `${id} ${card}`),
    );
    expect(new Set(ids).size).toBe(ids.length);
    const [one, other] = [day(), day(2)].map(
      ({ transactions }) => new Set(transactions.map(({ terminal_id: terminal }) => terminal)),
    );
    expect([...(one ?? [])].filter((terminal) => other?.has(terminal))).toEqual([]);
  });

  it('has as many transactions as asked for, refunds and reversals among them, in the order of their instants', () => {
    for (const count of [fewestTransactions, 1000, 1234]) {
      const { transactions } = day(3, count);
      expect(transactions).toHaveLength(count);
      for (const type of ['sale', 'refund', 'reversal'])
        expect(transactions.filter((row) => row['type'] === type).length).toBeGreaterThan(1);
      const instants = transactions.map((row) => Date.parse(row['occurred_at'] ?? ''));
      expect(instants).toEqual(instants.toSorted((one, other) => one - other));
    }
  });

  it('is in six currencies, some of which settle in another one', () => {
    const { transactions, merchants } = day();
    const currencies = new Set(transactions.map(({ currency }) => currency));
    expect([...currencies].toSorted()).toEqual(['EUR', 'GBP', 'JPY', 'KWD', 'MXN', 'USD']);
    const settles = new Map(merchants.map((row) => [row['merchant_id'], row['settlement_currency']]));
    expect(transactions.some((row) => settles.get(row['merchant_id']) !== row['currency'])).toBe(true);
  });

  it('writes instants in the offset of the place, also when the clock changes', () => {
    // New York's clock changes on 8 March, London's on 29 March.
    const offsets = new Set(
      day(1, 2000, '2026-03-09').transactions.map(
        (row) => `${row['merchant_country']} ${row['occurred_at']?.slice(19)}`,
      ),
    );
    expect([...offsets].toSorted()).toEqual([
      'DE +01:00',
      'GB +00:00',
      'JP +09:00',
      'KW +03:00',
      'MX -06:00',
      'US -04:00',
    ]);
  });
});

describe('by the fraud rules, the demo day', () => {
  let rates: FxRates;
  let verdicts: readonly DemoVerdict[];
  beforeAll(async () => {
    rates = await readShippedFxRates();
    verdicts = verdictsOf(day(), rates, calendar);
  });

  it.each(kinds)('has a %s that is held', (kind) => {
    expect(heldOf(verdicts, (row) => row['is_fraud'] === kind).length).toBeGreaterThan(0);
  });

  it('has five equal sales within five minutes, of which all but the first are held', () => {
    const again = verdicts.filter(({ row }) => row['is_fraud'] === 'duplicate');
    const first = verdicts.filter(
      ({ row }) => row['is_fraud'] === '' && row['card_token'] === again[0]?.row['card_token'],
    );
    expect(again.map(({ held }) => held)).toEqual([true, true, true, true]);
    expect(first.map(({ held }) => held)).toEqual([false]);
    const instants = [...first, ...again].map(({ row }) => Date.parse(row['occurred_at'] ?? ''));
    expect(Math.max(...instants) - Math.min(...instants)).toBeLessThanOrEqual(5 * 60_000);
  });

  it('has five equal gifts an hour apart, of which none is held', () => {
    const { gifts } = day();
    const rows = verdicts.filter(({ row }) => gifts.includes(row['transaction_id'] ?? ''));
    expect(rows.map(({ held }) => held)).toEqual([false, false, false, false, false]);
    const equals = rows.map(({ row }) => `${row['card_token']} ${row['merchant_id']} ${row['amount_minor']}`);
    expect(new Set(equals).size).toBe(1);
    const instants = rows.map(({ row }) => Date.parse(row['occurred_at'] ?? ''));
    for (const [index, instant] of instants.slice(1).entries())
      expect(instant - (instants[index] ?? 0)).toBeGreaterThanOrEqual(60 * 60_000);
  });
});
