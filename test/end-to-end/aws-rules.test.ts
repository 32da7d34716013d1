import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { marshall } from '@aws-sdk/util-dynamodb';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { environmentNames, tables } from '../../lambda/chat/contract.ts';
import {
  conversationIdOf,
  conversationSequenceOf,
  messageIdOf,
} from '../../lambda/chat/domain/identifiers.ts';
import { eventually } from '../eventually.ts';
import { createPeople, type People } from './chat/people.ts';
import { withoutResource, withProperty, type TemplateEdit } from './edited-assembly.ts';
import type { Interceptor } from '../../local/testing.ts';
import { startSystem, type System } from './system.ts';

/**
 * Goal: what AWS refuses or stops in a template that looks right is refused or stopped here, too.
 * Method: the templates without the part that AWS asks for, and as they are.
 */

interface Started {
  readonly system: System;
  readonly people: People;
}

const stops: (() => Promise<void>)[] = [];
let asTheyAre: Started;
beforeAll(async () => {
  asTheyAre = await started();
});
afterAll(async () => {
  for (const stop of stops.toReversed()) await stop();
});

async function started(...edits: readonly TemplateEdit[]): Promise<Started> {
  const system = await startSystem({ edits, interceptors: [slowPushes] });
  const people = createPeople(system);
  stops.push(system.stop, people.stop);
  return { system, people };
}

test('a mock integration on $connect without an integration response answers every handshake with 500', async () => {
  const { system, people } = await started(withoutResource(/^WebSocketApiConnectedResponse/));
  await expect(people.person('ada').device({ hello: false })).rejects.toThrow('it answered 500');
  expect(system.events).toContainEqual(
    expect.objectContaining({ type: 'web-socket', routeKey: '$connect', status: 500 }),
  );
  expect(system.host.connectionIds()).toEqual([]);
});

test('with the integration response it has, a handshake answers 101', async () => {
  const { system, people } = asTheyAre;
  await people.person('ada').device({ hello: false });
  expect(system.events).toContainEqual(
    expect.objectContaining({ type: 'web-socket', routeKey: '$connect', status: 101 }),
  );
});

test('a WebSocket API with an access log is refused where the account has no role to write it', async () => {
  await expect(started(withoutResource(/^WebSocketApiApiGatewayAccount/))).rejects.toThrow(
    'CloudWatch Logs role ARN must be set in account settings to enable logging',
  );
});

/** A pass of a drain is bounded in time: with pushes as slow as this, 16 passes push fewer notifications than wait. */
const PUSH_MILLISECONDS = 50;
const MANY = 600;
const slowPushes: Interceptor = async ({ action }, proceed) => {
  if (action === 'ManageConnections') await pause(PUSH_MILLISECONDS);
  return proceed();
};

const recursions = ({ events }: System): number => events.filter(({ type }) => type === 'recursion').length;

test('a drain of more than 16 passes ends in the dead-letter queue where Lambda may stop it', async () => {
  const { system, people } = await started(withProperty('AWS::Lambda::Function', 'RecursiveLoop', undefined));
  const bob = people.person('bob');
  await putNotifications(system, bob.name, MANY);
  const device = await bob.device({ hello: false });
  device.send({ action: 'hello' });
  await eventually(() => recursions(system) > 0, 'Lambda stops the chain', 120);
  expect(device.frames.filter(({ type }) => type === 'caught-up')).toEqual([]);
  expect(await bodiesOf(system, 'DrainDeadLetters')).toEqual([
    expect.objectContaining({
      userId: bob.name,
      goesOn: expect.objectContaining({ after: expect.any(String) }),
    }),
  ]);
});

test('a drain of more than 16 passes catches up with the templates as they are', async () => {
  const { system, people } = asTheyAre;
  const bob = people.person('bob');
  await putNotifications(system, bob.name, MANY);
  const device = await bob.device({ hello: false });
  device.send({ action: 'hello' });
  await device.until(({ frames }) => frames.some(({ type }) => type === 'caught-up'), 'caught up', 120);
  expect(new Set(device.texts()).size).toBe(MANY);
  expect(recursions(system)).toBe(0);
});

/** Puts notifications of one sender into a user's inbox, as a worker would. */
async function putNotifications(system: System, to: string, count: number): Promise<void> {
  const table = system.environment(environmentNames.notificationsTable);
  const conversationId = conversationIdOf('ada', to);
  const now = new Date().toISOString();
  const puts = Array.from({ length: count }, (_, index) => {
    const place = { conversationId, sequence: index + 1 };
    const key = { userId: to, [tables.inbox.sortKey]: conversationSequenceOf(place) };
    const message = {
      ...place,
      messageId: messageIdOf('ada', to, randomUUID()),
      from: 'ada',
      to,
      text: `${index + 1}`,
      sentAt: now,
    };
    const Item = marshall({ ...key, ...message, notifiedAt: now, expiresAt: Date.now() });
    return { PutRequest: { Item } };
  });
  for (let start = 0; start < puts.length; start += 25) {
    const RequestItems = { [table]: puts.slice(start, start + 25) };
    await system.dynamodb.batchWriteItem({ RequestItems });
  }
}

/** The messages of a queue that the templates know by this logical id, parsed. */
async function bodiesOf(system: System, logicalId: string): Promise<unknown[]> {
  const { QueueUrls: urls = [] } = await system.sqs.listQueues({});
  const { Messages: messages = [] } = await system.sqs.receiveMessage({
    QueueUrl: urls.find((url) => url.includes(logicalId)),
    MaxNumberOfMessages: 10,
  });
  return messages.map(({ Body: body = '' }): unknown => JSON.parse(body));
}
