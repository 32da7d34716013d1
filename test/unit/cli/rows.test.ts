import { describe, expect, it } from '@jest/globals';
import {
  parseMerchantRow,
  parseTransactionRow,
  shiftInstant,
  type TransactionRow,
} from '../../../cli/replay/rows.ts';

const sale = {
  transaction_id: '0b242abb623afc578575680df30655b9',
  occurred_at: '2019-01-01T00:00:18Z',
  card_token: 'tok_d6f66cb8',
  merchant_id: 'mer_12764b37',
  merchant_name: 'Rippin, Kub and Mann',
  merchant_category_code: '5999',
  amount_minor: '497',
  currency: 'USD',
  merchant_country: 'US',
  merchant_latitude: '49.159046999999994',
  merchant_longitude: '-82.048315',
  is_fraud: '1',
};

function parsed(values: Record<string, string>): TransactionRow {
  const row = parseTransactionRow(2, values);
  if (typeof row === 'string') throw new Error(row);
  return row;
}

describe('a row of the transactions file', () => {
  it('becomes the body that the API expects', () => {
    expect(parsed(sale).body).toEqual({
      merchantId: 'mer_12764b37',
      terminalId: 'mer_12764b37-1',
      type: 'sale',
      cardToken: 'tok_d6f66cb8',
      amount: 497,
      currency: 'USD',
      merchantCategoryCode: '5999',
      merchantCountry: 'US',
      location: { latitude: 49.159_046_999_999_994, longitude: -82.048_315 },
    });
  });

  it('sends neither the label is_fraud nor any unknown column', () => {
    const { body } = parsed({ ...sale, is_fraud: 'burst', surprise: 'never sent' });
    expect(JSON.stringify(body)).not.toMatch(/fraud|burst|surprise|never sent|Rippin/);
  });

  it.each([
    ['1', 'fraud'],
    ['true', 'fraud'],
    ['Burst', 'burst'],
    ['0', undefined],
    ['false', undefined],
    ['', undefined],
  ])('with %j in is_fraud is labelled %s', (text, label) => {
    expect(parsed({ ...sale, is_fraud: text }).label).toBe(label);
  });

  it('without the column is_fraud has no label', () => {
    const { is_fraud: _label, ...unlabelled } = sale;
    expect(parsed(unlabelled).label).toBeUndefined();
  });

  it('may name its type, terminal and original', () => {
    const row = parsed({ ...sale, type: 'refund', terminal_id: 'till-7', original_transaction_id: 'abc' });
    expect(row.body).toMatchObject({ type: 'refund', terminalId: 'till-7' });
    expect(row.originalTransactionId).toBe('abc');
  });

  it('gets a terminal within 64 characters for the longest merchant identifier', () => {
    const { terminalId } = parsed({ ...sale, merchant_id: 'm'.repeat(64) }).body;
    expect(terminalId).toMatch(/^[A-Za-z0-9_-]{64}$/);
  });

  it.each([
    [{ amount_minor: '4.97' }, "amount_minor is no whole number of the currency's minor unit: 4.97"],
    [{ amount_minor: '' }, 'amount_minor is empty'],
    [{ card_token: '', currency: '' }, 'card_token, currency are empty'],
    [{ occurred_at: 'yesterday' }, 'occurred_at is no instant such as 2026-01-31T23:59:59Z: yesterday'],
    [{ occurred_at: '2019-02-30T00:00:00Z' }, 'occurred_at is no instant'],
    [{ occurred_at: '2019-01-01T25:00:00Z' }, 'occurred_at is no instant'],
    [
      { merchant_latitude: '12', merchant_longitude: '' },
      'merchant_latitude and merchant_longitude are no place: 12, empty',
    ],
  ])('is reported where it is wrong: %j', (wrong, fault) => {
    expect(parseTransactionRow(2, { ...sale, ...wrong })).toContain(fault);
  });
});

describe('an instant moved by days', () => {
  it.each([
    ['2019-01-31T23:59:59.123Z', 1, '2019-02-01T23:59:59.123Z'],
    ['2020-02-28T08:00:00+05:30', 1, '2020-02-29T08:00:00+05:30'],
    ['2019-01-01T00:00:18Z', -1, '2018-12-31T00:00:18Z'],
    ['2019-01-01T00:00:18Z', 0, '2019-01-01T00:00:18Z'],
  ])('%s + %i days is %s', (text, days, expected) => {
    expect(shiftInstant(text, days)).toBe(expected);
    expect(Date.parse(expected) - Date.parse(text)).toBe(days * 86_400_000);
  });
});

describe('a row of the merchants file', () => {
  const merchant = {
    merchant_id: 'mer_1',
    merchant_name: 'Kemmer',
    country: 'JP',
    settlement_currency: 'JPY',
    fee_basis_points: '220',
    fee_fixed_minor: '10',
  };

  it('becomes a profile', () => {
    expect(parseMerchantRow(merchant)).toEqual({
      merchantId: 'mer_1',
      profile: {
        name: 'Kemmer',
        country: 'JP',
        settlementCurrency: 'JPY',
        feeBasisPoints: 220,
        feeFixedMinor: 10,
      },
    });
  });

  it('is reported where it is wrong', () => {
    expect(parseMerchantRow({ ...merchant, fee_basis_points: '2.2' })).toBe(
      'fee_basis_points is no whole number: 2.2',
    );
    expect(parseMerchantRow({ ...merchant, merchant_id: '' })).toBe('merchant_id is empty');
  });
});
