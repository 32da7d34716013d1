import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { readShippedFxRates } from '../../cli/shared/fx-rates.ts';
import { unitsIn, usageBetween, type UsageUnit } from '../../local/index.ts';
import { eventually } from '../eventually.ts';
import { startChat } from './chat/people.ts';
import { balanced, reconcile } from './card-settlement/day.ts';
import { daysAgo, noonOf, startSystem, type System } from './system.ts';

/**
 * Goal: what a sale and a message consume on AWS stays within what is promised.
 * Method: counts at the AWS endpoint while the whole app settles a day and delivers messages, each on a host of its own,
 * so that nothing else is counted. Sales are settled in the stage `sandbox`, whose functions may take their time: where
 * a busy machine lets them time out, work is done twice.
 */

let system: System;
let chat: Awaited<ReturnType<typeof startChat>>;

beforeAll(async () => {
  system = await startSystem({ stage: 'sandbox' });
  chat = await startChat();
}, 300_000);

afterAll(async () => {
  await chat.people.stop();
  await Promise.all([chat.system.stop(), system.stop()]);
});

/** Counts units from now on, on resources and by callers whose names contain one of the texts. */
function counting({ host }: System): (unit: UsageUnit, ...names: readonly string[]) => number {
  const start = host.usage();
  return (unit, ...names) =>
    unitsIn(usageBetween(start, host.usage()), unit, ({ resource, by }) =>
      names.some((name) => resource.includes(name) || by.includes(name)),
    );
}

/** Counts deliveries of a queue's messages from now on: where a busy machine lets functions time out, there are more. */
function countingDeliveries({ events }: System): (queueName: string) => number {
  const begun = events.length;
  return (queueName) =>
    events
      .slice(begun)
      .flatMap((event) => (event.type === 'batch' && event.queueName.includes(queueName) ? [event.size] : []))
      .reduce((sum, size) => sum + size, 0);
}

test.concurrent('a plain sale takes at most 4.1 write units, and a day 10 and 2 for each merchant', async () => {
  const date = daysAgo(system, 3);
  const [sales, merchants] = [60, 3];
  const put = async (path: string, body: unknown): Promise<void> =>
    expect((await system.call('operator', 'PUT', path, { body })).status).toBe(204);
  const profile = { country: 'FR', settlementCurrency: 'EUR', feeBasisPoints: 100, feeFixedMinor: 5 };
  await put('/merchants/mer_usage_0', { name: 'Converts', ...profile });
  // Of all currencies: frozen with the day's first conversion, some 2 KB at once.
  await put(`/fx-rates/${date}`, await readShippedFxRates());

  const deliveries = countingDeliveries(system);
  const units = counting(system);
  for (let from = 0; from < sales; from += 10) {
    const numbers = Array.from({ length: 10 }, (_, index) => from + index);
    await Promise.all(
      numbers.map((number) =>
        system.stage({
          occurredAt: noonOf(date),
          amount: 1000 + number,
          merchantId: `mer_usage_${number % merchants}`,
          ...(number % 2 === 0
            ? {}
            : { merchantCountry: 'US', location: { latitude: 40.7128, longitude: -74.006 } }),
        }),
      ),
    );
  }
  await reconcile(system, date);
  await system.dayWith(date, balanced, 120);

  // A sale that is delivered again is written again, to no effect.
  const again = deliveries('Settlement') - sales;
  const perSale = (units('dynamodb-write-units', 'StagedTransactions', 'Ledger') - again) / sales;
  expect(perSale).toBeGreaterThan(4 - (again + 1) / sales);
  expect(perSale).toBeLessThanOrEqual(4.1);
  // Nor would there be more than two runs of the day if nothing were delivered again.
  const moreRuns = again === 0 ? 0 : Math.max(0, deliveries('Reconcile') - 2);
  expect(units('dynamodb-write-units', 'BusinessDays')).toBeLessThanOrEqual(
    10 + 2 * merchants + 2 * moreRuns,
  );
  // Sent, received and deleted in tens.
  expect(units('sqs-requests', 'SettlementQueue')).toBeLessThanOrEqual(3 * (sales / 10 + 1) + again);
  expect(units('sqs-requests', 'ReconcileQueue')).toBeLessThanOrEqual(12 + 4 * moreRuns);
}, 150_000);

test.concurrent('a message of 200 bytes to one device takes at most 6 write units, 3 SQS requests, a pipe request and 2 frames', async () => {
  const { people } = chat;
  const [sender, recipient] = [people.person('sender'), people.person('recipient')];
  const device = await recipient.device({ acknowledges: true });
  const messages = 30;
  const [units, deliveries] = [counting(chat.system), countingDeliveries(chat.system)];
  for (let number = 0; number < messages; number++) await sender.post(recipient, 'x'.repeat(200));
  await device.messages(messages);
  await eventually(() => units('lambda-requests', 'Ack') >= messages, 'every message is acknowledged');

  const delivered = Math.max(messages, deliveries('Notification'));
  const perMessage = (unit: UsageUnit): number => units(unit, 'Chat', 'chat') / delivered;
  // Once: the conversation's item of each member, the device's hello, and the two notes of its drain.
  const once = 5 / delivered;
  expect(perMessage('dynamodb-write-units')).toBeLessThanOrEqual(6 + once);
  expect(perMessage('dynamodb-read-units')).toBeLessThanOrEqual(6 + once);
  expect(perMessage('sqs-requests')).toBeLessThanOrEqual(3);
  expect(perMessage('pipe-requests')).toBeLessThanOrEqual(1);
  expect(perMessage('websocket-messages')).toBeLessThanOrEqual(2);
  // Post, push and acknowledge; a busy machine may push one of them twice.
  expect(perMessage('lambda-requests')).toBeLessThanOrEqual(3.5);
  expect(units('pipe-requests', 'Chat')).toBe(messages);
}, 300_000);
