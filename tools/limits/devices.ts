import { setTimeout as wait } from 'node:timers/promises';
import type { Device } from '../../cli/shared/chat.ts';
import { forEachConcurrently } from '../../cli/shared/concurrency.ts';
import { figure, type Figure } from '../harness/figures.ts';
import { until } from '../harness/until.ts';
import { withChat } from './chat-limit.ts';

const DEVICES = 1000;
const HANDSHAKES_AT_ONCE = 20;
const PATIENCE = { seconds: 120, everyMilliseconds: 20 };

export async function measureDevices(projectFolder: string): Promise<readonly Figure[]> {
  return withChat(projectFolder, async ({ user }) => {
    const [many, writer] = [user('many'), user('writer')];
    await writer.post(many.name, 'what waits');
    const numbers = Array.from({ length: DEVICES }, (_, number) => number);
    const caughtUp = new Set<number>();
    const got = new Map<string, number>();
    const timesOf = (text: string): number[] => numbers.map((number) => got.get(`${text} ${number}`) ?? 0);
    const devices: Device[] = [];
    const connectedSeconds = await secondsOf(async () =>
      forEachConcurrently(numbers, HANDSHAKES_AT_ONCE, async (number) => {
        const device = await many.connect((frame) => {
          if (frame.type === 'caught-up') caughtUp.add(number);
          if (frame.type !== 'notification') return;
          const key = `${frame.text} ${number}`;
          got.set(key, (got.get(key) ?? 0) + 1);
        });
        devices.push(device);
      }),
    );
    const caughtUpSeconds = await secondsOf(async () => {
      for (const device of devices) device.send({ action: 'hello' });
      await until(() => caughtUp.size === DEVICES, PATIENCE);
    });
    const reachedSeconds = await secondsOf(async () => {
      await writer.post(many.name, 'news');
      await until(() => !timesOf('news').includes(0), PATIENCE);
    });
    // A notification that comes twice comes soon after.
    await wait(2000);
    const once = (text: string): number => timesOf(text).filter((times) => times === 1).length;
    return [
      figure('1,000 devices: connected', connectedSeconds, 's'),
      figure('1,000 devices: all caught up', caughtUpSeconds, 's', { atMost: 15 }),
      figure('1,000 devices: got what waited, once', once('what waits'), '', { atLeast: DEVICES }),
      figure('1,000 devices: all reached by a message', reachedSeconds, 's'),
      figure('1,000 devices: got it, once', once('news'), '', { atLeast: DEVICES }),
    ];
  });
}

async function secondsOf(work: () => Promise<void>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return (performance.now() - startedAt) / 1000;
}
