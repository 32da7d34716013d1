import { describe, expect, it } from '@jest/globals';
import { settlementFile } from '../../../lambda/card-settlement/domain/settlement-file.ts';

const header = { businessDate: '2026-03-10', final: true, asOf: '2026-03-10T21:00:31.000Z' };

describe('a settlement file', () => {
  it('has a header, a line per merchant and currency, and a trailer per currency', () => {
    const file = settlementFile(header, [
      { merchantId: 'mer_a', currency: 'USD', count: 2, gross: 1000n, fees: 45n, net: 955n },
      { merchantId: 'mer_b', currency: 'JPY', count: 1, gross: -300n, fees: 0n, net: -300n },
      { merchantId: 'mer_b', currency: 'USD', count: 3, gross: 2000n, fees: 80n, net: 1920n },
    ]);
    expect(file).toBe(
      [
        'H,duotempo,1,2026-03-10,final,2026-03-10T21:00:31.000Z',
        'D,mer_a,USD,2,1000,45,955',
        'D,mer_b,JPY,1,-300,0,-300',
        'D,mer_b,USD,3,2000,80,1920',
        'T,JPY,1,1,-300,0,-300',
        'T,USD,2,5,3000,125,2875',
        '',
      ].join('\r\n'),
    );
  });

  it('of a day without transactions is its header, and says if it is preliminary', () => {
    expect(settlementFile({ ...header, final: false }, [])).toBe(
      'H,duotempo,1,2026-03-10,preliminary,2026-03-10T21:00:31.000Z\r\n',
    );
  });

  it('adds up beyond 2^53', () => {
    const most = {
      currency: 'JPY',
      count: 1,
      gross: 9_007_199_254_740_993n,
      fees: 1n,
      net: 9_007_199_254_740_992n,
    };
    const file = settlementFile(header, [
      { merchantId: 'a', ...most },
      { merchantId: 'b', ...most },
    ]);
    expect(file).toContain('\r\nT,JPY,2,2,18014398509481986,2,18014398509481984\r\n');
  });
});
