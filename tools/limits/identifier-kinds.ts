import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

/** The same for the same seed. */
export interface Bits {
  /** Unsigned, with at most 32 bits. */
  readonly next: (bits: number) => number;
}

export function seededBits(seed: number): Bits {
  const generator = xoroshiro128plus(seed);
  return { next: (bits) => generator.next() >>> (32 - bits) };
}

const FROM = Date.UTC(2013, 0, 1);
const SPAN = Date.UTC(2033, 0, 1) - FROM;
/** Twitter's is among the oldest, so its ids are long. */
const SNOWFLAKE_EPOCH = 1_288_834_974_657;
const CROCKFORD = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** As JSON: text in quotes; a number may also be an integer. */
export const identifierKinds: Readonly<Record<string, (bits: Bits) => string>> = {
  'UUIDs, version 4': (bits) => `"${uuid(bits, hex(bits, 12), '4')}"`,
  'UUIDs, version 7': (bits) => `"${uuid(bits, instant(bits).toString(16).padStart(12, '0'), '7')}"`,
  ULIDs: (bits) => `"${crockford(instant(bits), 10)}${text(16, () => crockford(bits.next(5), 1))}"`,
  'Snowflake ids': (bits) => textOrInteger(bits, snowflake(bits)),
  'milliseconds since 1970': (bits) => textOrInteger(bits, instant(bits)),
  'nanoseconds since 1970': (bits) =>
    textOrInteger(bits, BigInt(instant(bits)) * 1_000_000n + BigInt(bits.next(19))),
};

function textOrInteger(bits: Bits, id: number | bigint): string {
  return bits.next(1) === 0 ? `"${id}"` : `${id}`;
}

function instant(bits: Bits): number {
  return FROM + Math.floor((bits.next(32) / 2 ** 32) * SPAN);
}

/** 17 to 19 digits: 41 bits of milliseconds since the epoch, 10 of the machine, 12 of a counter. */
function snowflake(bits: Bits): bigint {
  return (BigInt(instant(bits) - SNOWFLAKE_EPOCH) << 22n) | BigInt(bits.next(22));
}

function uuid(bits: Bits, first: string, version: string): string {
  const variant = (8 + bits.next(2)).toString(16);
  return `${first.slice(0, 8)}-${first.slice(8)}-${version}${hex(bits, 3)}-${variant}${hex(bits, 3)}-${hex(bits, 12)}`;
}

function hex(bits: Bits, digits: number): string {
  return text(digits, () => bits.next(4).toString(16));
}

function crockford(value: number, digits: number): string {
  let rest = value;
  let written = '';
  for (let digit = 0; digit < digits; digit++, rest = Math.floor(rest / 32)) {
    written = `${CROCKFORD[rest % 32]}${written}`;
  }
  return written;
}

function text(length: number, next: () => string): string {
  let written = '';
  for (let index = 0; index < length; index++) written += next();
  return written;
}
