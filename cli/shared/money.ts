import currencyCodes from 'currency-codes';

/** `formatAmount(33594557n, 'USD')` is `335,945.57 USD`. */
export function formatAmount(minorUnits: bigint, currency: string): string {
  const exponent = currencyCodes.code(currency)?.digits ?? 2;
  const digits = (minorUnits < 0n ? -minorUnits : minorUnits).toString().padStart(exponent + 1, '0');
  const whole = formatCount(BigInt(digits.slice(0, digits.length - exponent)));
  const fraction = exponent === 0 ? '' : `.${digits.slice(-exponent)}`;
  return `${minorUnits < 0n ? '-' : ''}${whole}${fraction} ${currency}`;
}

export function formatCount(count: number | bigint): string {
  return count.toLocaleString('en-US');
}
