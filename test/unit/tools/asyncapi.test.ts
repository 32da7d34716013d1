import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import * as v from 'valibot';
import { chatLiveDocument, chatLiveFile, deviceFrames } from '../../../tools/asyncapi/chat-live.ts';
import { deviceActions } from '../../../lambda/chat/contract.ts';
import { faultsOf, resolved } from '../../openapi/json-schema-check.ts';

/**
 * Goal: the AsyncAPI document says what goes over the WebSocket. Method: its schemas of what devices send are held
 * against those that the handlers parse with. What the server sends: test/end-to-end/documents.test.ts.
 */

type Json = Record<string, unknown>;

const document = JSON.parse(JSON.stringify(chatLiveDocument()));

test('the document in the project is the one that the schemas make', () => {
  try {
    expect(JSON.parse(readFileSync(chatLiveFile, 'utf8'))).toEqual(document);
  } catch (cause) {
    throw new Error(`${chatLiveFile} is not up to date: npm run openapi writes it anew.`, { cause });
  }
});

test('what the server receives are the actions that devices may send', () => {
  const received = Object.entries(document.operations as Record<string, Json>).filter(
    ([, { action }]) => action === 'receive',
  );
  expect(received.map(([name]) => name).toSorted()).toEqual([...deviceActions].toSorted());
});

test('every message has an example that is such', () => {
  const messages = Object.entries(document.components.messages as Record<string, Json>);
  expect(messages.length).toBeGreaterThan(deviceActions.length);
  for (const [name, { payload, examples }] of messages) {
    const [example] = examples as { payload: unknown }[];
    expect([name, faultsOf(example?.payload, payload as Json, { document, closed: true })]).toEqual([
      name,
      [],
    ]);
  }
});

const conversationId = '3bd9b7ea5ad83ec19bd3e99b985b0865';
const frames: Readonly<Record<(typeof deviceActions)[number], readonly unknown[]>> = {
  hello: [{ action: 'hello' }, { action: 'Hello' }, { action: 'hello', extra: 1 }, {}, [], null, 'hello'],
  ack: [
    ...[[], ['a'], ['A-z_9'], ['a b'], [1], 'a', null, Array(100).fill('a'), Array(101).fill('a')].map(
      (notificationIds) => ({ action: 'ack', notificationIds }),
    ),
    { action: 'ack' },
    { action: 'hello', notificationIds: ['a'] },
  ],
  read: [
    ...[0, 1, 1_000_000, 1_000_001, 1.5, '1', null].map((sequence) => ({
      action: 'read',
      conversationId,
      sequence,
    })),
    ...['', conversationId.toUpperCase(), `${conversationId}0`, 1].map((other) => ({
      action: 'read',
      conversationId: other,
      sequence: 1,
    })),
    { action: 'read', conversationId },
  ],
};

test.each(deviceActions)('%s is described as its handler takes it', (action) => {
  const schema = resolved(`#/components/schemas/${action}Frame`, document);
  const told = new Set<boolean>();
  for (const frame of frames[action]) {
    const isTaken = v.is(deviceFrames[action], frame);
    told.add(isTaken);
    expect([frame, faultsOf(frame, schema, { document }).length === 0]).toEqual([frame, isTaken]);
  }
  expect(told.size).toBe(2);
});
