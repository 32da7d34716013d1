import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createConversationView } from '../../../cli/chat/conversation-view.ts';
import { conversationIdOf } from '../../../lambda/chat/domain/identifiers.ts';
import { eventually } from '../../eventually.ts';
import { startChat, type People, type Person, type TestDevice } from './people.ts';
import type { System } from '../system.ts';

/**
 * Goal: a message that was accepted is on every live device of its recipient at once, or waits until one comes online;
 * none is lost, and none that was acknowledged comes back.
 * Method: the whole app on the local host in the `test` stage, over real HTTP and WebSockets; users of each test's own.
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

const pair = (): [Person, Person] => [people.person('ada'), people.person('bob')];
const texts = (count: number, what = 'message'): string[] =>
  Array.from({ length: count }, (_, number) => `${what} ${number + 1}`);

async function postAll(from: Person, to: Person, all: readonly string[]): Promise<void> {
  for (const text of all) await from.post(to, text);
}

async function waitingOnes(person: Person, count: number): Promise<string[]> {
  let found: string[] = [];
  await eventually(async () => (found = await person.waiting()).length >= count, `${count} wait`);
  return found;
}

describe('a message', () => {
  test.concurrent('is on every live device of its recipient, and on nobody else’s', async () => {
    const [ada, bob] = pair();
    const devices = [await bob.device(), await bob.device(), await bob.device()];
    const [own, stranger] = [await ada.device(), await people.person('eve').device()];
    const sequence = await ada.post(bob, 'hello');
    expect(sequence).toBe(1);
    for (const device of devices) {
      await device.until(({ texts: seen }) => seen().includes('hello'), 'the message');
      expect(device.notifications()).toEqual([
        {
          type: 'notification',
          notificationId: expect.stringMatching(/^[A-Za-z0-9_-]{1,64}$/),
          messageId: expect.stringMatching(/^[A-Za-z0-9_-]{1,64}$/),
          conversationId: conversationIdOf(ada.name, bob.name),
          sequence: 1,
          from: ada.name,
          text: 'hello',
          sentAt: expect.stringMatching(/Z$/),
        },
      ]);
    }
    expect([...own.texts(), ...stranger.texts()]).toEqual([]);
  });

  test.concurrent('waits for a recipient who is offline, and is shown until acknowledged', async () => {
    const [ada, bob] = pair();
    await postAll(ada, bob, texts(3));
    expect(await waitingOnes(bob, 3)).toEqual(texts(3));
    const { body } = await bob.call('GET', '/notifications?limit=1');
    const { items, cursor } = body as { items: { notificationId: string }[]; cursor: string };
    expect(items).toHaveLength(1);
    expect(cursor).toEqual(expect.any(String));
    const path = `/notifications/${items[0]?.notificationId}`;
    expect((await ada.call('DELETE', path)).status).toBe(404);
    expect(await bob.waiting()).toHaveLength(3);
    expect((await bob.call('DELETE', path)).status).toBe(204);
    expect((await bob.call('DELETE', path)).status).toBe(204);
    expect(await bob.waiting()).toEqual(texts(3).slice(1));
  });
});

describe('a device that comes online', () => {
  test.concurrent('gets 130 that wait, in order, then caught-up, and again until acknowledged', async () => {
    const [ada, bob] = pair();
    // More than one pass of a drain takes.
    const all = texts(130);
    await postAll(ada, bob, all);
    await waitingOnes(bob, 130);

    const first = await bob.device({ hello: false });
    first.send({ action: 'hello' });
    // The device is switched off in the middle of the drain.
    await first.until(({ frames }) => frames.length >= 20, '20 notifications');
    first.terminate();

    const second = await bob.device();
    expect(second.texts()).toEqual(all);
    expect(second.frames.at(-1)).toEqual({
      type: 'caught-up',
      conversations: { [conversationIdOf(ada.name, bob.name)]: 130 },
    });
    const ids = second.notifications().map(({ notificationId }) => notificationId);
    second.send({ action: 'ack', notificationIds: ids.slice(0, 100) });
    second.send({ action: 'ack', notificationIds: ids.slice(100, 110) });
    await eventually(async () => (await bob.waiting()).length === 20, '110 are acknowledged');

    const third = await bob.device();
    expect(third.texts()).toEqual(all.slice(110));
    // Their messages on the queue once more, as a queue may deliver them.
    for (let sequence = 1; sequence <= 10; sequence++) await redeliver(ada, bob, sequence);
    await redeliver(ada, bob, 130);
    await third.until(({ texts: seen }) => seen().length > 20, 'the unacknowledged one again');
    await pause(300);
    expect(new Set(third.texts())).toEqual(new Set(all.slice(110)));
  }, 300_000);

  test.concurrent('misses nothing that is posted while it drains', async () => {
    const [ada, bob] = pair();
    await postAll(ada, bob, texts(30, 'early'));
    await waitingOnes(bob, 30);
    const device = await bob.device({ hello: false, acknowledges: true });
    const posting = { goesOn: true };
    const late: string[] = [];
    const posted = (async () => {
      while (posting.goesOn) {
        late.push(`late ${late.length + 1}`);
        await ada.post(bob, late.at(-1) ?? '');
      }
    })();
    // Some fall before the drain, some into it, some behind it.
    for (let hellos = 0; hellos < 4; hellos++) await device.hello();
    posting.goesOn = false;
    await posted;
    const all = [...texts(30, 'early'), ...late];
    await device.messages(all.length, 10);
    await eventually(async () => (await bob.waiting()).length === 0, 'nothing waits for another hello', 10);
  }, 60_000);

  test.concurrent('hears where each conversation ends, also of what another device acknowledged', async () => {
    const [ada, bob] = pair();
    const cy = people.person('cy');
    const device = await bob.device({ acknowledges: true });
    await ada.post(bob, 'one');
    await ada.post(bob, 'two');
    await bob.post(ada, 'three');
    await cy.post(bob, 'four');
    await device.messages(3);
    await eventually(async () => (await bob.waiting()).length === 0, 'all are acknowledged');
    const other = await bob.device();
    expect(other.frames).toEqual([
      {
        type: 'caught-up',
        conversations: {
          [conversationIdOf(ada.name, bob.name)]: 3,
          [conversationIdOf(cy.name, bob.name)]: 1,
        },
      },
    ]);
  });

  test.concurrent('that says hello many times is drained once in ten seconds, and each hello is answered', async () => {
    const [ada, bob] = pair();
    await postAll(ada, bob, texts(20));
    await waitingOnes(bob, 20);
    const device = await bob.device({ hello: false });
    const startedAt = performance.now();
    const [connectionId] = await helloAtOnce(device, bob, 30);
    const caughtUp = () => device.frames.filter(({ type }) => type === 'caught-up').length;
    await device.until(() => caughtUp() > 0, 'caught-up');
    await device.hello();
    expect([...new Set(device.texts())]).toEqual(texts(20));
    const elapsedSeconds = (performance.now() - startedAt) / 1000;
    const drained = system.events.filter(
      (event) =>
        event.type === 'log' &&
        event.line.includes('"device drained"') &&
        // On a busy machine one drain takes several invocations.
        event.line.includes('"outcome":"caught-up"') &&
        event.line.includes(`"connectionId":"${connectionId}"`),
    );
    expect(drained.length).toBeGreaterThanOrEqual(1);
    expect(drained.length).toBeLessThanOrEqual(1 + Math.floor(elapsedSeconds / 10));
  });
});

describe('GET /conversations', () => {
  test.concurrent('shows each member where a conversation ends, once its notifications are gone, too', async () => {
    const [ada, bob] = pair();
    const others = ['cy', 'dee', 'eve'].map((name) => people.person(name));
    await postAll(ada, bob, texts(3));
    for (const other of others) await bob.post(other, 'hello');
    const device = await bob.device();
    await device.messages(3);
    const notificationIds = device.notifications().map(({ notificationId }) => notificationId);
    device.send({ action: 'ack', notificationIds });
    const conversationId = conversationIdOf(ada.name, bob.name);
    device.send({ action: 'read', conversationId, sequence: 2 });
    const listOf = async (person: Person): Promise<unknown[]> => {
      const found: unknown[] = [];
      for (let cursor: string | undefined = ''; cursor !== undefined;) {
        const query = cursor === '' ? '' : `&cursor=${cursor}`;
        const { body } = await person.call('GET', `/conversations?limit=1${query}`);
        const page = body as { items: unknown[]; cursor?: string };
        found.push(...page.items);
        ({ cursor } = page);
      }
      return found;
    };
    const own = { conversationId, with: ada.name, lastSequence: 3, readSequence: 2 };
    await eventually(
      async () => JSON.stringify(await listOf(bob)).includes('"readSequence":2'),
      'the position has moved',
    );
    const found = await listOf(bob);
    expect(found).toHaveLength(4);
    expect(found).toEqual(
      expect.arrayContaining([
        own,
        ...others.map((other) => ({
          conversationId: conversationIdOf(bob.name, other.name),
          with: other.name,
          lastSequence: 1,
          readSequence: 0,
        })),
      ]),
    );
    expect(await listOf(ada)).toEqual([{ ...own, with: bob.name, readSequence: 0 }]);
    expect(await listOf(people.person('mallory'))).toEqual([]);
  });
});

describe('a device that vanishes without a word', () => {
  test.concurrent('is removed at the first push, alone: the others get the message', async () => {
    const [ada, bob] = pair();
    const before = new Set(system.host.connectionIds());
    const lost = await bob.device();
    const lostIds = (await connectionsOf(bob)).filter((id) => !before.has(id));
    expect(lostIds).toHaveLength(1);
    const [kept, alsoKept] = [await bob.device(), await bob.device()];
    expect(system.host.loseConnections((id) => lostIds.includes(id))).toBe(1);
    await lost.closed;
    expect(await connectionsOf(bob)).toHaveLength(3);
    await ada.post(bob, 'still there?');
    for (const device of [kept, alsoKept])
      await device.until(({ texts: seen }) => seen().includes('still there?'), 'the message');
    await eventually(async () => (await connectionsOf(bob)).length === 2, 'the lost one is removed');
    expect(await connectionsOf(bob)).not.toContain(lostIds[0]);
  });

  test.concurrent('is forgotten when it says goodbye', async () => {
    const [, bob] = pair();
    const device = await bob.device();
    expect(await connectionsOf(bob)).toHaveLength(1);
    device.close();
    await device.closed;
    await eventually(async () => (await connectionsOf(bob)).length === 0, 'the connection is removed');
  });
});

describe('a read position', () => {
  test.concurrent('moves forward only, and no further than the last message; the other user sees it', async () => {
    const [ada, bob] = pair();
    const [writer, reader, readersOther] = [await ada.device(), await bob.device(), await bob.device()];
    await postAll(ada, bob, texts(5));
    const conversationId = conversationIdOf(ada.name, bob.name);
    const read = async (sequence: number) => reader.send({ action: 'read', conversationId, sequence });
    await read(3);
    await writer.until(({ frames }) => frames.some(({ type }) => type === 'read'), 'a receipt');
    await read(2);
    await read(3);
    await read(999);
    const receipts = () => writer.frames.filter((frame) => frame.type === 'read');
    await writer.until(() => receipts().length >= 2, 'the second receipt');
    await pause(200);
    const expected = [3, 5].map((sequence) => ({ type: 'read', conversationId, by: bob.name, sequence }));
    expect(receipts()).toEqual(expected);
    expect(readersOther.frames.filter(({ type }) => type === 'read')).toEqual(expected);
    expect(reader.frames.filter(({ type }) => type === 'read')).toEqual([]);
  });
});

test('320 messages of 16 users at once: every conversation is 1 to n, every recipient got every message', async () => {
  const pairs = Array.from({ length: 8 }, pair);
  const devices = new Map<Person, { readonly shown: string[]; readonly seen: () => string[] }>();
  for (const [one, other] of pairs) {
    for (const [person, partner] of [
      [one, other],
      [other, one],
    ] as const) {
      const shown: string[] = [];
      const view = createConversationView({
        show: ({ text }) => shown.push(text),
        fetchAfter: async (sequence) => {
          const { body } = await person.call(
            'GET',
            `/conversations/${conversationIdOf(person.name, partner.name)}/messages?after=${sequence}&limit=100`,
          );
          return (
            body as {
              items: {
                conversationId: string;
                sequence: number;
                from: string;
                text: string;
                sentAt: string;
              }[];
            }
          ).items;
        },
      });
      const device = await person.device({
        acknowledges: true,
        onFrame: (frame) => frame.type === 'notification' && view.see(frame),
      });
      devices.set(person, { shown, seen: device.texts });
    }
  }
  await Promise.all(
    pairs.flatMap(([one, other]) =>
      Array.from({ length: 20 }, (_, number) => [
        one.post(other, `${one.name} ${number}`),
        other.post(one, `${other.name} ${number}`),
      ]).flat(),
    ),
  );
  for (const [one, other] of pairs) {
    const history = await one.history(other);
    expect(history.map(({ sequence }) => sequence)).toEqual(Array.from({ length: 40 }, (_, n) => n + 1));
    expect(await other.history(one)).toEqual(history);
    for (const [person, partner] of [
      [one, other],
      [other, one],
    ] as const) {
      const received = devices.get(person);
      const expected = Array.from({ length: 20 }, (_, number) => `${partner.name} ${number}`).toSorted();
      await eventually(
        () => new Set(received?.seen()).size === 20,
        `${person.name} has got all of ${partner.name}`,
      );
      expect([...new Set(received?.seen())].toSorted()).toEqual(expected);
      await eventually(async () => (await person.waiting()).length === 0, 'nothing waits');
      const inOrder = history.map(({ text }) => text);
      const last = inOrder.findLast((text) => text.startsWith(partner.name)) ?? '';
      await eventually(() => received?.shown.includes(last) === true, 'the view is complete');
      const { shown } = received ?? { shown: [] };
      const from = inOrder.indexOf(shown[0] ?? '');
      expect(shown).toEqual(inOrder.slice(from, from + shown.length));
    }
  }
}, 300_000);

async function connectionsOf(person: Person): Promise<string[]> {
  const items = await system.scan(system.environment('CONNECTIONS_TABLE'));
  return items.filter(({ userId }) => userId === person.name).map(({ connectionId }) => String(connectionId));
}

/** Says hello so often at once. @returns the ids of the person's connections */
async function helloAtOnce(device: TestDevice, person: Person, times: number): Promise<string[]> {
  for (let hello = 0; hello < times; hello++) device.send({ action: 'hello' });
  await eventually(async () => (await connectionsOf(person)).length > 0, 'the connection is stored');
  return connectionsOf(person);
}

async function redeliver(one: Person, other: Person, sequence: number): Promise<void> {
  await system.sqs.sendMessage({
    QueueUrl: system.environment('NOTIFICATION_QUEUE_URL'),
    MessageBody: JSON.stringify({
      kind: 'message',
      conversationId: conversationIdOf(one.name, other.name),
      sequence: String(sequence),
    }),
  });
}
