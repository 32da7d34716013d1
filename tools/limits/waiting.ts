import { storedNotification } from '../../lambda/chat/store/inbox.ts';
import { drained, messagesTo, withChatUsers } from './chat-users.ts';
import type { Limit } from './limit.ts';

const WAITING = 5000;

/** A user who was away for long comes online. */
export const waiting: Limit = {
  name: 'waiting',
  load: '5,000 notifications wait for a user who comes online',
  measure: ({ projectFolder }) =>
    withChatUsers(projectFolder, async ({ user, fill }) => {
      const now = new Date();
      const away = user('away');
      await fill(
        'Notifications',
        [...messagesTo(away.name, 50, WAITING / 50)].map((message) => storedNotification(message, now)),
      );
      const { notificationIds, seconds } = await drained(away, 300);
      const inOrder = notificationIds.filter((id, index) => id > (notificationIds[index - 1] ?? ''));
      return [
        { name: '5,000 waiting: caught up', value: seconds, unit: 's' },
        {
          name: '5,000 waiting: pushed',
          value: notificationIds.length,
          unit: '',
          atLeast: WAITING,
          atMost: WAITING,
        },
        { name: '5,000 waiting: pushed in order', value: inOrder.length, unit: '', atLeast: WAITING },
      ];
    }),
};
