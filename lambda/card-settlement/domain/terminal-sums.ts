import { hash } from 'node:crypto';
import type { TerminalReport } from './terminal-totals.ts';
import type { StagedSummary } from './totals.ts';
import { isReviewKind } from './transaction.ts';

/**
 * What terminals report less what was staged there: one number for each terminal, nothing if both are the same.
 *
 * Each line (a type in a currency) weighs its count and its amount with two random numbers of 64 bits, and the sum is
 * taken modulo 2^64. Lines that differ come to nothing once in 2^64 times, and nobody can make them: the weights follow
 * from the run's own id. So two million terminals take 32 MB, however many lines they report, while the lines themselves
 * would take gigabytes; and no index by terminal costs a write for each sale.
 */
export interface TerminalSums {
  /** How many terminals have reported. */
  readonly count: () => number;
  /** Adds a terminal's report. Call it once per terminal. */
  readonly report: (report: TerminalReport) => void;
  /** Subtracts a staged fact, if its terminal has reported. */
  readonly stage: (staged: StagedSummary) => void;
  /** True if what the terminal reports is not what was staged. */
  readonly differs: (report: Pick<TerminalReport, 'clientId' | 'terminalId'>) => boolean;
  /** The whole state, 16 bytes per terminal. `createTerminalSums` resumes from it. */
  readonly rows: () => Uint8Array;
}

const FIRST_CAPACITY = 1024;

/** @param seed a value that no reporting client can predict; resuming from rows takes the seed that made them */
export function createTerminalSums(seed: string, rows: Uint8Array = new Uint8Array()): TerminalSums {
  /** A hash table with open addressing. Each slot holds a terminal's key, 0 if the slot is free, and its sum. */
  let keys = new BigUint64Array(FIRST_CAPACITY);
  let sums = new BigUint64Array(FIRST_CAPACITY);
  let count = 0;
  const weights = new Map<string, readonly [bigint, bigint]>();

  /** The slot that has the key, or the free one where it goes. */
  function slotOf(key: bigint): number {
    const mask = keys.length - 1;
    let slot = Number(BigInt.asUintN(32, key)) & mask;
    while (keys[slot] !== key && keys[slot] !== 0n) slot = (slot + 1) & mask;
    return slot;
  }

  function put(key: bigint, sum: bigint): void {
    if (count * 3 >= keys.length * 2) grow();
    const slot = slotOf(key);
    if (keys[slot] === 0n) count += 1;
    keys[slot] = key;
    sums[slot] = sum;
  }

  function grow(): void {
    const [oldKeys, oldSums] = [keys, sums];
    keys = new BigUint64Array(oldKeys.length * 2);
    sums = new BigUint64Array(oldKeys.length * 2);
    for (const [index, key] of oldKeys.entries()) {
      if (key === 0n) continue;
      const slot = slotOf(key);
      keys[slot] = key;
      sums[slot] = oldSums[index] ?? 0n;
    }
  }

  function keyOf(clientId: string, terminalId: string): bigint {
    // A key of 0 would be a free slot.
    return digest(`${seed}#${clientId}#${terminalId}`).readBigUInt64LE(0) || 1n;
  }

  function weigh(type: string, currency: string, times: bigint, amount: bigint): bigint {
    const line = `${currency}#${type}`;
    let weight = weights.get(line);
    if (weight === undefined) {
      const bytes = digest(`${seed}#${line}`);
      weight = [bytes.readBigUInt64LE(0), bytes.readBigUInt64LE(8)];
      weights.set(line, weight);
    }
    return weight[0] * times + weight[1] * amount;
  }

  const saved = new BigUint64Array(new Uint8Array(rows).buffer);
  for (let index = 0; index < saved.length; index += 2) put(saved[index] ?? 0n, saved[index + 1] ?? 0n);

  return {
    count: () => count,
    report: ({ clientId, terminalId, totals }) => {
      let sum = 0n;
      for (const line of totals) sum += weigh(line.type, line.currency, BigInt(line.count), line.amount);
      put(keyOf(clientId, terminalId), sum);
    },
    stage: ({ clientId, terminalId, kind, currency, amount }) => {
      if (count === 0 || clientId === undefined || terminalId === undefined || isReviewKind(kind)) return;
      const slot = slotOf(keyOf(clientId, terminalId));
      // The array keeps the lowest 64 bits.
      if (keys[slot] !== 0n) sums[slot] = (sums[slot] ?? 0n) - weigh(kind, currency, 1n, BigInt(amount));
    },
    differs: ({ clientId, terminalId }) => {
      const slot = slotOf(keyOf(clientId, terminalId));
      return keys[slot] !== 0n && sums[slot] !== 0n;
    },
    rows: () => {
      const words = new BigUint64Array(count * 2);
      let index = 0;
      for (const [slot, key] of keys.entries()) {
        if (key === 0n) continue;
        words[index++] = key;
        words[index++] = sums[slot] ?? 0n;
      }
      return new Uint8Array(words.buffer);
    },
  };
}

function digest(text: string): Buffer {
  return hash('sha256', text, 'buffer');
}
