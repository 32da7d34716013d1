import { createRequire } from 'node:module';
import { describe, expect, it } from '@jest/globals';
import * as v from 'valibot';
import { isMerchantCategoryCode } from '../../../lambda/card-settlement/domain/merchant-category-code.ts';

/** An independent list of the codes; its 9999, "Miscellaneous", is its own. */
const published = new Set(
  v
    .parse(
      v.object({ mcc_without_groups_en: v.array(v.object({ mcc: v.pipe(v.string(), v.regex(/^\d{4}$/)) })) }),
      createRequire(import.meta.url)('merchant-category-codes'),
    )
    .mcc_without_groups_en.map(({ mcc }) => mcc)
    .filter((code) => code !== '9999'),
);

describe('a merchant category code', () => {
  it('is one of those that are published, and no other of the ten thousand', () => {
    const all = Array.from({ length: 10_000 }, (_, number) => String(number).padStart(4, '0'));
    expect(published.size).toBeGreaterThan(900);
    expect(all.filter(isMerchantCategoryCode)).toEqual(all.filter((code) => published.has(code)));
  });

  it.each(['', '742', '00742', ' 5411', '5411\n', '54११', 'abcd', '-742', '3000-3302', '5e3'])(
    'is not %j',
    (code) => {
      expect(isMerchantCategoryCode(code)).toBe(false);
    },
  );
});
