import { rmSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { format } from 'oxfmt';
import { eventually } from '../eventually.ts';
import { balanced, reconcile } from './card-settlement/day.ts';
import { type People, startChat } from './chat/people.ts';
import { eventName, eventNames, eventsFolder, eventText, redacted, storyDate } from './recorded-events.ts';
import { daysAgo, noonOf, sale, type System } from './system.ts';

/**
 * Goal: `events/` holds one event of each function, as the function really gets it.
 * Method: a short story that reaches every function of the running app, whose events are held against the files by
 * their shape. `npm test -- end-to-end --update` writes them anew, where one is missing or unlike, or they are of sales that
 * are too old to be taken soon.
 */

let system: System;
let people: People;
const recorded = new Map<string, unknown>();

beforeAll(async () => {
  const names = new Map<string, string>();
  let recording = false;
  ({ system, people } = await startChat({
    onInvoke: (functionArn, event) => {
      const name = names.get(functionArn) ?? functionArn;
      if (recording && !recorded.has(name)) recorded.set(name, JSON.parse(redacted(JSON.stringify(event))));
    },
  }));
  for (const { functionArn, logicalId } of system.host.functions)
    names.set(functionArn, eventName(logicalId));
  recording = true;
  await settleAndReview();
  await chat();
  await until(() => names.size === recorded.size);
  if (process.env['DUOTEMPO_UPDATE'] === '1' && !areUpToDate()) await writeEvents();
}, 180_000);

afterAll(async () => {
  await people.stop();
  await system.stop();
});

test('every function has an event, and every event is of a function', () => {
  const names = system.host.functions.map(({ logicalId }) => eventName(logicalId)).toSorted();
  expect(names.length).toBeGreaterThan(20);
  expect(eventNames()).toEqual(names);
});

test('every event is like the one that the function is given', () => {
  for (const name of eventNames()) {
    expect([name, shapeOf(JSON.parse(eventText(name)))]).toEqual([name, shapeOf(recorded.get(name))]);
  }
});

test('no event holds a token', () => {
  for (const name of eventNames()) expect(eventText(name)).not.toMatch(/eyJ|Bearer (?!<access token>)/);
});

/** Two equal sales of a card, the second of which is held, on a date that is settled; and what can be asked of it. */
async function settleAndReview(): Promise<void> {
  const date = daysAgo(system, 2);
  const ask = async (
    client: 'gateway' | 'operator',
    method: 'GET' | 'PUT' | 'POST',
    path: string,
    body?: object,
  ) => {
    const answer = await system.call(client, method, path, { ...(body && { body }) });
    if (answer.status >= 300 && path !== '/no-such-path') {
      throw new Error(`${method} ${path} was answered ${answer.status}: ${JSON.stringify(answer.body)}`);
    }
  };
  await ask('operator', 'PUT', '/merchants/mer_corner_shop', {
    ...{ name: 'Corner Shop', country: 'US', settlementCurrency: 'USD' },
    ...{ feeBasisPoints: 250, feeFixedMinor: 10 },
  });
  await ask('operator', 'PUT', `/fx-rates/${date}`, {
    ...{ base: 'USD', source: 'an example', rateDate: date, rates: { EUR: '0.9213', JPY: '151.37' } },
  });
  const twin = sale({ cardToken: 'tok_1', occurredAt: noonOf(date) });
  await system.stage(twin, 'sale-1');
  const held = await system.stage({ ...twin, occurredAt: noonOf(date).replace(':00Z', ':59Z') }, 'sale-2');
  await ask('gateway', 'PUT', `/terminals/till-1/totals/${date}`, {
    totals: [{ type: 'sale', currency: 'USD', count: 2, amount: 994 }],
  });
  await reconcile(system, date);
  await system.dayWith(date, balanced);
  await ask('gateway', 'GET', `/transactions?status=held&businessDate=${date}`);
  await ask('operator', 'POST', `/transactions/${held}/release`, { reason: 'the customer called' });
  await ask('gateway', 'GET', `/transactions/${held}`);
  await ask('gateway', 'GET', `/settlements/${date}`);
  await ask('gateway', 'GET', '/no-such-path');
}

/** A message to somebody who is offline, comes online, reads and acknowledges it. */
async function chat(): Promise<void> {
  const [alice, bob] = [people.person('alice'), people.person('bob')];
  await alice.post(bob, 'are you there?', 'm1');
  const device = await bob.device({ hello: false });
  await until(async () => (await bob.waiting()).length === 1);
  await device.hello();
  const [notification] = device.notifications();
  if (notification === undefined) throw new Error('No notification arrived.');
  const { conversationId, sequence, notificationId } = notification;
  await alice.history(bob);
  await alice.call('GET', '/conversations');
  device.send({ action: 'read', conversationId, sequence });
  device.send({ action: 'ack', notificationIds: [notificationId] });
  device.send({ action: 'something-else' } as never);
  await bob.call('DELETE', `/notifications/${notificationId}`);
  await bob.call('GET', '/no-such-path');
  await until(() => recorded.has('unknown-action') && recorded.has('ack') && recorded.has('read'));
  device.close();
}

/** The members of an event, and the types of what has none; a list is what its first item is. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.slice(0, 1).map(shapeOf);
  if (typeof value !== 'object' || value === null) return typeof value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, shapeOf(member)]));
}

/** All are of one story, whose ids lead from one to the other: they are written together. */
function areUpToDate(): boolean {
  const names = eventNames();
  if (names.length !== recorded.size) return false;
  const isLike = (name: string): boolean =>
    JSON.stringify(shapeOf(JSON.parse(eventText(name)))) === JSON.stringify(shapeOf(recorded.get(name)));
  return names.every(isLike) && storyDate() > daysAgo(system, 20);
}

async function writeEvents(): Promise<void> {
  for (const name of eventNames()) rmSync(`${eventsFolder}/${name}.json`);
  for (const [name, event] of recorded) {
    const file = `${eventsFolder}/${name}.json`;
    const { code } = await format(file, JSON.stringify(event), { printWidth: 110 });
    writeFileSync(file, code);
  }
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const missing = () => `there are events of more functions than ${[...recorded.keys()].join(', ')}`;
  await eventually(holds, missing, 30);
}
