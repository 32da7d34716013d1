/** Source: ISO/IEC 7812, https://baymard.com/checkout-usability/credit-card-patterns, package `credit-card-type`. */
const networks: readonly { readonly prefix: RegExp; readonly lengths: readonly number[] }[] = [
  { prefix: /^4/, lengths: [13, 16, 19] }, // Visa
  { prefix: /^(?:5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720)/, lengths: [16] }, // Mastercard
  { prefix: /^3[47]/, lengths: [15] }, // American Express
  { prefix: /^3(?:0[0-59]|[689])/, lengths: [14, 16, 19] }, // Diners Club
  { prefix: /^35(?:2[89]|[3-8])/, lengths: [16, 17, 18, 19] }, // JCB
  { prefix: /^(?:62|81)/, lengths: [16, 17, 18, 19] }, // UnionPay
  { prefix: /^(?:5[06-8]|6304|6390|67)/, lengths: [12, 13, 14, 15, 16, 17, 18, 19] }, // Maestro
  // Discover and other Maestro issuers. Shorter numbers could be reference numbers: ISO 8583, field 37, begins with the
  // year's last digit and the day.
  { prefix: /^6/, lengths: [16, 17, 18, 19] },
];

/** Digits by group, as printed; from the same source. */
const GROUPINGS: ReadonlySet<string> = new Set([
  '4-4-4',
  '4-4-5',
  '4-3-3-3',
  '4-4-4-1',
  '4-6-4',
  '4-4-4-2',
  '4-6-5',
  '4-4-4-3',
  '4-4-4-4',
  '4-4-4-5',
  '4-4-4-4-1',
  '4-4-4-6',
  '4-4-4-4-2',
  '4-4-4-7',
  '4-4-4-4-3',
  '6-13',
]);
const MOST_GROUPS = 5;

/**
 * Snowflake ids (41 bits of milliseconds, then 22) have 17 or 18 digits for 7 years, then 19 that begin with 1 to 3
 * until year 30. Nanoseconds since 1970 have 19 digits that begin with 1 or 2 until 2065.
 */
const SNOWFLAKE_OR_NANOSECONDS = /^(?:\d{17,18}|[1-3]\d{18})$/;
/** Issuers (ISO/IEC 7812-1:2017) whose published test numbers have 17 or 18 digits. */
const TEST_ISSUERS = /^(?:62123456|58682416|67594111)/;

/** RFC 9562. Its digits are no number of their own. */
const UUID = /[0-9a-f]{8}([-_])(?:[0-9a-f]{4}\1){3}[0-9a-f]{12}/gi;
/** Spares most texts a closer look. */
const ENOUGH_DIGITS = /\d(?:[ ._-]?\d){11}/;
const TOKEN = /[\p{L}\p{N}]+/gu;
const LONG_INTEGER = /(?<![\p{L}\p{N}])\d{16,19}(?![\p{L}\p{N}])/gu;
const SEPARATOR = /^[ ._-]$/;

/**
 * Finds card numbers (PANs): digits with a network's prefix and length that pass the Luhn check, plain or grouped as
 * printed with one separator, and not part of a longer word. Looks into arrays, objects and their names. PCI DSS,
 * requirement 3: only tokens are kept.
 */
export function containsCardNumber(value: unknown): boolean {
  // Not recursive, because a body may nest deeper than the stack.
  const rest: unknown[] = [value];
  while (rest.length > 0) {
    const next = rest.pop();
    if (typeof next === 'string' && textContainsCardNumber(next)) return true;
    if (typeof next === 'number' && Number.isInteger(next) && isIntegerCardNumber(next)) return true;
    if (typeof next !== 'object' || next === null) continue;
    for (const [name, member] of Object.entries(next)) {
      if (!Array.isArray(next)) rest.push(name);
      rest.push(member);
    }
  }
  return false;
}

export function textContainsCardNumber(text: string): boolean {
  if (!ENOUGH_DIGITS.test(text)) return false;
  const tokens = [...text.replaceAll(UUID, 'uuid').matchAll(TOKEN)];
  return tokens.some((token, index) => {
    if (!/^\d{4,19}$/.test(token[0])) return false;
    return isPlainCardNumber(token) || startsGroupedCardNumber(tokens, index);
  });
}

/** Parsing would round integers beyond 2^53. */
export function jsonContainsLongCardNumber(json: string): boolean {
  return [...json.matchAll(LONG_INTEGER)].some(isPlainCardNumber);
}

function isPlainCardNumber({ 0: digits, index, input }: RegExpExecArray): boolean {
  if (SNOWFLAKE_OR_NANOSECONDS.test(digits) && !TEST_ISSUERS.test(digits)) return false;
  if (!isCardNumber(digits)) return false;
  // Decimals are no number of their own.
  return !/\d\.$/.test(input.slice(Math.max(0, index - 2), index));
}

/** An integer of 12 digits is an amount, not a Maestro number. */
function isIntegerCardNumber(integer: number): boolean {
  return integer >= 1e12 && textContainsCardNumber(BigInt(integer).toString());
}

function startsGroupedCardNumber(tokens: readonly RegExpExecArray[], first: number): boolean {
  const groups: string[] = [];
  let separator: string | undefined;
  for (const [number, { 0: group, index, input }] of tokens.slice(first, first + MOST_GROUPS).entries()) {
    if (!/^\d{1,13}$/.test(group)) return false;
    const before = tokens[first + number - 1];
    if (number > 0 && before !== undefined) {
      const between = input.slice(before.index + before[0].length, index);
      if (!SEPARATOR.test(between) || (separator ?? between) !== between) return false;
      separator = between;
    }
    groups.push(group);
    if (GROUPINGS.has(groups.map(({ length }) => length).join('-')) && isCardNumber(groups.join(''))) {
      return true;
    }
  }
  return false;
}

function isCardNumber(digits: string): boolean {
  return (
    networks.some(({ prefix, lengths }) => lengths.includes(digits.length) && prefix.test(digits)) &&
    passesLuhn(digits)
  );
}

/** ISO/IEC 7812-1, annex B. */
function passesLuhn(digits: string): boolean {
  let sum = 0;
  for (let position = 0; position < digits.length; position++) {
    const digit = Number(digits.at(-1 - position));
    const doubled = position % 2 === 1 ? digit * 2 : digit;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
}
