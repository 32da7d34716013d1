import { once } from 'node:events';
import { WebSocket } from 'ws';
import { conversationIdOf, notificationIdOf } from '../../lambda/chat/domain/identifiers.ts';
import { eventually } from '../eventually.ts';
import type { People, Person, TestDevice } from './chat/people.ts';
import { balanced, reconcile } from './card-settlement/day.ts';
import type { PushFaults } from './push-faults.ts';
import { daysAgo, noonOf, sale, type System } from './system.ts';

/** Everything has time: a busy machine runs workers into their timeouts, and their messages come again. */
const PATIENCE_SECONDS = 120;

/** What the app does, once through: every route, worker, schedule and pipe, and what they do when something is missing. */
export async function runEveryFlow(system: System, people: People): Promise<void> {
  await Promise.all([settlement(system), chat(system, people)]);
  await expectStatus(system.call('gateway', 'GET', '/nowhere'), 404);
  await expectStatus(people.person('ada').call('GET', '/nowhere'), 404);
}

async function expectStatus(
  answered: Promise<{ readonly status: number; readonly body: unknown }>,
  expected: number,
): Promise<unknown> {
  const { status, body } = await answered;
  if (status !== expected) throw new Error(`Answered ${status}, not ${expected}: ${JSON.stringify(body)}`);
  return body;
}

async function settlement(system: System): Promise<void> {
  const merchantId = 'mer_paris';
  const profile = {
    name: 'P',
    country: 'FR',
    settlementCurrency: 'EUR',
    feeBasisPoints: 100,
    feeFixedMinor: 5,
  };
  for (const body of [profile, { ...profile, feeFixedMinor: 6 }]) {
    await expectStatus(system.call('operator', 'PUT', `/merchants/${merchantId}`, { body }), 204);
  }
  await convertedDay(system, daysAgo(system, 3), merchantId);
  await blockedDay(system, daysAgo(system, 20), merchantId);
  await decisions(system);
  await scheduledRun(system);
}

async function putRates(system: System, date: string, rates: object, status = 204): Promise<void> {
  const body = { base: 'USD', source: 'test', rateDate: date, rates };
  await expectStatus(system.call('operator', 'PUT', `/fx-rates/${date}`, { body }), status);
}

async function balance(system: System, date: string): Promise<void> {
  await reconcile(system, date);
  await system.dayWith(date, balanced, PATIENCE_SECONDS);
}

async function convertedDay(system: System, date: string, merchantId: string): Promise<void> {
  await putRates(system, date, { EUR: '0.9' });
  const headers = { 'idempotency-key': `converted-${date}` };
  // Small: it may be one of those that try cards out, so the terminal's history is read.
  const body = sale({ merchantId, amount: 150, occurredAt: noonOf(date) });
  await expectStatus(system.call('gateway', 'POST', '/transactions', { body, headers }), 201);
  await expectStatus(system.call('gateway', 'POST', '/transactions', { body, headers }), 200);
  const id = await system.stage({ merchantId, occurredAt: noonOf(date) });
  const totals = [{ type: 'sale', currency: 'USD', count: 3, amount: 1000 }];
  await expectStatus(
    system.call('gateway', 'PUT', `/terminals/till-1/totals/${date}`, { body: { totals } }),
    204,
  );
  await balance(system, date);
  // What is frozen may get further currencies, and nothing else.
  await putRates(system, date, { EUR: '0.8' }, 409);
  await putRates(system, date, { EUR: '0.9', CHF: '0.88' });
  for (const path of [
    `/transactions/${id}`,
    '/business-days',
    `/settlements/${date}`,
    `/settlements/${date}/merchants/${merchantId}`,
  ]) {
    await expectStatus(system.call('gateway', 'GET', path), 200);
  }
  const csv = { headers: { accept: 'text/csv' } };
  await expectStatus(system.call('gateway', 'GET', `/settlements/${date}`, csv), 200);
  // The next date has no rates of its own, and takes these.
  const next = daysAgo(system, 2);
  await system.stage({ merchantId, occurredAt: noonOf(next) });
  await balance(system, next);
}

async function blockedDay(system: System, date: string, merchantId: string): Promise<void> {
  await system.stage({ merchantId, occurredAt: noonOf(date) });
  await reconcile(system, date);
  await system.dayWith(date, ({ status }) => status === 'blocked', PATIENCE_SECONDS);
  await putRates(system, date, { EUR: '0.9' });
  await system.dayWith(date, balanced, PATIENCE_SECONDS);
}

/** Of three equal sales at once two are held: one is released, one rejected; the one that settled is reversed. */
async function decisions(system: System): Promise<void> {
  const fields = { cardToken: 'tok_thrice', merchantId: 'mer_thrice', occurredAt: new Date().toISOString() };
  const ids = [await system.stage(fields), await system.stage(fields), await system.stage(fields)];
  const statusOf = async (id: string | undefined): Promise<unknown> => {
    const { body } = await system.call('gateway', 'GET', `/transactions/${id}`);
    return typeof body === 'object' && body !== null ? Reflect.get(body, 'status') : undefined;
  };
  const inStatus = async (wanted: string): Promise<string[]> => {
    const statuses = await Promise.all(ids.map(statusOf));
    return ids.filter((_, index) => statuses[index] === wanted);
  };
  await reconcile(system, system.today);
  await eventually(async () => (await inStatus('held')).length === 2, 'two are held', PATIENCE_SECONDS);
  await eventually(async () => (await inStatus('settled')).length === 1, 'one is settled', PATIENCE_SECONDS);
  const path = `/transactions?status=held&businessDate=${system.today}`;
  await expectStatus(system.call('operator', 'GET', path), 200);
  const [released, rejected] = await inStatus('held');
  const [reversed] = await inStatus('settled');
  const reason = { body: { reason: 'x' } };
  await expectStatus(system.call('operator', 'POST', `/transactions/${released}/release`, reason), 200);
  await expectStatus(system.call('operator', 'POST', `/transactions/${rejected}/reject`, reason), 200);
  await expectStatus(
    system.call('gateway', 'POST', '/transactions', {
      headers: { 'idempotency-key': 'reversal' },
      body: sale({ ...fields, type: 'reversal', originalTransactionId: reversed }),
    }),
    201,
  );
  await reconcile(system, system.today);
  for (const [id, status] of [
    [released, 'settled'],
    [rejected, 'rejected'],
    [reversed, 'reversed'],
  ] as const) {
    await eventually(async () => (await statusOf(id)) === status, `${id} is ${status}`, PATIENCE_SECONDS);
  }
}

async function scheduledRun(system: System): Promise<void> {
  for (const { fire } of system.host.schedules) await fire();
  const hasRun = () =>
    system.events.some((event) => event.type === 'log' && event.line.includes('"due days"'));
  await eventually(hasRun, 'the scheduled run', PATIENCE_SECONDS);
}

async function chat(system: System, people: People): Promise<void> {
  await live(system, people);
  await offline(people);
  await vanished(system, people);
}

/** Messages to a device: acknowledged, read, posted again, delivered again. */
async function live(system: System, people: People): Promise<void> {
  const [ada, bob] = [people.person('ada'), people.person('bob')];
  const conversationId = conversationIdOf(ada.name, bob.name);
  const writer = await ada.device();
  const device = await bob.device({ acknowledges: true });
  const first = await ada.post(bob, 'one', 'first');
  await ada.post(bob, 'one', 'first');
  await device.until(({ texts }) => texts().includes('one'), 'the message', PATIENCE_SECONDS);
  await eventually(async () => (await bob.waiting()).length === 0, 'it is acknowledged', PATIENCE_SECONDS);
  await bob.history(ada);
  await expectStatus(bob.call('GET', '/conversations'), 200);
  await expectStatus(bob.call('GET', `/conversations/${conversationId}/messages?after=${first}`), 200);
  device.send({ action: 'read', conversationId, sequence: first });
  const isRead = ({ frames }: typeof writer): boolean => frames.some(({ type }) => type === 'read');
  await writer.until(isRead, 'the receipt', PATIENCE_SECONDS);
  // A queue delivers at least once; so does a device acknowledge.
  await system.sqs.sendMessage({
    QueueUrl: system.environment('NOTIFICATION_QUEUE_URL'),
    MessageBody: JSON.stringify({ kind: 'message', conversationId, sequence: String(first) }),
  });
  const notificationIds = device.notifications().map(({ notificationId }) => notificationId);
  const neverThere = notificationIdOf({ conversationId, sequence: 999 });
  device.send({ action: 'ack', notificationIds: [...notificationIds, neverThere] });
  await wrongFrames(system, bob);
  device.close();
  await device.closed;
}

/** Frames that no action takes, or that their action can't read: each is answered. */
async function wrongFrames(system: System, person: Person): Promise<void> {
  const actions = ['dance', 'hello', 'ack', 'read'];
  const url = `${system.outputs.DuotempoChat.WebSocketUrl}?token=${await person.token()}`;
  for (const action of actions) {
    const socket = new WebSocket(url);
    await once(socket, 'open');
    socket.send(JSON.stringify({ action, colour: 'blue' }));
    await once(socket, 'message');
    socket.terminate();
  }
}

/** More waits than one pass of a drain pushes. */
async function offline(people: People): Promise<void> {
  const [ada, bob] = [people.person('ada'), people.person('bob')];
  const count = 103;
  for (let number = 0; number < count; number++) await ada.post(bob, `message ${number}`);
  const allWait = async (): Promise<boolean> => (await bob.waiting()).length === count;
  await eventually(allWait, 'all wait', PATIENCE_SECONDS);
  const device = await bob.device({ hello: false });
  device.send({ action: 'hello' });
  await device.until(isCaughtUp, 'caught-up', PATIENCE_SECONDS);
  const path = `/notifications/${device.notifications()[0]?.notificationId}`;
  await expectStatus(bob.call('DELETE', path), 204);
  await expectStatus(bob.call('DELETE', path), 204);
}

/** What the workers do when a push fails, or a device takes nothing: needs faults, which not every host has. */
export async function runFailedPushes(system: System, people: People, faults: PushFaults): Promise<void> {
  const [ada, bob] = [people.person('ada'), people.person('bob')];
  const live = await newDevice(system, bob);
  const [stuck, refused] = [await newDevice(system, bob), await newDevice(system, bob)];
  faults.stick(stuck.connectionId);
  faults.refuse(refused.connectionId, 0, 3);
  await ada.post(bob, 'to all');
  for (const { device } of [live, refused])
    await device.until(({ texts }) => texts().includes('to all'), 'the message', PATIENCE_SECONDS);
  await stuck.device.closed;
  for (const { device } of [live, refused]) device.close();

  for (let number = 0; number < 5; number++) await ada.post(bob, `message ${number}`);
  await eventually(async () => (await bob.waiting()).length === 6, 'all wait', PATIENCE_SECONDS);
  const [drained, stuckAgain] = [await newDevice(system, bob, false), await newDevice(system, bob, false)];
  faults.refuse(drained.connectionId, 3, 3);
  drained.device.send({ action: 'hello' });
  await drained.device.messages(6, PATIENCE_SECONDS);
  await drained.device.until(isCaughtUp, 'caught-up', PATIENCE_SECONDS);
  faults.stick(stuckAgain.connectionId);
  stuckAgain.device.send({ action: 'hello' });
  await stuckAgain.device.closed;
  const isForgotten = async (): Promise<boolean> =>
    !(await connectionsOf(system, bob)).includes(stuckAgain.connectionId);
  await eventually(isForgotten, 'the connection is removed', PATIENCE_SECONDS);
}

async function connectionsOf(system: System, { name }: Person): Promise<string[]> {
  return (await system.scan(system.environment('CONNECTIONS_TABLE')))
    .filter(({ userId }) => userId === name)
    .map((item) => String(item['connectionId']));
}

async function newDevice(
  system: System,
  person: Person,
  hello = true,
): Promise<{ readonly device: TestDevice; readonly connectionId: string }> {
  const before = new Set(system.host.connectionIds());
  const device = await person.device({ hello });
  const connectionId = system.host.connectionIds().find((id) => !before.has(id));
  if (connectionId === undefined) throw new Error('The device has no connection.');
  return { device, connectionId };
}

/** Devices that went without a word are found out by a receipt and by a message. */
async function vanished(system: System, people: People): Promise<void> {
  const [ada, bob] = [people.person('ada'), people.person('bob')];
  const conversationId = conversationIdOf(ada.name, bob.name);
  const lose = async (person: Person): Promise<void> => {
    const ids = await connectionsOf(system, person);
    system.host.loseConnections((id) => ids.includes(id));
  };
  const isForgotten = (person: Person) => async (): Promise<boolean> =>
    (await connectionsOf(system, person)).length === 0;
  const reader = await bob.device();
  await ada.device();
  await lose(ada);
  await ada.post(bob, 'are you there?');
  await reader.messages(1, PATIENCE_SECONDS);
  reader.send({ action: 'read', conversationId, sequence: 1 });
  await eventually(isForgotten(ada), 'a receipt finds it gone', PATIENCE_SECONDS);
  await lose(bob);
  await ada.post(bob, 'still there?');
  await eventually(isForgotten(bob), 'a message finds it gone', PATIENCE_SECONDS);
}

function isCaughtUp({ frames }: TestDevice): boolean {
  return frames.some(({ type }) => type === 'caught-up');
}
