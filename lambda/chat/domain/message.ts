import * as v from 'valibot';
import { IDENTIFIER, USER_ID } from './identifiers.ts';

const TEXT_CHARACTERS = 4000;

/** Counts code points. Half a surrogate pair is no character, and UTF-8 cannot encode it. */
const Text = v.pipe(
  v.string(),
  v.nonEmpty('must have at least 1 character'),
  v.check((text) => countOf(text) <= TEXT_CHARACTERS, `must have at most ${TEXT_CHARACTERS} characters`),
  v.check((text) => !/\p{Surrogate}/u.test(text), 'must not hold half a surrogate pair'),
);

export const UserId = v.pipe(
  v.string(),
  v.regex(USER_ID, 'must be a user: 1 to 64 of a-z, 0-9, ".", "_" and "-", beginning with a letter or digit'),
);

export const Identifier = v.pipe(v.string(), v.regex(IDENTIFIER, 'must match [A-Za-z0-9_-]{1,64}'));

export const PostedMessage = v.strictObject({
  to: UserId,
  text: Text,
  clientMessageId: Identifier,
});
export type PostedMessage = v.InferOutput<typeof PostedMessage>;

export interface Message {
  readonly conversationId: string;
  readonly sequence: number;
  readonly messageId: string;
  readonly from: string;
  readonly to: string;
  readonly text: string;
  /** RFC 3339, UTC. */
  readonly sentAt: string;
  readonly requestId?: string;
}

/** Waits in the recipient's inbox until one of the recipient's devices acknowledges it. */
export type Notification = Message;

/** From the sending, not the delivery. Afterwards only the history has the message. */
export const NOTIFICATION_DAYS = 30;

export function isExpired({ sentAt }: Pick<Message, 'sentAt'>, now: Date): boolean {
  return Date.parse(sentAt) + NOTIFICATION_DAYS * 86_400_000 <= now.getTime();
}

export function isMember(message: Pick<Message, 'from' | 'to'>, userId: string): boolean {
  return message.from === userId || message.to === userId;
}

function countOf(text: string): number {
  // A character has at most two code units, so a text this long need not be counted.
  if (text.length > 2 * TEXT_CHARACTERS) return text.length;
  return Array.from(text).length;
}
