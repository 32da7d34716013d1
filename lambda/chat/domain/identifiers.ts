import { createHash } from 'node:crypto';

/** What every identifier that a caller chooses looks like. */
export const IDENTIFIER = /^[A-Za-z0-9_-]{1,64}$/;

/** What a user's name looks like, here and in the token. */
export const USER_ID = /^[a-z0-9][a-z0-9._-]{0,63}$/;

/** Digits of the last sequence that a conversation may have: padded, sequences sort as text. */
const SEQUENCE_DIGITS = 7;

/** The conversation of two users: the same, whichever of them writes first. */
export function conversationIdOf(one: string, other: string): string {
  return digest([one, other].toSorted());
}

/**
 * The id of a message: the same sender, recipient and client's id always lead to it, so that a retry finds its own
 * message. The recipient is part of it, so that no two conversations hold messages of one id.
 */
export function messageIdOf(from: string, to: string, clientMessageId: string): string {
  return digest([from, to, clientMessageId]);
}

/** Where a notification stands in its user's inbox: by conversation, then by sequence. */
export interface NotificationPlace {
  readonly conversationId: string;
  readonly sequence: number;
}

/** The id of a notification. Its user is not in it: an id means something in its own user's inbox only. */
export function notificationIdOf({ conversationId, sequence }: NotificationPlace): string {
  return `${conversationId}-${padded(sequence)}`;
}

/** The place that an id names; undefined if it is no notification's. */
export function placeOf(notificationId: string): NotificationPlace | undefined {
  const match = /^([0-9a-f]{32})-(\d{7})$/.exec(notificationId);
  const [, conversationId, digits] = match ?? [];
  if (conversationId === undefined || digits === undefined || Number(digits) === 0) return undefined;
  return { conversationId, sequence: Number(digits) };
}

/** Sorts as (conversation, sequence) does. */
export function conversationSequenceOf({ conversationId, sequence }: NotificationPlace): string {
  return `${conversationId}#${padded(sequence)}`;
}

function padded(sequence: number): string {
  return String(sequence).padStart(SEQUENCE_DIGITS, '0');
}

function digest(parts: readonly string[]): string {
  // JSON keeps the parts apart: ("ab", "c") and ("a", "bc") differ.
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32);
}
