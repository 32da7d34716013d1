import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { eventually } from '../eventually.ts';
import { createPeople, type People } from './chat/people.ts';
import { startSystem, type System } from './system.ts';

/**
 * Goal: the sandbox stage lives within the ten concurrent executions of a new account.
 * Method: as many callers as its queues leave room for, at once; then a burst beyond it.
 */

let system: System;
let people: People;
let running = 0;
let most = 0;

beforeAll(async () => {
  system = await startSystem({
    stage: 'sandbox',
    accountConcurrency: 10,
    onInvoke: () => {
      running = 1 + running;
      most = Math.max(most, running - ended());
    },
  });
  people = createPeople(system);
});

afterAll(async () => {
  await people?.stop();
  await system?.stop();
});

const invocations = () => system.events.flatMap((event) => (event.type === 'invocation' ? [event] : []));
const ended = (): number => invocations().filter(({ outcome }) => outcome !== 'throttled').length;
const throttled = (): number => invocations().filter(({ outcome }) => outcome === 'throttled').length;

test('four callers at once, settlement and chat beside them: nothing is throttled', async () => {
  const [ada, bob] = [people.person('ada'), people.person('bob')];
  const device = await bob.device();
  const till = async (): Promise<string[]> => {
    const ids: string[] = [];
    for (let sale = 0; sale < 40; sale++) ids.push(await system.stage());
    return ids;
  };
  const talk = async (): Promise<void> => {
    for (let message = 0; message < 40; message++) await ada.post(bob, `message ${message}`);
  };
  const [first, second, third] = await Promise.all([till(), till(), till(), talk()]);
  await device.messages(40, 60);
  const { status } = await system.call('operator', 'POST', `/business-days/${system.today}/reconcile`);
  expect(status).toBe(202);
  const last = [first, second, third].map((ids) => ids.at(-1) ?? '');
  await eventually(async () => {
    const statuses = await Promise.all(
      last.map((id) => system.call('gateway', 'GET', `/transactions/${id}`)),
    );
    return statuses.every(({ body }) => JSON.stringify(body).includes('"settled"'));
  }, 'the sales are settled');
  expect(throttled()).toBe(0);
  expect(most).toBeGreaterThan(3);
  expect(most).toBeLessThanOrEqual(10);
});

test('a burst beyond it is answered 503, and goes through when it comes again', async () => {
  const answers = await Promise.all(
    Array.from({ length: 40 }, (_, index) =>
      system.call('gateway', 'GET', `/transactions/${String(index).padStart(32, '0')}`),
    ),
  );
  const statuses = answers.map(({ status }) => status);
  expect(new Set(statuses)).toEqual(new Set([404, 503]));
  expect(answers.find(({ status }) => status === 503)?.body).toEqual({ message: 'Service Unavailable' });
  expect(most).toBe(10);
  expect((await system.call('gateway', 'GET', `/transactions/${'0'.repeat(32)}`)).status).toBe(404);
});
