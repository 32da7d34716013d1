import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { conversationIdOf } from '../../../lambda/chat/domain/identifiers.ts';
import { eventually } from '../../eventually.ts';
import { startChat, type People, type Person, type TestDevice } from './people.ts';
import type { System } from '../system.ts';

/**
 * Goal: nothing that was accepted is lost, and nothing acknowledged comes back, whatever happens to the pipe, the queue
 * and the worker.
 * Method: faults injected into the running app from outside, all at once: what one test kills or stops, hits the others'
 * messages too.
 */

let system: System;
let people: People;

beforeAll(async () => {
  ({ system, people } = await startChat());
});

afterAll(async () => {
  await people?.stop();
  await system?.stop();
});

describe('while users write to each other', () => {
  test.concurrent('workers are killed at any moment: every message is acknowledged, none comes back', async () => {
    let kills = 0;
    const { bob, ada, device, posted } = await conversation(60, async (running) => {
      while (running() || kills === 0) {
        kills += system.host.killFunction('DuotempoChat-NotificationWorker');
        await pause(15);
      }
    });
    const other = await bob.device({ acknowledges: true });
    // What a killed worker had in its hands comes again after its visibility timeout of 12 s.
    await allAcknowledged(bob, [device, other], posted, 80);
    const late = await bob.device();
    expect(late.texts()).toEqual([]);
    expect((await bob.history(ada)).map(({ sequence }) => sequence)).toEqual(oneTo(60));
  }, 300_000);

  test.concurrent('every stream record comes twice: a device sees it once or twice, and acknowledged is acknowledged', async () => {
    const pipe = messagePipe();
    pipe.deliverTwice(true);
    try {
      const { bob, ada, device, posted } = await conversation(40);
      await allAcknowledged(bob, [device], posted, 40);
      const seen = device.notifications();
      expect(new Set(seen.map(({ messageId }) => messageId)).size).toBe(40);
      expect(
        seen.every(({ conversationId }) => conversationId === conversationIdOf(ada.name, bob.name)),
      ).toBe(true);
      // The doubles of what was acknowledged are done with, and bring nothing back.
      await eventually(() => delivered(ada, bob).length >= 80, 'every double was worked on', 60);
      expect(await bob.waiting()).toEqual([]);
    } finally {
      pipe.deliverTwice(false);
    }
  }, 300_000);

  test.concurrent('the pipe is stopped and started: what was written meanwhile arrives when it runs again', async () => {
    const pipe = messagePipe();
    const { bob, device, posted } = await conversation(30, async (running) => {
      while (running()) {
        await pipe.stop();
        await pause(150);
        pipe.start();
        await pause(100);
      }
      await pipe.stop();
    });
    pipe.start();
    await allAcknowledged(bob, [device], posted, 40);
    expect(new Set(device.texts())).toEqual(new Set(posted));
  }, 300_000);

  test.concurrent('a message that names nothing ends in the dead-letter queue, and holds nobody up', async () => {
    const [ada, bob] = [people.person('ada'), people.person('bob')];
    const device = await bob.device();
    const queueUrl = system.environment('NOTIFICATION_QUEUE_URL');
    for (const body of [
      'not JSON',
      '{"kind":"else"}',
      JSON.stringify({ kind: 'message', conversationId: '0'.repeat(32), sequence: '1' }),
    ]) {
      await system.sqs.sendMessage({ QueueUrl: queueUrl, MessageBody: body });
    }
    await ada.post(bob, 'goes on');
    await device.until(({ texts }) => texts().includes('goes on'), 'the message', 40);
    const { QueueUrls: urls = [] } = await system.sqs.listQueues({});
    const deadLetters = urls.find((url) => url.includes('NotificationDeadLetters'));
    const found = new Set<string>();
    await eventually(
      async () => {
        const { Messages: messages = [] } = await system.sqs.receiveMessage({
          QueueUrl: deadLetters,
          MaxNumberOfMessages: 10,
          VisibilityTimeout: 0,
        });
        for (const { Body: body = '' } of messages) found.add(body);
        return found.size === 3;
      },
      'all three are in the dead-letter queue',
      90,
    );
  }, 300_000);
});

function messagePipe() {
  const pipe = system.host.pipes.find(({ pipeName }) => pipeName.startsWith('DuotempoChat'));
  if (pipe === undefined) throw new Error('The app has no pipe.');
  return pipe;
}

/** One writes to the other, whose device acknowledges all it gets, while something happens. */
async function conversation(
  count: number,
  meanwhile: (running: () => boolean) => Promise<void> = () => Promise.resolve(),
): Promise<{ ada: Person; bob: Person; device: TestDevice; posted: string[] }> {
  const [ada, bob] = [people.person('ada'), people.person('bob')];
  const device = await bob.device({ acknowledges: true });
  let running = true;
  const disturbance = meanwhile(() => running);
  const posted = oneTo(count).map((number) => `message ${number}`);
  for (const text of posted) {
    await ada.post(bob, text);
    await pause(20);
  }
  running = false;
  await disturbance;
  return { ada, bob, device, posted };
}

/** Waits until the devices have seen everything between them, and nothing waits any more. */
async function allAcknowledged(
  person: Person,
  devices: readonly TestDevice[],
  posted: readonly string[],
  timeoutSeconds: number,
): Promise<void> {
  await eventually(
    async () => {
      const seen = new Set(devices.flatMap((device) => device.texts()));
      return posted.every((text) => seen.has(text)) && (await person.waiting()).length === 0;
    },
    'everything was seen and acknowledged',
    timeoutSeconds,
  );
}

function delivered(one: Person, other: Person): string[] {
  const conversationId = conversationIdOf(one.name, other.name);
  return system.events.flatMap((event) =>
    event.type === 'log' && event.line.includes('"message delivered"') && event.line.includes(conversationId)
      ? [event.line]
      : [],
  );
}

function oneTo(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index + 1);
}
