import { tombstone } from '../../lambda/chat/store/acknowledgements.ts';
import { storedNotification } from '../../lambda/chat/store/inbox.ts';
import { drained, messagesTo, withChatUsers } from './chat-users.ts';
import type { Limit } from './limit.ts';

const SENDERS = 1000;
const ACKNOWLEDGED_OF_EACH = 150;
const WAITING = 50;

/** A recipient who has acknowledged very many messages within days, and to whom a few still wait. */
export const tombstones: Limit = {
  name: 'tombstones',
  load: '150,000 acknowledged notifications of one user',
  measure: ({ projectFolder }) =>
    withChatUsers(projectFolder, async ({ user, fill }) => {
      const now = new Date();
      const [busy, other] = [user('busy'), user('other')];
      const acknowledged = messagesTo(busy.name, SENDERS, ACKNOWLEDGED_OF_EACH);
      await fill(
        'Acknowledgements',
        mapped(acknowledged, (message) => tombstone(busy.name, message, now)),
      );
      const waiting = [...messagesTo(busy.name, WAITING, ACKNOWLEDGED_OF_EACH + 1)].filter(
        ({ sequence }) => sequence > ACKNOWLEDGED_OF_EACH,
      );
      await fill(
        'Notifications',
        waiting.map((message) => storedNotification(message, now)),
      );
      // What the functions load late is loaded.
      await other.firstPage();
      await drained(other, 60);
      const startedAt = performance.now();
      const listed = await busy.firstPage();
      const pageSeconds = (performance.now() - startedAt) / 1000;
      const { notificationIds, seconds } = await drained(busy, 120);
      return [
        { name: '150,000 tombstones: first page of what waits', value: pageSeconds, unit: 's', atMost: 1 },
        {
          name: '150,000 tombstones: waiting, of 50 listed',
          value: listed,
          unit: '',
          atLeast: WAITING,
          atMost: WAITING,
        },
        { name: '150,000 tombstones: drain', value: seconds, unit: 's', atMost: 1 },
        {
          name: '150,000 tombstones: waiting, of 50 pushed',
          value: notificationIds.length,
          unit: '',
          atLeast: WAITING,
          atMost: WAITING,
        },
      ];
    }),
};

function* mapped<From, To>(items: Iterable<From>, change: (item: From) => To): Generator<To> {
  for (const item of items) yield change(item);
}
