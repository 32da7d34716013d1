import { describe, expect, it } from '@jest/globals';
import { createChatBooks, type AcceptedMessage } from '../../../tools/soak/books.ts';
import { checkChat, type ChatEvidence } from '../../../tools/soak/check-chat.ts';
import { createFindings, findingText } from '../../../tools/soak/record.ts';
import type { MessageItem, NotificationItem } from '../../../tools/soak/tables.ts';
import { notificationIdOf } from '../../../lambda/chat/domain/identifiers.ts';

/**
 * Goal: the checks of a soak can fail: a lost message, a doubled one, and an acknowledged one that comes back.
 * Method: a conversation in which all is well, and one thing changed in it.
 */

const conversationId = 'c'.repeat(32);
const acknowledgedAt = '2026-11-20T12:00:00.000Z';
const idOf = (sequence: number): string => notificationIdOf({ conversationId, sequence });

interface World {
  readonly accepted: Map<string, AcceptedMessage>;
  readonly messages: MessageItem[];
  readonly notifications: NotificationItem[];
  readonly lastHello: Map<string, string[]>;
  readonly books: ReturnType<typeof createChatBooks>;
}

/** Three messages to Bob: two are acknowledged, the third waits. */
function world(): World {
  const place = (sequence: number) => ({ conversationId, sequence });
  return {
    accepted: new Map([1, 2, 3].map((sequence) => [`m${sequence}`, { to: 'bob', ...place(sequence) }])),
    messages: [1, 2, 3].map((sequence) => ({ messageId: `m${sequence}`, to: 'bob', ...place(sequence) })),
    notifications: [
      { userId: 'bob', ...place(1), acknowledgedAt },
      { userId: 'bob', ...place(2), acknowledgedAt },
      { userId: 'bob', ...place(3) },
    ],
    lastHello: new Map([['bob', [idOf(3), idOf(3)]]]),
    books: createChatBooks(),
  };
}

async function found(change: (world: World) => void = () => undefined): Promise<string[]> {
  const changed = world();
  change(changed);
  const findings = createFindings();
  const { books, ...rest } = changed;
  const evidence: ChatEvidence = { ...rest, sightings: books.sightings };
  await checkChat(evidence, findings);
  return findings.all().map(findingText);
}

describe('a conversation', () => {
  it('is whole: what was accepted is acknowledged or waits', async () => {
    expect(await found()).toEqual([]);
    const { books, ...rest } = world();
    expect(await checkChat({ ...rest, sightings: books.sightings }, createFindings())).toEqual([
      { userId: 'bob', accepted: 3, acknowledged: 2, waiting: 1 },
    ]);
  });

  it('has lost a message', async () => {
    const texts = await found(({ messages }) => void messages.splice(2, 1));
    expect(texts).toEqual([`conversation ${conversationId}: accepted, but not written: m3`]);
  });

  it('has a gap', async () => {
    const texts = await found(({ messages }) => void messages.splice(1, 1));
    expect(texts).toContain(`conversation ${conversationId}: 1 gaps`);
  });

  it('has a message twice', async () => {
    const texts = await found(
      ({ messages }) => void messages.push({ messageId: 'm1', to: 'bob', conversationId, sequence: 4 }),
    );
    expect(texts).toEqual([`conversation ${conversationId}: written more than once: m1`]);
  });

  it('has a message that was refused, and one in another place than was answered', async () => {
    const texts = await found(({ accepted }) => {
      accepted.delete('m1');
      accepted.set('m2', { to: 'bob', conversationId, sequence: 7 });
    });
    expect(texts).toContain(`conversation ${conversationId}: written, but never accepted: m1`);
    expect(texts).toContain(`conversation ${conversationId}: written, but not as accepted: m2`);
  });
});

describe('a notification', () => {
  it('is lost: the message was written, and its recipient is not told', async () => {
    expect(await found(({ notifications }) => void notifications.splice(0, 1))).toEqual([
      `bob: accepted, but not acknowledged or waiting: ${idOf(1)}`,
      'bob: accepted 3, but acknowledged 1 and waiting 1',
    ]);
  });

  it('comes back at a hello though it was acknowledged', async () => {
    expect(await found(({ lastHello }) => void lastHello.get('bob')?.push(idOf(1)))).toEqual([
      `bob: acknowledged, and came back at a hello: ${idOf(1)}`,
    ]);
  });

  it('is not pushed at a hello though it waits', async () => {
    expect(await found(({ lastHello }) => void lastHello.set('bob', []))).toEqual([
      `bob: waiting, but not pushed at a hello: ${idOf(3)}`,
    ]);
  });

  it('is pushed again long after it was acknowledged; shortly after, it was on its way', async () => {
    const at = Date.parse(acknowledgedAt);
    const pushed = (secondsLater: number) =>
      found(({ books }) => void books.see('bob', idOf(1), at + 1000 * secondsLater));
    expect(await pushed(9)).toEqual([]);
    expect(await pushed(11)).toEqual([`bob: acknowledged, and pushed again: ${idOf(1)}`]);
    // Acknowledged once more meanwhile, its tombstone is a young one: that it was gone before is remembered.
    const again = await found(({ books }) => {
      books.see('bob', idOf(1), at - 60_000);
      books.noteInbox('bob', [], at - 50_000, at - 49_000);
      books.see('bob', idOf(1), at - 1000);
    });
    expect(again).toEqual([`bob: acknowledged, and pushed again: ${idOf(1)}`]);
  });
});

it('tells what is back in an inbox that it was gone from', () => {
  const { see, noteInbox } = createChatBooks();
  see('bob', 'n1', 10);
  see('bob', 'n2', 10);
  see('bob', 'n3', 25);
  // The third was not there yet when the queue was read.
  expect(noteInbox('bob', ['n2'], 20, 30)).toEqual([]);
  expect(noteInbox('bob', ['n1', 'n2', 'n3'], 40, 50)).toEqual(['n1']);
});

it('remembers of each notification when it was seen first and last', () => {
  const { see, sightings, seenCounts, accept, acceptedCounts } = createChatBooks();
  expect([see('bob', 'n1', 10), see('bob', 'n1', 20), see('bob', 'n2', 30)]).toEqual([true, false, true]);
  expect(sightings.get('n1')).toEqual({ firstAt: 10, lastAt: 20, count: 2 });
  expect(seenCounts.get('bob')).toBe(2);
  const message = { to: 'bob', conversationId, sequence: 1 };
  expect([accept('m1', message), accept('m1', message)]).toEqual([true, true]);
  expect(accept('m1', { ...message, sequence: 2 })).toBe(false);
  expect(acceptedCounts.get('bob')).toBe(1);
});
