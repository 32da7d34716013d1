import { bodyOf } from '../../cli/shared/api.ts';
import { responses } from '../../lambda/chat/api.ts';
import { tombstone } from '../../lambda/chat/store/acknowledgements.ts';
import { storedNotification } from '../../lambda/chat/store/inbox.ts';
import { drained, type ChatUser } from '../harness/chat-users.ts';
import { figure, type Figure } from '../harness/figures.ts';
import { messagesTo, withChat } from './chat-limit.ts';

const WAITING = 5000;

export async function measureWaiting(projectFolder: string): Promise<readonly Figure[]> {
  return withChat(projectFolder, async ({ user, fill }) => {
    const away = user('away');
    const waiting = messagesTo(away.name, 50, WAITING / 50);
    await fill('Inbox', waiting, (message) => storedNotification(message, new Date()));
    const { notificationIds, seconds } = await drained(away, 300);
    const inOrder = notificationIds.filter((id, index) => id > (notificationIds[index - 1] ?? ''));
    return [
      figure('5,000 waiting: caught up', seconds, 's'),
      figure('5,000 waiting: pushed', notificationIds.length, '', { atLeast: WAITING, atMost: WAITING }),
      figure('5,000 waiting: pushed in order', inOrder.length, '', { atLeast: WAITING }),
    ];
  });
}

const SENDERS = 1000;
const ACKNOWLEDGED_OF_EACH = 150;
const STILL_WAITING = 50;

export async function measureTombstones(projectFolder: string): Promise<readonly Figure[]> {
  return withChat(projectFolder, async ({ user, fill }) => {
    const now = new Date();
    const [busy, other] = [user('busy'), user('other')];
    const acknowledged = messagesTo(busy.name, SENDERS, ACKNOWLEDGED_OF_EACH);
    await fill('Acknowledgements', acknowledged, (message) => tombstone(busy.name, message, now));
    const waiting = messagesTo(busy.name, STILL_WAITING, 1, ACKNOWLEDGED_OF_EACH + 1);
    await fill('Inbox', waiting, (message) => storedNotification(message, now));
    // The first calls load code.
    await firstPage(other);
    await drained(other);
    const startedAt = performance.now();
    const listed = await firstPage(busy);
    const pageSeconds = (performance.now() - startedAt) / 1000;
    const { notificationIds, seconds } = await drained(busy, 120);
    const all = { atLeast: STILL_WAITING, atMost: STILL_WAITING };
    return [
      figure('150,000 tombstones: first page of what waits', pageSeconds, 's', { atMost: 1 }),
      figure('150,000 tombstones: waiting, of 50 listed', listed, '', all),
      figure('150,000 tombstones: drain', seconds, 's', { atMost: 1 }),
      figure('150,000 tombstones: waiting, of 50 pushed', notificationIds.length, '', all),
    ];
  });
}

async function firstPage({ call }: ChatUser): Promise<number> {
  const response = await call({ method: 'GET', path: '/notifications' });
  return bodyOf(response, responses.NotificationPage, 'what waits').items.length;
}
