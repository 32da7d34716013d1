import { AssertionError } from 'node:assert';
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';

/** A guarantee that does not hold. */
class BrokenGuarantee extends Error {
  override readonly name = 'BrokenGuarantee';
}

export interface Logged {
  /** How often what was tried, such as `crashes`. */
  readonly tried: Readonly<Record<string, number>>;
  /** How often each guarantee was checked, and held. */
  readonly held: Readonly<Record<string, number>>;
  /** Of all lines, 16 hexadecimal digits. */
  readonly hash: string;
}

export type Log = ReturnType<typeof createLog>;

/** What happens in a simulation, in order, and what is counted and checked in it. */
export function createLog(onLine: (line: string) => void = () => undefined) {
  const hash = createHash('sha256');
  const tried: Record<string, number> = {};
  const held: Record<string, number> = {};
  return {
    line: (text: string): void => {
      hash.update(text).update('\n');
      onLine(text);
    },
    count: (what: string, by = 1): void => {
      tried[what] = (tried[what] ?? 0) + by;
    },
    /** @throws BrokenGuarantee with the difference, if there is one */
    expect: (guarantee: string, actual: unknown, expected: unknown): void => {
      try {
        assert.deepStrictEqual(actual, expected);
      } catch (error) {
        const difference = error instanceof AssertionError ? error.message : String(error);
        throw new BrokenGuarantee(`${guarantee}: ${difference}`);
      }
      held[guarantee] = (held[guarantee] ?? 0) + 1;
    },
    end: (): Logged => ({ tried, held, hash: hash.copy().digest('hex').slice(0, 16) }),
  };
}

/** A log whose lines begin with the simulated time. */
export function timed(log: Log, now: () => Date): Log {
  return { ...log, line: (text) => log.line(`${now().toISOString()} ${text}`) };
}
