import { marshall } from '@aws-sdk/util-dynamodb';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { eventually } from '../eventually.ts';
import { startChat, type People } from './chat/people.ts';
import type { System } from './system.ts';

/**
 * Goal: when the host's clock moves, all that was due on the way happens, in order and at its time, wherever it is
 * timed: schedules, the cut-off and the seal, windows, visibility, tokens, time to live, connections.
 * Method: a Tuesday of the sandbox stage, whose waits are as long as on AWS, from ten in the morning.
 */

const at = (time: string): Date => new Date(`2026-11-03T${time}-05:00`);

let system: System;
let people: People;

beforeAll(async () => {
  ({ system, people } = await startChat({ stage: 'sandbox', startAt: at('10:00:00') }));
});

afterAll(async () => {
  await people?.stop();
  await system?.stop();
});

test('a day passes from its first sale to balanced books, in order', async () => {
  const { host, events } = system;
  expect(system.today).toBe('2026-11-03');
  const [ada, bob] = [people.person('ada'), people.person('bob')];
  const token = await system.token('gateway');
  const transactionId = await system.stage({ amount: 4711 });
  const poison = 'what no settlement can read';
  await system.sqs.sendMessage({ QueueUrl: system.environment('SETTLEMENT_QUEUE_URL'), MessageBody: poison });
  const device = await bob.device({ acknowledges: true });
  await ada.post(bob, 'good morning');
  await addTombstone(at('16:00:00'));

  await host.moveClock(at('16:59:00'));
  const day = `/business-days/${system.today}`;
  expect(await get(day, await system.token('operator'))).toMatchObject({
    status: 200,
    body: { status: 'open' },
  });
  expect(await get(`/transactions/${transactionId}`, token)).toMatchObject({ status: 401 });
  expect(await deadLetters()).toEqual([poison]);
  const left = await tombstones();
  expect(left).not.toContain(EXPIRING);
  expect(left).not.toEqual([]);
  expect(await device.closed).toBe(1001);

  await host.moveClock(at('17:01:00'));
  const { body } = await get(day, await system.token('operator'));
  expect(body).toMatchObject({
    status: 'balanced',
    // The seal waits for 30 seconds, and the settlement for its window.
    asOf: expect.stringMatching(/^2026-11-03T22:00:[34]/),
    totals: { USD: { settled: { count: 1, amount: '4711' } } },
  });
  // Every quarter of an hour.
  expect(events.filter(({ type }) => type === 'schedule')).toHaveLength(28);
}, 120_000);

test('what is sent after a move arrives at once', async () => {
  const [ada, bob] = [people.person('ada'), people.person('bob')];
  const device = await bob.device();
  await ada.post(bob, 'good evening');
  await device.messages(1);
  expect(device.texts()).toEqual(['good evening']);
});

const EXPIRING = 'expiring#1';

/** Beside those that the app wrote, which stay for a month. */
async function addTombstone(expiry: Date): Promise<void> {
  await eventually(async () => (await tombstones()).length > 0, 'a tombstone');
  await system.dynamodb.putItem({
    TableName: system.environment('ACKNOWLEDGEMENTS_TABLE'),
    Item: marshall({ userId: 'bob', conversationSequence: EXPIRING, expiresAt: expiry.getTime() / 1000 }),
  });
  expect(await tombstones()).toContain(EXPIRING);
}

async function tombstones(): Promise<unknown[]> {
  const items = await system.scan(system.environment('ACKNOWLEDGEMENTS_TABLE'));
  return items.map(({ conversationSequence }) => conversationSequence);
}

async function deadLetters(): Promise<(string | undefined)[]> {
  const { QueueUrls: urls = [] } = await system.sqs.listQueues({});
  const QueueUrl = urls.find((url) => url.includes('SettlementDeadLetters')) ?? '';
  const { Messages: messages = [] } = await system.sqs.receiveMessage({ QueueUrl, VisibilityTimeout: 0 });
  return messages.map(({ Body: body }) => body);
}

async function get(path: string, token: string): Promise<{ status: number; body: unknown }> {
  const url = `${system.outputs.DuotempoCardSettlement.ApiUrl}${path}`;
  const response = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
  return { status: response.status, body: await response.json() };
}
