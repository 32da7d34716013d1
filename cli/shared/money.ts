import currencyCodes from 'currency-codes';

/** The number of digits of a currency's minor unit by ISO 4217 (JPY 0, USD 2, KWD 3); 2 for a currency it lacks. */
function exponentOf(currency: string): number {
  return currencyCodes.code(currency)?.digits ?? 2;
}

/**
 * An amount as people read it: `formatAmount(33594557n, 'USD')` is `335,945.57 USD`.
 *
 * @param minorUnits an integer in the currency's minor unit
 */
export function formatAmount(minorUnits: bigint, currency: string): string {
  const exponent = exponentOf(currency);
  const digits = (minorUnits < 0n ? -minorUnits : minorUnits).toString().padStart(exponent + 1, '0');
  const whole = groupThousands(digits.slice(0, digits.length - exponent));
  const fraction = exponent === 0 ? '' : `.${digits.slice(-exponent)}`;
  return `${minorUnits < 0n ? '-' : ''}${whole}${fraction} ${currency}`;
}

/** A whole number as people read it: `5,039`. */
export function formatCount(count: number | bigint): string {
  return groupThousands(count.toString());
}

function groupThousands(digits: string): string {
  return digits.replaceAll(/\B(?=(\d{3})+(?!\d))/g, ',');
}
