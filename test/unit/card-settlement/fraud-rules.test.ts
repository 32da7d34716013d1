import { describe, expect, it } from '@jest/globals';
import {
  amountSpike,
  currenciesCompared,
  nightLarge,
} from '../../../lambda/card-settlement/domain/fraud/amounts.ts';
import { assess } from '../../../lambda/card-settlement/domain/fraud/assessment.ts';
import { cardTesting } from '../../../lambda/card-settlement/domain/fraud/card-testing.ts';
import { duplicate } from '../../../lambda/card-settlement/domain/fraud/duplicate.ts';
import { highRiskCategory } from '../../../lambda/card-settlement/domain/fraud/high-risk-category.ts';
import { seenBy, type PastSmallSale } from '../../../lambda/card-settlement/domain/fraud/history.ts';
import {
  impossibleTravel,
  kilometresBetween,
} from '../../../lambda/card-settlement/domain/fraud/impossible-travel.ts';
import { isSmallSale } from '../../../lambda/card-settlement/domain/fraud/small-amount.ts';
import { burst, velocity } from '../../../lambda/card-settlement/domain/fraud/uses.ts';
import { stageConfig } from '../../../lib/config.ts';
import { fxRates, stagedFact } from './card-facts.ts';
import { subject, useBefore } from './card-history.ts';

/** Goal: every rule fires at its threshold and not below. Method: the thresholds of production, a case on each side. */

const settings = stageConfig('production').fraud;
const MINUTE = 60;
const HOUR = 3600;
const DAY = 86_400;

describe('card testing', () => {
  const small = subject({ amount: 200 });
  const sales = (cards: number, seconds = MINUTE): PastSmallSale[] =>
    Array.from({ length: cards }, (_, card) => ({
      ...useBefore(small, seconds, { factId: `t${card}` }),
      cardToken: `tok_${card}`,
    }));

  it('is the tenth card with a small amount at a terminal within 10 minutes', () => {
    expect(cardTesting(small, sales(8), settings.cardTesting)).toBeUndefined();
    expect(cardTesting(small, sales(9), settings.cardTesting)).toEqual({
      rule: 'card-testing',
      score: 70,
      inputs: { terminalId: 'mer_12764b37-1', cards: 10, windowMinutes: 10 },
    });
  });

  it('counts cards, not sales', () => {
    const again = sales(9).map((each) => ({ ...each, cardToken: 'tok_same' }));
    expect(cardTesting(small, again, settings.cardTesting)).toBeUndefined();
    const own = sales(9).map((each, number) =>
      number === 0 ? { ...each, cardToken: small.cardToken } : each,
    );
    expect(cardTesting(small, own, settings.cardTesting)).toBeUndefined();
  });

  it('counts what lies exactly 10 minutes back, and nothing before', () => {
    expect(cardTesting(small, sales(9, 10 * MINUTE), settings.cardTesting)).toBeDefined();
    expect(cardTesting(small, sales(9, 10 * MINUTE + 0.001), settings.cardTesting)).toBeUndefined();
  });

  it('is nothing that a larger amount or a refund takes part in', () => {
    expect(cardTesting(subject({ amount: 201 }), sales(20), settings.cardTesting)).toBeUndefined();
    expect(isSmallSale(stagedFact({ amount: 200 }))).toBe(true);
    expect(isSmallSale(stagedFact({ amount: 201 }))).toBe(false);
    expect(isSmallSale(stagedFact({ amount: 100, kind: 'refund' }))).toBe(false);
  });

  it('takes small for up to 2 of the transaction’s own currency, however many digits it has', () => {
    expect(isSmallSale(stagedFact({ amount: 2, currency: 'JPY' }))).toBe(true);
    expect(isSmallSale(stagedFact({ amount: 3, currency: 'JPY' }))).toBe(false);
    expect(isSmallSale(stagedFact({ amount: 2000, currency: 'KWD' }))).toBe(true);
    expect(isSmallSale(stagedFact({ amount: 2001, currency: 'KWD' }))).toBe(false);
  });
});

describe('impossible travel', () => {
  const equator = (longitude: number) => ({ latitude: 0, longitude });
  /** Degrees of longitude on the equator of so many kilometres. */
  const degrees = (kilometres: number) => (kilometres / 6371.0088) * (180 / Math.PI);
  const travel = (kilometres: number, seconds: number) => {
    const here = subject({ location: equator(degrees(kilometres)) });
    return impossibleTravel(
      here,
      [useBefore(here, seconds, { location: equator(0) })],
      settings.impossibleTravel,
    );
  };

  it('is a card at two places 500 km apart, at 1,000 km/h', () => {
    expect(travel(500.01, HOUR / 2)).toEqual({
      rule: 'impossible-travel',
      score: 70,
      inputs: { otherTransactionId: 'earlier-1800', kilometres: 500, seconds: 1800, kilometresPerHour: 1000 },
    });
    expect(travel(499.99, HOUR / 4)).toBeUndefined();
    expect(travel(2000.01, 2 * HOUR)).toBeDefined();
    expect(travel(1999.99, 2 * HOUR)).toBeUndefined();
  });

  it('is infinitely fast at the same instant', () => {
    expect(travel(600, 0)?.inputs).toEqual({
      otherTransactionId: 'earlier-0',
      kilometres: 600,
      seconds: 0,
    });
    expect(travel(499, 0)).toBeUndefined();
  });

  it('is looked for in the last 48 hours, if somebody configures a speed that low', () => {
    const slow = { ...settings.impossibleTravel, kilometresPerHour: 100 };
    const here = subject({ location: equator(degrees(10_000)) });
    const at = (seconds: number) =>
      impossibleTravel(here, [useBefore(here, seconds, { location: equator(0) })], slow);
    expect(at(48 * HOUR)).toBeDefined();
    expect(at(48 * HOUR + 1)).toBeUndefined();
  });

  it('needs the card to be present both times', () => {
    const here = subject({ location: equator(90) });
    const absent = subject();
    const there = useBefore(here, MINUTE, { location: equator(0) });
    expect(impossibleTravel(absent, [there], settings.impossibleTravel)).toBeUndefined();
    expect(impossibleTravel(here, [useBefore(here, MINUTE)], settings.impossibleTravel)).toBeUndefined();
  });

  it('names the latest sale that is too far away, past those that are not', () => {
    const here = subject({ location: equator(90) });
    const sales = [
      useBefore(here, 1, { location: equator(90) }),
      useBefore(here, 2, { location: equator(0) }),
      useBefore(here, 3, { location: equator(-90) }),
    ];
    expect(impossibleTravel(here, sales, settings.impossibleTravel)?.inputs).toMatchObject({
      otherTransactionId: 'earlier-2',
      kilometres: 10_008,
    });
  });

  it.each([
    [
      'London and Paris',
      { latitude: 51.5074, longitude: -0.1278 },
      { latitude: 48.8566, longitude: 2.3522 },
      344,
    ],
    [
      'Auckland and Honolulu, across the date line',
      { latitude: -36.8509, longitude: 174.7645 },
      { latitude: 21.3069, longitude: -157.8583 },
      7090,
    ],
    ['the poles', { latitude: 90, longitude: 0 }, { latitude: -90, longitude: 0 }, 20_015],
    ['antipodes', { latitude: 37, longitude: -120 }, { latitude: -37, longitude: 60 }, 20_015],
    ['one place', { latitude: 52, longitude: 13 }, { latitude: 52, longitude: 13 }, 0],
  ])('measures the distance of %s', (_, one, other, kilometres) => {
    expect(Math.abs(kilometresBetween(one, other) - kilometres)).toBeLessThan(kilometres / 200 + 1);
    expect(kilometresBetween(other, one)).toBeCloseTo(kilometresBetween(one, other), 6);
  });
});

describe('burst', () => {
  const now = subject();
  const uses = (count: number, seconds = MINUTE) =>
    Array.from({ length: count }, (_, number) => useBefore(now, seconds, { factId: `t${number}` }));

  it('is the eleventh use of a card within 10 minutes', () => {
    expect(burst(now, uses(9), settings.burst)).toBeUndefined();
    expect(burst(now, uses(10), settings.burst)).toEqual({
      rule: 'burst',
      score: 70,
      inputs: { earlierUses: 10, windowMinutes: 10 },
    });
  });

  it('counts what lies exactly 10 minutes back, and nothing before', () => {
    expect(burst(now, uses(10, 10 * MINUTE), settings.burst)).toBeDefined();
    expect(burst(now, [...uses(9), ...uses(1, 10 * MINUTE + 1)], settings.burst)).toBeUndefined();
  });
});

describe('velocity', () => {
  const now = subject();
  const uses = (count: number, seconds = HOUR) =>
    Array.from({ length: count }, (_, number) => useBefore(now, seconds, { factId: `t${number}` }));

  it('is five uses of a card within 12 hours, and then one more', () => {
    expect(velocity(now, uses(4), settings.velocity)).toBeUndefined();
    expect(velocity(now, uses(5), settings.velocity)).toEqual({
      rule: 'velocity',
      score: 40,
      inputs: { earlierUses: 5, windowHours: 12 },
    });
  });

  it('counts what lies exactly 12 hours back, and nothing before', () => {
    expect(velocity(now, uses(5, 12 * HOUR), settings.velocity)).toBeDefined();
    expect(velocity(now, [...uses(4), ...uses(1, 12 * HOUR + 1)], settings.velocity)).toBeUndefined();
  });
});

describe('duplicate', () => {
  const now = subject();
  const against = (...history: ReturnType<typeof useBefore>[]) => duplicate(now, history, settings.duplicate);

  it('is the same card, merchant, kind, amount and currency within 5 minutes', () => {
    expect(against(useBefore(now, 299))).toEqual({
      rule: 'duplicate',
      score: 70,
      inputs: { otherTransactionId: 'earlier-299', seconds: 299 },
    });
    expect(against(useBefore(now, 5 * MINUTE))).toBeDefined();
    expect(against(useBefore(now, 5 * MINUTE + 1))).toBeUndefined();
  });

  it.each([
    ['merchant', { merchantId: 'mer_other' }],
    ['kind', { kind: 'refund' as const }],
    ['amount', { amount: 498 }],
    ['currency', { currency: 'EUR' }],
  ])('is not one of another %s', (_, changes) => {
    expect(against(useBefore(now, 1, changes))).toBeUndefined();
  });

  it('names the latest of those it repeats', () => {
    expect(against(useBefore(now, 3, { amount: 1 }), useBefore(now, 20), useBefore(now, 30))?.inputs).toEqual(
      {
        otherTransactionId: 'earlier-20',
        seconds: 20,
      },
    );
  });
});

describe('night and large', () => {
  const at = (time: string, amount = 25_001) =>
    nightLarge(subject({ occurredAt: `2026-03-10T${time}`, amount }), undefined, settings.nightLarge);

  it('is more than 250.00 from 22:00 to before 04:00', () => {
    expect(at('22:00:00-04:00')).toEqual({
      rule: 'night-large',
      score: 70,
      inputs: { localHour: 22, amount: '250.01', currency: 'USD' },
    });
    expect(at('03:59:59-04:00')).toBeDefined();
    expect(at('00:00:00-04:00')).toBeDefined();
    expect(at('21:59:59-04:00')).toBeUndefined();
    expect(at('04:00:00-04:00')).toBeUndefined();
    expect(at('23:00:00-04:00', 25_000)).toBeUndefined();
  });

  it('goes by the clock of the point of sale, not by UTC', () => {
    // 02:00 in Tokyo is 17:00 UTC of the day before; 14:00 in Tokyo is 05:00 UTC.
    expect(at('02:00:00+09:00')).toBeDefined();
    expect(at('23:00:00-11:00')).toBeDefined();
    expect(at('14:00:00+13:00')).toBeUndefined();
  });

  it('compares in USD at the day’s rate, exactly', () => {
    const inYen = (amount: number, rates = fxRates()) =>
      nightLarge(
        subject({ occurredAt: '2026-03-10T23:00:00+09:00', currency: 'JPY', amount }),
        rates,
        settings.nightLarge,
      );
    // 250 USD × 147.25 = 36,812.5 JPY
    expect(inYen(36_812)).toBeUndefined();
    expect(inYen(36_813)?.inputs).toMatchObject({ amount: '250.00', currency: 'USD' });
    const throughEuro = fxRates({ base: 'EUR', rates: { USD: '1.1', JPY: '161.975' } });
    expect(inYen(36_812, throughEuro)).toBeUndefined();
    expect(inYen(36_813, throughEuro)).toBeDefined();
  });

  it('is not known of a currency without a rate', () => {
    const inPounds = subject({ occurredAt: '2026-03-10T23:00:00Z', currency: 'GBP', amount: 10 ** 9 });
    expect(nightLarge(inPounds, undefined, settings.nightLarge)).toBeUndefined();
    expect(nightLarge(inPounds, fxRates(), settings.nightLarge)).toBeUndefined();
  });

  it('may be set to hours that do not span midnight', () => {
    const early = { ...settings.nightLarge, fromHour: 1, untilHour: 5 };
    const hour = (text: string) =>
      nightLarge(subject({ occurredAt: `2026-03-10T${text}:00:00Z`, amount: 99_999 }), undefined, early);
    expect([hour('00'), hour('05'), hour('23')]).toEqual([undefined, undefined, undefined]);
    expect([hour('01'), hour('04')].map((verdict) => verdict?.rule)).toEqual(['night-large', 'night-large']);
  });
});

describe('amount spike', () => {
  const spike = (
    amount: number,
    before: readonly (readonly [amount: number, currency?: string, seconds?: number])[],
    currency = 'USD',
    rates?: ReturnType<typeof fxRates>,
  ) => {
    const now = subject({ amount, currency });
    const sales = before.map(([earlier, itsCurrency = currency, seconds = DAY], number) =>
      useBefore(now, seconds, { factId: `t${number}`, amount: earlier, currency: itsCurrency }),
    );
    return amountSpike(now, sales, rates, settings.amountSpike);
  };
  const five = [[100], [100], [100], [100], [102]] as const;

  it('is more than five times the exact mean of the card’s sales before', () => {
    // The mean is 1.004, five times that is 5.02.
    expect(spike(502, five)).toBeUndefined();
    expect(spike(503, five)).toEqual({
      rule: 'amount-spike',
      score: 40,
      inputs: { amount: '5.03', mean: '1.00', currency: 'USD', earlierUses: 5, windowDays: 30 },
    });
  });

  it('needs five sales before', () => {
    expect(spike(10_000, five.slice(1))).toBeUndefined();
  });

  it('counts what lies exactly 30 days back, and nothing before', () => {
    const four = five.slice(1);
    expect(spike(10_000, [...four, [100, 'USD', 30 * DAY]])).toBeDefined();
    expect(spike(10_000, [...four, [100, 'USD', 30 * DAY + 1]])).toBeUndefined();
  });

  it('compares sales in several currencies in USD', () => {
    const rates = fxRates({ rates: { EUR: '0.5', JPY: '100', KWD: '0.25' } });
    // 1.00 USD, 0.50 EUR, 100 JPY and 0.250 KWD are worth 1 USD each.
    const mixed = [[100], [50, 'EUR'], [100, 'JPY'], [250, 'KWD'], [100]] as const;
    expect(spike(500, mixed, 'USD', rates)).toBeUndefined();
    expect(spike(501, mixed, 'USD', rates)?.inputs).toMatchObject({ amount: '5.01', mean: '1.00' });
    const inEuro = mixed.map(([amount, currency = 'USD']) => [amount, currency] as const);
    expect(spike(250, inEuro, 'EUR', rates)).toBeUndefined();
    expect(spike(251, inEuro, 'EUR', rates)?.inputs).toMatchObject({ amount: '5.02', currency: 'USD' });
  });

  it('leaves out sales whose currency has no rate', () => {
    const rates = fxRates({ rates: { EUR: '0.5' } });
    expect(spike(501, [...five.slice(1), [100, 'JPY']], 'USD', rates)).toBeUndefined();
    expect(spike(501, [[100], [100], [100], [100], [100], [1, 'JPY']], 'USD', rates)?.inputs).toMatchObject({
      earlierUses: 5,
      mean: '1.00',
    });
  });

  it('without rates compares within the transaction’s own currency', () => {
    const yen = [[100], [100], [100], [100], [100], [1, 'USD']] as const;
    expect(spike(500, yen, 'JPY')).toBeUndefined();
    expect(spike(501, yen, 'JPY')?.inputs).toEqual({
      amount: '501',
      mean: '100',
      currency: 'JPY',
      earlierUses: 5,
      windowDays: 30,
    });
  });

  it('stays exact at the largest amounts', () => {
    const largest = 10 ** 12;
    const before = Array.from(
      { length: 1000 },
      (_, number) => [largest / 5 + (number === 0 ? -1 : 0)] as const,
    );
    expect(spike(largest, before)).toBeDefined();
    expect(spike(largest, before.toSpliced(0, 1, [largest / 5]))).toBeUndefined();
  });
});

describe('high-risk category', () => {
  it('is one of the twelve', () => {
    expect(settings.highRiskCategory.categories).toHaveLength(12);
    expect(highRiskCategory(subject({ merchantCategoryCode: '7995' }), settings.highRiskCategory)).toEqual({
      rule: 'high-risk-category',
      score: 20,
      inputs: { merchantCategoryCode: '7995' },
    });
    expect(
      highRiskCategory(subject({ merchantCategoryCode: '5411' }), settings.highRiskCategory),
    ).toBeUndefined();
  });
});

describe('an assessment', () => {
  const nothing = { uses: [], smallSales: [] };

  it('of what meets no rule is 0, and says nothing', () => {
    expect(assess(subject(), nothing, undefined, settings)).toEqual({ score: 0, rules: [] });
  });

  it('adds up the scores, and keeps each rule with its inputs', () => {
    const now = subject({ amount: 100_000, merchantCategoryCode: '6051' });
    const uses = Array.from({ length: 5 }, (_, number) => useBefore(now, HOUR + number, { amount: 1000 }));
    const { score, rules } = assess(now, { ...nothing, uses }, undefined, settings);
    expect(score).toBe(100);
    expect(rules.map(({ rule }) => rule)).toEqual(['amount-spike', 'velocity', 'high-risk-category']);
  });

  it('of a refund knows duplicates among refunds only', () => {
    const refund = subject({ kind: 'refund', amount: 99_999, occurredAt: '2026-03-10T23:00:00Z' });
    const uses = Array.from({ length: 20 }, (_, number) => useBefore(refund, number + 1, { kind: 'sale' }));
    expect(assess(refund, { ...nothing, uses }, undefined, settings).score).toBe(0);
    const again = [...uses, useBefore(refund, 30)];
    expect(assess(refund, { ...nothing, uses: again }, undefined, settings)).toMatchObject({
      score: 70,
      rules: [{ rule: 'duplicate', inputs: { otherTransactionId: 'earlier-30' } }],
    });
  });

  it('of a sale does not take refunds for uses of the card', () => {
    const now = subject({ amount: 99_999 });
    const uses = Array.from({ length: 20 }, (_, number) =>
      useBefore(now, number + 1, { kind: 'refund', amount: 1 }),
    );
    expect(assess(now, { ...nothing, uses }, undefined, settings).score).toBe(0);
  });

  it('holds all but the first of five equal sales within five minutes, and none of equal gifts an hour apart', () => {
    const held = (secondsApart: number) =>
      Array.from({ length: 5 }, (_, number) => {
        const gift = subject({ factId: `gift-${number}` });
        const uses = Array.from({ length: number }, (__, earlier) =>
          useBefore(gift, (earlier + 1) * secondsApart),
        );
        return assess(gift, { ...nothing, uses }, undefined, settings).score >= settings.holdScore;
      });
    expect(held(MINUTE)).toEqual([false, true, true, true, true]);
    expect(held(HOUR)).toEqual([false, false, false, false, false]);
  });

  it('names no card, and with every rule met still fits a kilobyte with its entry', () => {
    const now = subject({
      factId: 'f'.repeat(32),
      terminalId: 't'.repeat(64),
      amount: 10 ** 12,
      currency: 'KWD',
      cardToken: 'tok_secret',
      merchantCategoryCode: '6051',
      occurredAt: '2026-03-10T23:00:00Z',
      location: { latitude: 0, longitude: 90 },
    });
    const uses = Array.from({ length: 20 }, (_, number) =>
      useBefore(now, number + 1, {
        factId: 'e'.repeat(32),
        location: { latitude: 0, longitude: 0 },
        amount: number === 0 ? now.amount : 1,
      }),
    );
    const { rules } = assess(now, { ...nothing, uses }, fxRates(), settings);
    expect(rules.map(({ rule }) => rule)).toEqual([
      'impossible-travel',
      'burst',
      'duplicate',
      'night-large',
      'amount-spike',
      'velocity',
      'high-risk-category',
    ]);
    expect(JSON.stringify(rules)).not.toContain('tok_');
    expect(JSON.stringify(rules).length).toBeLessThan(1000);
  });
});

describe('what an assessment sees', () => {
  const now = subject({ factId: 'm' });
  const bounds = { seen: 3, examined: 5 };
  const seen = (...past: ReturnType<typeof useBefore>[]) =>
    seenBy(now, past, HOUR * 1000, bounds).map(({ factId }) => factId);

  it('lies strictly before it: by the instant, then by id', () => {
    expect(
      seen(
        useBefore(now, -1, { factId: 'later' }),
        useBefore(now, 0, { factId: 'n' }),
        useBefore(now, 0, { factId: 'm' }),
        useBefore(now, 0, { factId: 'l' }),
        useBefore(now, 1, { factId: 'earlier' }),
      ),
    ).toEqual(['l', 'earlier']);
  });

  it('belongs to its business date or an earlier one, and to the window', () => {
    expect(
      seen(
        useBefore(now, 1, { factId: 'rolled', businessDate: '2026-03-11' }),
        useBefore(now, 2, { factId: 'before', businessDate: '2026-03-09' }),
        useBefore(now, HOUR, { factId: 'just' }),
        useBefore(now, HOUR + 1, { factId: 'old' }),
      ),
    ).toEqual(['before', 'just']);
  });

  it('is the latest of them, and bounded', () => {
    expect(seen(...[1, 2, 3, 4].map((seconds) => useBefore(now, seconds)))).toEqual([
      'earlier-1',
      'earlier-2',
      'earlier-3',
    ]);
    const rolled = [1, 2, 3, 4].map((seconds) => useBefore(now, seconds, { businessDate: '2026-03-11' }));
    expect(seen(...rolled, useBefore(now, 5), useBefore(now, 6))).toEqual(['earlier-5']);
  });
});

describe('rates', () => {
  const inEuro = (occurredAt: string) => subject({ currency: 'EUR', occurredAt });

  it('are needed for no day that is all in one currency, nor for USD at night', () => {
    const noon = inEuro('2026-03-10T12:00:00Z');
    expect(currenciesCompared(noon, [useBefore(noon, 1)], settings)).toEqual([]);
    const night = subject({ occurredAt: '2026-03-10T23:00:00Z' });
    expect(currenciesCompared(night, [useBefore(night, 1)], settings)).toEqual([]);
  });

  it('are needed at night, and for a card used in several currencies', () => {
    expect(currenciesCompared(inEuro('2026-03-10T23:00:00Z'), [], settings)).toEqual(['EUR']);
    const noon = inEuro('2026-03-10T12:00:00Z');
    const abroad = [useBefore(noon, 1, { currency: 'USD' }), useBefore(noon, 2, { currency: 'JPY' })];
    expect(currenciesCompared(noon, abroad, settings)).toEqual(['EUR', 'JPY']);
  });
});
