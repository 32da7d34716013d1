import { setTimeout as wait } from 'node:timers/promises';
import { storedNotification } from '../../lambda/chat/store/inbox.ts';
import { drained, type ChatUser } from '../harness/chat-users.ts';
import { figure, type Figure } from '../harness/figures.ts';
import { until } from '../harness/until.ts';
import { messagesTo, withChat } from './chat-limit.ts';

const HELLOS = 1000;
const WAITING = 2000;
const MESSAGES = 40;
const MESSAGES_PER_SECOND = 4;
const PATIENCE = { seconds: 120, everyMilliseconds: 20 };

/** One device says hello as fast as it can, while other users chat. */
export async function measureHellos(projectFolder: string): Promise<readonly Figure[]> {
  return withChat(projectFolder, async ({ user, fill }) => {
    const [loud, alice, bob] = [user('loud'), user('alice'), user('bob')];
    const waiting = messagesTo(loud.name, 20, WAITING / 20);
    await fill('Inbox', waiting, (message) => storedNotification(message, new Date()));
    await drained(bob);
    const conversation = await openConversation(alice, bob);
    const before = (await conversation()) / 1000;

    let pushed = 0;
    const answers: string[] = [];
    const device = await loud.connect(({ type }) => {
      if (type === 'notification') pushed += 1;
      else answers.push(type);
    });
    for (let hello = 0; hello < HELLOS; hello += 1) device.send({ action: 'hello' });
    const meanwhile = (await conversation()) / 1000;
    await until(() => answers.length > 0, PATIENCE);
    const answered = (type: string): number => answers.filter((answer) => answer === type).length;
    return [
      figure('1,000 hellos: slowest message of others before', before, 's'),
      figure('1,000 hellos: slowest message of others meanwhile', meanwhile, 's'),
      figure('1,000 hellos: delay of others’ messages', Math.max(0, meanwhile - before), 's', { atMost: 1 }),
      figure('1,000 hellos: pushed, of 2,000 that wait', pushed, '', { atLeast: WAITING, atMost: WAITING }),
      figure('1,000 hellos: answered that it has caught up', answered('caught-up'), '', { atLeast: 1 }),
      figure('1,000 hellos: error frames', answered('error'), '', { atMost: 0 }),
    ];
  });
}

/** @returns a function that exchanges messages, and gives the milliseconds of the slowest */
async function openConversation(from: ChatUser, to: ChatUser): Promise<() => Promise<number>> {
  const latencies = new Map<string, number>();
  await to.greet({
    onNotification: ({ messageId, sentAt }) => {
      latencies.set(messageId, Date.now() - Date.parse(sentAt));
    },
  });
  const exchange = async (count: number): Promise<number> => {
    const posted: string[] = [];
    for (let number = 0; number < count; number += 1) {
      posted.push((await from.post(to.name, `message ${number}`)).messageId);
      await wait(1000 / MESSAGES_PER_SECOND);
    }
    await until(() => posted.every((id) => latencies.has(id)), PATIENCE);
    return Math.max(...posted.map((id) => latencies.get(id) ?? Infinity));
  };
  await exchange(4);
  return async () => exchange(MESSAGES);
}
