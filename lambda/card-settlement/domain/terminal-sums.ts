import { hash } from 'node:crypto';
import type { TerminalReport } from './terminal-totals.ts';
import type { StagedSummary } from './totals.ts';
import { isReviewKind } from './transaction.ts';

/**
 * What terminals report minus what was staged there: one number for each terminal, 0 if both agree.
 *
 * The count and the amount of each line (a type in a currency) are weighted with two random 64-bit numbers and summed
 * modulo 2^64. Different lines cancel out once in 2^64 times. Nobody can provoke it: the weights follow from the run's
 * id. Two million terminals take 32 MB; their lines would take gigabytes.
 */
export interface TerminalSums {
  readonly count: () => number;
  readonly report: (report: TerminalReport) => void;
  /** Ignores terminals that have not reported. */
  readonly stage: (staged: StagedSummary) => void;
  readonly differs: (report: Pick<TerminalReport, 'clientId' | 'terminalId'>) => boolean;
  /** 16 bytes per terminal, from which `createTerminalSums` resumes. */
  readonly rows: () => Uint8Array;
}

const FIRST_CAPACITY = 1024;

/** @param seed what no client can predict; the same when resuming from rows */
export function createTerminalSums(seed: string, rows: Uint8Array = new Uint8Array()): TerminalSums {
  /** A hash table with open addressing. Key 0 marks a free slot. */
  let keys = new BigUint64Array(FIRST_CAPACITY);
  let sums = new BigUint64Array(FIRST_CAPACITY);
  let count = 0;
  const weights = new Map<string, readonly [bigint, bigint]>();

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
