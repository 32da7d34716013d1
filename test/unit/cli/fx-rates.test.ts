import { describe, expect, it } from '@jest/globals';
import type { ApiRequest, CallApi } from '../../../cli/shared/api.ts';
import {
  datesForRates,
  fxRatesOf,
  loadFxRates,
  plainDecimal,
  readShippedFxRates,
} from '../../../cli/shared/fx-rates.ts';
import { FxRates } from '../../../lambda/card-settlement/domain/fx.ts';
import * as v from 'valibot';

describe('the FX rates that ship with the app', () => {
  it('are what the API accepts, with their date and source, of every currency that merchants settle in', async () => {
    const rates = await readShippedFxRates();
    expect(v.is(FxRates, rates)).toBe(true);
    expect(rates).toMatchObject({ base: 'USD', source: '@fawazahmed0/currency-api' });
    expect(rates.rateDate).toMatch(/^\d{4}-\d{2}-\d{2}$/);
    expect(Object.keys(rates.rates)).toEqual(expect.arrayContaining(['EUR', 'GBP', 'JPY', 'KWD', 'MXN']));
    expect(Buffer.byteLength(JSON.stringify(rates))).toBeLessThan(16 * 1024);
  });

  it('are of ISO 4217 only', () => {
    const rates = fxRatesOf({ date: '2026-09-29', usd: { eur: 0.9, btc: 1e-5, doge: 3, usd: 1 } });
    expect(rates.rates).toEqual({ EUR: '0.9' });
  });

  it.each([
    [0.9213, '0.9213'],
    [1e-7, '0.0000001'],
    [1.25e-9, '0.00000000125'],
    [1e21, `1${'0'.repeat(21)}`],
    [42, '42'],
  ])('are plain decimal text: %d', (value, text) => {
    expect(plainDecimal(value)).toBe(text);
  });

  it('are put for the open date and the 35 before it; frozen ones stay as they are', async () => {
    const requests: ApiRequest[] = [];
    const call: CallApi = async (request) => {
      requests.push(request);
      return { status: request.path.endsWith('2026-11-01') ? 409 : 204, headers: {}, body: undefined };
    };
    const rates = fxRatesOf({ date: '2026-09-29', usd: { eur: 0.9 } });
    const dates = datesForRates('2026-11-22');
    expect([dates[0], dates.at(-1)]).toEqual(['2026-11-22', '2026-10-18']);
    expect(await loadFxRates(call, rates, dates)).toBe(35);
    expect(requests).toHaveLength(36);
    expect(requests[0]).toEqual({ method: 'PUT', path: '/fx-rates/2026-11-22', body: rates });
  });

  it('that the API refuses are an error that says why', async () => {
    const body = { type: 'x', title: 'The rates are not valid', detail: 'Because.' };
    const call: CallApi = async () => ({ status: 400, headers: {}, body });
    const rates = fxRatesOf({ date: '2026-09-29', usd: { eur: 0.9 } });
    await expect(loadFxRates(call, rates, ['2026-11-22'])).rejects.toThrow(
      'The FX rates were refused: 400 The rates are not valid: Because.',
    );
  });
});
