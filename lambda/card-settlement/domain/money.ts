import currencyCodes from 'currency-codes';

/** 497n USD is 4.97 USD, 497n JPY is 497 JPY. */
export type MinorUnits = bigint;

/** Exact; `denominator` > 0. */
export interface Ratio {
  readonly numerator: bigint;
  readonly denominator: bigint;
}

/** Digits of the minor unit (ISO 4217: JPY 0, USD 2, KWD 3), or undefined if unknown. */
export function currencyExponent(currency: string): number | undefined {
  // XXX (none) and XTS (testing) stand for no money.
  if (!/^[A-Z]{3}$/.test(currency) || currency === 'XXX' || currency === 'XTS') return undefined;
  return currencyCodes.code(currency)?.digits;
}

/**
 * Codes of ISO 4217 that no market quotes, so no card is charged in them: metals, units of account, fund codes,
 * Uruguay's pension unit and Cuba's withdrawn convertible peso.
 */
const UNQUOTED: ReadonlySet<string> = new Set(
  'XAG XAU XBA XBB XBC XBD XDR XPD XPT XSU XUA BOV CHE CHW CLF COU MXV USN UYI UYW CUC'.split(' '),
);

export function isQuotedCurrency(currency: string): boolean {
  return currencyExponent(currency) !== undefined && !UNQUOTED.has(currency);
}

/** A half goes to the even neighbour (IEEE 754 roundTiesToEven). */
export function divideHalfEven(numerator: bigint, denominator: bigint): bigint {
  if (denominator <= 0n) throw new RangeError('denominator must be positive');
  const negative = numerator < 0n;
  const magnitude = negative ? -numerator : numerator;
  const quotient = magnitude / denominator;
  const twiceRemainder = 2n * (magnitude % denominator);
  const roundsUp = twiceRemainder > denominator || (twiceRemainder === denominator && quotient % 2n === 1n);
  const rounded = roundsUp ? quotient + 1n : quotient;
  return negative ? -rounded : rounded;
}

/**
 * `halfEven(amount × rate × 10^(toExponent − fromExponent))`
 * @param rate units of the target currency per unit of the source currency
 */
export function convert(
  amount: MinorUnits,
  rate: Ratio,
  fromExponent: number,
  toExponent: number,
): MinorUnits {
  return divideHalfEven(
    amount * rate.numerator * 10n ** BigInt(toExponent),
    rate.denominator * 10n ** BigInt(fromExponent),
  );
}

/** `halfEven(gross × basisPoints / 10,000) + fixed` */
export function feeOf(gross: MinorUnits, feeBasisPoints: number, feeFixedMinor: number): MinorUnits {
  return divideHalfEven(gross * BigInt(feeBasisPoints), 10_000n) + BigInt(feeFixedMinor);
}

/** Plain decimal text, such as `0.9213`, exactly. Undefined unless it is greater than 0. */
export function parseDecimal(text: string): Ratio | undefined {
  const match = /^(\d{1,12})(?:\.(\d{1,12}))?$/.exec(text);
  if (match === null) return undefined;
  const fraction = match[2] ?? '';
  const numerator = BigInt(`${match[1] ?? ''}${fraction}`);
  return numerator === 0n ? undefined : { numerator, denominator: 10n ** BigInt(fraction.length) };
}
