import { isDeepStrictEqual } from 'node:util';
import type { TotalsLine } from '../../cli/replay/accepted.ts';
import type { TerminalTotals } from '../../cli/replay/terminal-totals.ts';
import type { Transaction } from '../../lambda/card-settlement/domain/transaction.ts';
import { getOrAdd } from '../harness/maps.ts';

/** The clients' own books: what the app told them. The app's books are held against these. */

/** A transaction, or an operator's decision on one, that the API accepted. */
export interface AcceptedFact {
  readonly businessDate: string;
  readonly currency: string;
  readonly type: Transaction['type'] | 'release' | 'reject';
  /** What it adds to the staged amount, in minor units: positive for a sale, 0 for a review. */
  readonly amount: number;
  /** Undefined for a review. */
  readonly terminalId: string | undefined;
}

export type SettlementBooks = ReturnType<typeof createSettlementBooks>;

export function createSettlementBooks() {
  const facts = new Map<string, AcceptedFact>();
  return {
    /** By id. The id of a decision is that of its transaction with `#decision`. */
    facts: facts as ReadonlyMap<string, AcceptedFact>,
    /** @returns false if an earlier answer said something else about the fact */
    accept: (factId: string, fact: AcceptedFact): boolean =>
      isDeepStrictEqual(
        getOrAdd(facts, factId, () => fact),
        fact,
      ),
    /** What each terminal reports of each date. Terminals print refunds without a sign. */
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

/** A message that the API accepted. */
export interface AcceptedMessage {
  readonly to: string;
  readonly conversationId: string;
  readonly sequence: number;
}

/** When devices got a notification, in milliseconds. */
export interface Sighting {
  readonly firstAt: number;
  lastAt: number;
  count: number;
  /** When it was no longer in the user's inbox: it was acknowledged by then. */
  goneAt?: number;
}

export function createChatBooks() {
  const accepted = new Map<string, AcceptedMessage>();
  const acceptedCounts = new Map<string, number>();
  const sightings = new Map<string, Sighting>();
  const seenCounts = new Map<string, number>();
  /** By user: seen, and not known to be gone. */
  const open = new Map<string, Set<string>>();
  return {
    /** By message id. */
    accepted: accepted as ReadonlyMap<string, AcceptedMessage>,
    /** By recipient. */
    acceptedCounts: acceptedCounts as ReadonlyMap<string, number>,
    /** By notification id. */
    sightings: sightings as ReadonlyMap<string, Sighting>,
    /** Notifications that devices got, by user. */
    seenCounts: seenCounts as ReadonlyMap<string, number>,
    /** @returns false if an earlier answer said something else about the message */
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
    /**
     * Notes what a user's inbox holds.
     *
     * @param askedAt before the inbox was read
     * @returns the ids of notifications that were gone and are back
     */
    lookAtInbox: (userId: string, waiting: readonly string[], askedAt: number, now: number): string[] => {
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
