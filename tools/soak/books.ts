import { isDeepStrictEqual } from 'node:util';
import type { TotalsLine } from '../../cli/replay/accepted.ts';
import type { TerminalTotals } from '../../cli/replay/terminal-totals.ts';
import type { Transaction } from '../../lambda/card-settlement/domain/transaction.ts';
import { getOrAdd } from '../harness/maps.ts';

/** The clients' own books: what the app told them. */

export interface AcceptedFact {
  readonly businessDate: string;
  readonly currency: string;
  readonly type: Transaction['type'] | 'release' | 'reject';
  /** What it adds to the staged amount, in minor units; 0 for a review. */
  readonly amount: number;
  readonly terminalId: string | undefined;
}

export type SettlementBooks = ReturnType<typeof createSettlementBooks>;

export function createSettlementBooks() {
  const facts = new Map<string, AcceptedFact>();
  return {
    /** By id; a decision's is its transaction's with `#decision`. */
    facts: facts as ReadonlyMap<string, AcceptedFact>,
    /** @returns false if an earlier answer said something else */
    accept: (factId: string, fact: AcceptedFact): boolean =>
      isDeepStrictEqual(
        getOrAdd(facts, factId, () => fact),
        fact,
      ),
    /** Terminals print refunds without a sign. */
    terminalTotals: (): TerminalTotals[] => {
      const reports = new Map<string, TerminalTotals & { readonly lines: TotalsLine[] }>();
      for (const { businessDate, currency, type, amount, terminalId } of facts.values()) {
        if (terminalId === undefined) continue;
        const key = `${terminalId} ${businessDate}`;
        const { lines } = getOrAdd(reports, key, () => ({ terminalId, businessDate, lines: [] }));
        const index = lines.findIndex((line) => line.type === type && line.currency === currency);
        const { count, amount: sum } = lines[index] ?? { count: 0, amount: 0n };
        const line = { type, currency, count: count + 1, amount: sum + BigInt(Math.abs(amount)) };
        lines.splice(index === -1 ? lines.length : index, 1, line);
      }
      return [...reports.values()];
    },
  };
}

export interface AcceptedMessage {
  readonly to: string;
  readonly conversationId: string;
  readonly sequence: number;
}

/** Milliseconds. */
export interface Sighting {
  readonly firstAt: number;
  lastAt: number;
  count: number;
  /** When the notification had left the inbox: it was acknowledged by then. */
  goneAt?: number;
}

export function createChatBooks() {
  const accepted = new Map<string, AcceptedMessage>();
  const acceptedCounts = new Map<string, number>();
  const sightings = new Map<string, Sighting>();
  const seenCounts = new Map<string, number>();
  /** By user: seen, and not known to be acknowledged. */
  const open = new Map<string, Set<string>>();
  return {
    accepted: accepted as ReadonlyMap<string, AcceptedMessage>,
    acceptedCounts: acceptedCounts as ReadonlyMap<string, number>,
    sightings: sightings as ReadonlyMap<string, Sighting>,
    seenCounts: seenCounts as ReadonlyMap<string, number>,
    /** @returns false if an earlier answer said something else */
    accept: (messageId: string, message: AcceptedMessage): boolean => {
      if (!accepted.has(messageId)) increment(acceptedCounts, message.to);
      return isDeepStrictEqual(
        getOrAdd(accepted, messageId, () => message),
        message,
      );
    },
    /** @returns true for the first time */
    see: (userId: string, notificationId: string, at: number): boolean => {
      const sighting = getOrAdd(sightings, notificationId, () => ({ firstAt: at, lastAt: at, count: 0 }));
      sighting.lastAt = at;
      sighting.count += 1;
      if (sighting.count > 1) return false;
      increment(seenCounts, userId);
      getOrAdd(open, userId, () => new Set()).add(notificationId);
      return true;
    },
    /** @param askedAt before the inbox was read @returns the ids of notifications that were gone and are back */
    noteInbox: (userId: string, waiting: readonly string[], askedAt: number, now: number): string[] => {
      const waits = new Set(waiting);
      for (const id of open.get(userId) ?? []) {
        const sighting = sightings.get(id);
        if (sighting === undefined || sighting.firstAt >= askedAt || waits.has(id)) continue;
        sighting.goneAt = now;
        open.get(userId)?.delete(id);
      }
      return waiting.filter((id) => (sightings.get(id)?.goneAt ?? Infinity) < askedAt);
    },
  };
}

function increment(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
