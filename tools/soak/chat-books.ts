/** A message that the API has accepted, as its sender remembers it. */
export interface AcceptedMessage {
  readonly to: string;
  readonly conversationId: string;
  readonly sequence: number;
}

/** When devices got a notification: as the clock had it, in milliseconds. */
export interface Sighting {
  readonly firstAt: number;
  lastAt: number;
  count: number;
  /** When the user's queue was seen not to have it any more: it was acknowledged by then. */
  goneAt?: number;
}

/** What senders and devices remember of the chat, which the app's tables are held against. */
export interface ChatBooks {
  /** By message id. */
  readonly accepted: ReadonlyMap<string, AcceptedMessage>;
  /** Messages accepted, by recipient. */
  readonly acceptedCounts: ReadonlyMap<string, number>;
  /** By notification id. */
  readonly sightings: ReadonlyMap<string, Sighting>;
  /** Notifications that a device of a user has got, by user. */
  readonly seenCounts: ReadonlyMap<string, number>;
  /** @returns whether it is what was accepted before, if anything was */
  readonly accept: (messageId: string, message: AcceptedMessage) => boolean;
  /** @returns true for the first time */
  readonly see: (userId: string, notificationId: string, at: number) => boolean;
  /**
   * Notes what waits in a user's queue, all of it.
   *
   * @param askedAt before the queue was read
   * @returns the ids of those that were gone before, and are back
   */
  readonly lookAtQueue: (
    userId: string,
    waiting: readonly string[],
    askedAt: number,
    now: number,
  ) => string[];
}

export function createChatBooks(): ChatBooks {
  const accepted = new Map<string, AcceptedMessage>();
  const acceptedCounts = new Map<string, number>();
  const sightings = new Map<string, Sighting>();
  const seenCounts = new Map<string, number>();
  /** Seen, and not known to be gone; by user. */
  const unsettled = new Map<string, Set<string>>();
  return {
    accepted,
    acceptedCounts,
    sightings,
    seenCounts,
    accept: (messageId, message) => {
      const known = accepted.get(messageId);
      if (known !== undefined)
        return known.conversationId === message.conversationId && known.sequence === message.sequence;
      accepted.set(messageId, message);
      increment(acceptedCounts, message.to);
      return true;
    },
    see: (userId, notificationId, at) => {
      const known = sightings.get(notificationId);
      if (known === undefined) {
        sightings.set(notificationId, { firstAt: at, lastAt: at, count: 1 });
        increment(seenCounts, userId);
        unsettled.set(userId, (unsettled.get(userId) ?? new Set()).add(notificationId));
        return true;
      }
      known.lastAt = at;
      known.count += 1;
      return false;
    },
    lookAtQueue: (userId, waiting, askedAt, now) => {
      const waits = new Set(waiting);
      const open = unsettled.get(userId) ?? new Set();
      for (const id of open) {
        const sighting = sightings.get(id);
        if (sighting === undefined || sighting.firstAt >= askedAt || waits.has(id)) continue;
        sighting.goneAt = now;
        open.delete(id);
      }
      return waiting.filter((id) => (sightings.get(id)?.goneAt ?? Infinity) < askedAt);
    },
  };
}

function increment(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
