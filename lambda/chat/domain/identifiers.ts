import { createHash } from 'node:crypto';

export const IDENTIFIER = /^[A-Za-z0-9_-]{1,64}$/;

export const USER_ID = /^[a-z0-9][a-z0-9._-]{0,63}$/;

/** Padded to this length, sequences sort as text. */
const SEQUENCE_DIGITS = 7;

/** The same, whichever of the two writes first. */
export function conversationIdOf(one: string, other: string): string {
  return digest([one, other].toSorted());
}

/** A retry gets the same id. The recipient makes ids unique across conversations. */
export function messageIdOf(from: string, to: string, clientMessageId: string): string {
  return digest([from, to, clientMessageId]);
}

/** Inboxes are sorted by conversation and sequence. */
export interface NotificationPlace {
  readonly conversationId: string;
  readonly sequence: number;
}

/** Means something only in its own user's inbox. */
export function notificationIdOf({ conversationId, sequence }: NotificationPlace): string {
  return `${conversationId}-${padded(sequence)}`;
}

/** @returns undefined if it is not the id of a notification */
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
