import { once } from 'node:events';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { WebSocket } from 'ws';
import { chatLiveDocument } from '../../tools/asyncapi/chat-live.ts';
import { conversationIdOf } from '../../lambda/chat/domain/identifiers.ts';
import { faultsOf } from '../openapi/json-schema-check.ts';
import { eventually, startChat, type People, type Person } from './chat/people.ts';
import type { System } from './system.ts';

/**
 * Goal: the WebSocket API says what the AsyncAPI document does. Method: devices of the running app send every action of
 * the document; whatever the server sends is held against its messages, and unknown members are faults.
 */

type Json = Record<string, unknown>;

const document = JSON.parse(JSON.stringify(chatLiveDocument()));
const messages = document.components.messages as Record<string, Json>;

let system: System;
let people: People;
const sockets: WebSocket[] = [];

beforeAll(async () => {
  ({ system, people } = await startChat());
});
afterAll(async () => {
  for (const socket of sockets) socket.terminate();
  await people.stop();
  await system.stop();
});

/** The names of the document's messages of a direction that a frame is. */
function namesOf(frame: unknown, action: 'send' | 'receive'): string[] {
  const operations = Object.entries(document.operations as Record<string, Json>);
  return operations
    .filter(([, operation]) => operation['action'] === action)
    .map(([name]) => name)
    .filter(
      (name) => faultsOf(frame, messages[name]?.['payload'] as Json, { document, closed: true }).length === 0,
    );
}

/** A device with the frames that it got, each by its name in the document. */
async function connect(person: Person) {
  const { bindings } = document.channels.connection;
  const [parameter = ''] = bindings.ws.query.required as string[];
  const socket = new WebSocket(
    `${system.outputs.DuotempoChat.WebSocketUrl}?${parameter}=${await person.token()}`,
  );
  sockets.push(socket);
  const got: { readonly name: string; readonly frame: Json }[] = [];
  const undocumented: unknown[] = [];
  socket.on('message', (data: Buffer) => {
    const frame: Json = JSON.parse(data.toString());
    const names = namesOf(frame, 'send');
    if (names.length !== 1) undocumented.push(frame);
    got.push({ name: names.join(), frame });
  });
  await once(socket, 'open');
  return {
    send: (frame: Json) => socket.send(JSON.stringify(frame)),
    undocumented,
    /** Waits for the next frame of a name. */
    next: async (name: string): Promise<Json> => {
      let found = -1;
      await eventually(() => {
        found = got.findIndex((each) => each.name === name);
        return Promise.resolve(found >= 0 || undocumented.length > 0);
      }, `${name} arrives`);
      expect(undocumented).toEqual([]);
      return got.splice(found, 1)[0]?.frame ?? {};
    },
  };
}

test('devices and the server say what is documented', async () => {
  const [alice, bob] = ['alice', 'bob'].map(people.person);
  if (alice === undefined || bob === undefined) throw new Error('There are two.');
  const conversationId = conversationIdOf(alice.name, bob.name);
  const sent = {
    hello: { action: 'hello' },
    read: { action: 'read', conversationId, sequence: 1 },
    ack: { action: 'ack', notificationIds: [`${conversationId}-0000001`] },
  };
  for (const [name, frame] of Object.entries(sent)) expect(namesOf(frame, 'receive')).toEqual([name]);

  const [hers, his] = [await connect(alice), await connect(bob)];
  for (const device of [hers, his]) {
    device.send(sent.hello);
    await device.next('caughtUp');
  }
  his.send(sent.hello);
  expect(await his.next('caughtUp')).toMatchObject({ more: true });

  await alice.post(bob, 'hello \u{1F600}');
  expect(await his.next('notification')).toMatchObject({ from: alice.name, sequence: 1 });
  his.send(sent.read);
  expect(await hers.next('readReceipt')).toMatchObject({ by: bob.name, sequence: 1 });
  his.send(sent.ack);
  await eventually(async () => (await bob.waiting()).length === 0, 'it is acknowledged');

  const refused = [{ action: 'wave' }, { ...sent.ack, notificationIds: [] }, { ...sent.read, sequence: 0 }];
  for (const frame of refused) {
    expect(namesOf(frame, 'receive')).toEqual([]);
    his.send(frame);
    expect(await his.next('error')).toMatchObject({ problem: { status: 400 } });
  }
  expect([hers.undocumented, his.undocumented]).toEqual([[], []]);
});

test('without a token there is no connection', async () => {
  const { name, in: place } = document.components.securitySchemes.token;
  expect([name, place]).toEqual(['token', 'query']);
  const socket = new WebSocket(system.outputs.DuotempoChat.WebSocketUrl);
  socket.on('error', () => undefined);
  const [, response] = await once(socket, 'unexpected-response');
  expect(response.statusCode).toBe(401);
  socket.terminate();
});
