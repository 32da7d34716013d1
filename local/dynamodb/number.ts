/*
 * DynamoDB's numbers: 38 digits, magnitudes from 1E-130 to 9.99…E+125, and 0. No double holds them. Source: Amazon
 * DynamoDB developer guide, "Data types".
 */

const MAXIMUM_DIGITS = 38;
const MAXIMUM_EXPONENT = 125;
const MINIMUM_EXPONENT = -130;

/** ±d.ddd × 10^exponent. The digits neither begin nor end with a zero; zero has none. */
interface Decimal {
  readonly isNegative: boolean;
  readonly digits: string;
  readonly exponent: number;
}

const ZERO: Decimal = { isNegative: false, digits: '', exponent: 0 };

function decimalOf(text: string): Decimal | undefined {
  const parts = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,9}))?$/.exec(text);
  if (parts === null) return undefined;
  const [, sign, whole = '', fraction = '', exponent = '0'] = parts;
  const all = whole + fraction;
  if (all === '') return undefined;
  const digits = all.replace(/^0+/, '');
  if (digits === '') return ZERO;
  const zeros = all.length - digits.length;
  return {
    isNegative: sign === '-',
    digits: digits.replace(/0+$/, ''),
    exponent: whole.length - 1 - zeros + Number(exponent),
  };
}

function textOf({ isNegative, digits, exponent }: Decimal): string {
  if (digits === '') return '0';
  const point = exponent + 1;
  const text =
    point <= 0
      ? `0.${'0'.repeat(-point)}${digits}`
      : digits.length <= point
        ? digits.padEnd(point, '0')
        : `${digits.slice(0, point)}.${digits.slice(point)}`;
  return isNegative ? `-${text}` : text;
}

export function canonicalNumber(text: string): string | undefined {
  const decimal = decimalOf(text);
  return decimal && textOf(decimal);
}

export function numberProblem(text: string): string | undefined {
  const decimal = decimalOf(text);
  if (decimal === undefined) {
    return `The parameter cannot be converted to a numeric value${text === '' ? '' : `: ${text}`}`;
  }
  const { digits, exponent } = decimal;
  if (exponent > MAXIMUM_EXPONENT) {
    return 'Number overflow. Attempting to store a number with magnitude larger than supported range';
  }
  if (exponent < MINIMUM_EXPONENT) {
    return 'Number underflow. Attempting to store a number with magnitude smaller than supported range';
  }
  return digits.length > MAXIMUM_DIGITS
    ? 'Attempting to store more than 38 significant digits in a Number'
    : undefined;
}

/** Exact, even beyond what DynamoDB can keep. */
export function sumOf(left: string, right: string): string {
  const [a, b] = [decimalOf(left) ?? ZERO, decimalOf(right) ?? ZERO];
  // Both are whole multiples of the last digit's place.
  const unit = Math.min(a.exponent - a.digits.length, b.exponent - b.digits.length) + 1;
  const units = ({ isNegative, digits, exponent }: Decimal): bigint => {
    const count = BigInt(digits.padEnd(exponent - unit + 1, '0') || '0');
    return isNegative ? -count : count;
  };
  return canonicalNumber(`${units(a) + units(b)}e${unit}`) ?? '0';
}

export function negated(text: string): string {
  if (text === '0') return text;
  return text.startsWith('-') ? text.slice(1) : `-${text}`;
}

/** Text that sorts as the numbers do. */
export function numberOrder(text: string): string {
  const { isNegative, digits, exponent } = decimalOf(text) ?? ZERO;
  if (digits === '') return '1';
  const place = String(exponent - MINIMUM_EXPONENT).padStart(3, '0');
  if (!isNegative) return `2${place}${digits}`;
  // Negative numbers sort in reverse: nines' complements, and an end above any digit.
  return `0${`${place}${digits}`.replaceAll(/\d/g, (digit) => String(9 - Number(digit)))}~`;
}

/** A byte for every two significant digits, one more, and one for a sign. */
export function numberBytes(text: string): number {
  const digits = text.replaceAll(/[eE].*$|[+.-]/g, '').replaceAll(/^0+|0+$/g, '');
  return Math.ceil(digits.length / 2) + 1 + (text.startsWith('-') ? 1 : 0);
}
