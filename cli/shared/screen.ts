import picocolors from 'picocolors';
import { formatCount } from './money.ts';

export type Colors = ReturnType<typeof picocolors.createColors>;

/** Colours on a terminal, unless NO_COLOR is set (https://no-color.org). */
export function colorsFor(stream: { readonly isTTY?: boolean }): Colors {
  const noColor = process.env.NO_COLOR;
  // Undefined would let the library decide, and it colours in CI.
  const isTerminal = stream.isTTY === true;
  const wanted = isTerminal && (noColor === undefined || noColor === '') && process.env.TERM !== 'dumb';
  return picocolors.createColors(wanted);
}

/** One line, without control characters that a terminal would obey. */
export function printable(text: string, maximumLength = 300): string {
  // oxlint-disable-next-line no-control-regex
  const line = text.replaceAll(/[\u0000-\u001F\u007F-\u009F\u2028\u2029]+/g, ' ').trim();
  return line.length <= maximumLength ? line : `${line.slice(0, maximumLength - 1)}…`;
}

/** `1 transaction`, `2,000 transactions`. */
export function countOf(count: number, singular: string, plural = `${singular}s`): string {
  return `${formatCount(count)} ${count === 1 ? singular : plural}`;
}

export function formatSeconds(seconds: number): string {
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, '0')} s`;
}

export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

export function printError(text: string): void {
  process.stderr.write(`${text}\n`);
}
