/** Digits with at most one space or hyphen between two of them, not adjacent to a letter, digit or decimal point. */
const SEPARATED_RUN = /(?<![\p{L}\d.])\d(?:[ -]?\d)*(?![\p{L}\d.])/gu;
const PLAIN_RUN = /\d+/g;

/**
 * True if a value holds what may be a card number (PAN): a run of 13 to 19 digits, spaces and hyphens between digits
 * removed, not adjacent to a letter, digit or decimal point, that begins with 2 to 6 and passes the Luhn check; or an
 * integer like it. Looks into arrays, and into objects, names included. PCI DSS, requirement 3: only tokens are kept.
 */
export function containsCardNumber(value: unknown): boolean {
  // A list of what is left to look at, no recursion: a body may nest deeper than the stack is.
  const rest: unknown[] = [value];
  while (rest.length > 0) {
    const next = rest.pop();
    if (typeof next === 'string' && textContainsCardNumber(next)) return true;
    if (typeof next === 'number' && Number.isInteger(next) && isCardNumber(BigInt(next).toString())) {
      return true;
    }
    if (typeof next !== 'object' || next === null) continue;
    for (const [name, member] of Object.entries(next)) {
      if (!Array.isArray(next)) rest.push(name);
      rest.push(member);
    }
  }
  return false;
}

/** The same for one text, such as a request body before it is parsed: parsing rounds integers beyond 2^53. */
export function textContainsCardNumber(text: string): boolean {
  // A decimal point is one only between digits; a sentence may end in a card number.
  for (const [run] of text.replaceAll(/\.(?!\d)/g, '\n').matchAll(SEPARATED_RUN)) {
    if (isCardNumber(run.replaceAll(/[ -]/g, ''))) return true;
    // Another number before or after it must not hide one: "order 12 4111111111111111".
    if (run.match(PLAIN_RUN)?.some(isCardNumber) === true) return true;
  }
  return false;
}

function isCardNumber(digits: string): boolean {
  return /^[2-6]\d{12,18}$/.test(digits) && passesLuhn(digits);
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
