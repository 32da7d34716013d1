import { setTimeout as wait } from 'node:timers/promises';
import { storedNotification } from '../../lambda/chat/store/inbox.ts';
import { type ChatUser, drained, messagesTo, withChatUsers } from './chat-users.ts';
import type { Limit } from './limit.ts';

const HELLOS = 1000;
const WAITING = 2000;
const MESSAGES = 40;
const MESSAGES_PER_SECOND = 4;
const PATIENCE_SECONDS = 120;

/** One device that says hello as fast as it can, while much waits for its user and others write to each other. */
export const hellos: Limit = {
  name: 'hellos',
  load: '1,000 hellos of one device for whose user 2,000 notifications wait',
  measure: ({ projectFolder }) =>
    withChatUsers(projectFolder, async ({ user, fill }) => {
      const [loud, alice, bob] = [user('loud'), user('alice'), user('bob')];
      await fill(
        'Notifications',
        [...messagesTo(loud.name, 20, WAITING / 20)].map((message) =>
          storedNotification(message, new Date()),
        ),
      );
      await drained(bob, 60);
      const conversation = await openConversation(alice, bob);
      const before = await conversation();

      const seen: string[] = [];
      const answers: string[] = [];
      const device = await loud.connect((frame) => {
        if (frame.type === 'notification') seen.push(frame.notificationId);
        else answers.push(frame.type);
      });
      for (let hello = 0; hello < HELLOS; hello++) device.send({ action: 'hello' });
      const meanwhile = await conversation();
      const deadline = performance.now() + PATIENCE_SECONDS * 1000;
      while (answers.length === 0 && performance.now() < deadline) await wait(50);
      return [
        { name: '1,000 hellos: slowest message of others before', value: before / 1000, unit: 's' },
        { name: '1,000 hellos: slowest message of others meanwhile', value: meanwhile / 1000, unit: 's' },
        {
          name: '1,000 hellos: delay of others’ messages',
          value: Math.max(0, meanwhile - before) / 1000,
          unit: 's',
          atMost: 1,
        },
        {
          name: '1,000 hellos: pushed, of 2,000 that wait',
          value: seen.length,
          unit: '',
          atLeast: WAITING,
          atMost: WAITING,
        },
        {
          name: '1,000 hellos: answered that it has caught up',
          value: answers.filter((type) => type === 'caught-up').length,
          unit: '',
          atLeast: 1,
        },
        {
          name: '1,000 hellos: error frames',
          value: answers.filter((type) => type === 'error').length,
          unit: '',
          atMost: 0,
        },
      ];
    }),
};

/** @returns writes to one another for some seconds; how long the slowest message took, in milliseconds */
async function openConversation(from: ChatUser, to: ChatUser): Promise<() => Promise<number>> {
  const latencies = new Map<string, number>();
  const device = await to.connect((frame) => {
    if (frame.type === 'notification') latencies.set(frame.messageId, Date.now() - Date.parse(frame.sentAt));
  });
  device.send({ action: 'hello' });
  const exchange = async (count: number): Promise<number> => {
    const posted: string[] = [];
    for (let number = 0; number < count; number++) {
      posted.push((await from.post(to.name, `message ${number}`)).messageId);
      await wait(1000 / MESSAGES_PER_SECOND);
    }
    const deadline = performance.now() + PATIENCE_SECONDS * 1000;
    while (!posted.every((id) => latencies.has(id)) && performance.now() < deadline) await wait(20);
    return Math.max(...posted.map((id) => latencies.get(id) ?? Infinity));
  };
  await exchange(4);
  return () => exchange(MESSAGES);
}
