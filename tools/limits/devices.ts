import { setTimeout as wait } from 'node:timers/promises';
import type { Device } from '../../cli/shared/chat.ts';
import { forEachConcurrently } from '../../cli/shared/concurrency.ts';
import { withChatUsers } from './chat-users.ts';
import type { Limit } from './limit.ts';

const DEVICES = 1000;
/** Handshakes under way at once. */
const HANDSHAKES = 20;
const PATIENCE_SECONDS = 120;

/** A user with very many devices, all of which come online at once and then get a message. */
export const devices: Limit = {
  name: 'devices',
  load: '1,000 devices of one user',
  measure: ({ projectFolder }) =>
    withChatUsers(projectFolder, async ({ user }) => {
      const [many, writer] = [user('many'), user('writer')];
      await writer.post(many.name, 'what waits');
      const caughtUp = new Set<number>();
      const got = new Map<string, number>();
      const count = (number: number, text: string): void => {
        const key = `${text} ${number}`;
        got.set(key, (got.get(key) ?? 0) + 1);
      };
      const connected: Device[] = [];
      const startedAt = performance.now();
      const numbers = Array.from({ length: DEVICES }, (_, number) => number);
      await forEachConcurrently(numbers, HANDSHAKES, async (number) => {
        const device = await many.connect((frame) => {
          if (frame.type === 'caught-up') caughtUp.add(number);
          if (frame.type === 'notification') count(number, frame.text);
        });
        connected.push(device);
      });
      const connectedSeconds = secondsSince(startedAt);
      const helloAt = performance.now();
      for (const device of connected) device.send({ action: 'hello' });
      await until(() => caughtUp.size === DEVICES);
      const caughtUpSeconds = secondsSince(helloAt);

      const reached = (text: string): number[] => numbers.map((number) => got.get(`${text} ${number}`) ?? 0);
      const postedAt = performance.now();
      await writer.post(many.name, 'news');
      await until(() => !reached('news').includes(0));
      const reachedSeconds = secondsSince(postedAt);
      // One that comes twice comes soon after.
      await wait(2000);
      const once = (text: string): number => reached(text).filter((times) => times === 1).length;
      return [
        { name: '1,000 devices: connected', value: connectedSeconds, unit: 's' },
        { name: '1,000 devices: all caught up', value: caughtUpSeconds, unit: 's', atMost: 15 },
        {
          name: '1,000 devices: got what waited, once',
          value: once('what waits'),
          unit: '',
          atLeast: DEVICES,
        },
        { name: '1,000 devices: all reached by a message', value: reachedSeconds, unit: 's' },
        { name: '1,000 devices: got it, once', value: once('news'), unit: '', atLeast: DEVICES },
      ];
    }),
};

function secondsSince(start: number): number {
  return (performance.now() - start) / 1000;
}

async function until(holds: () => boolean): Promise<void> {
  const deadline = performance.now() + PATIENCE_SECONDS * 1000;
  while (!holds() && performance.now() < deadline) await wait(20);
}
