import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { BatchWriteItemCommand, paginateListTables, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import * as v from 'valibot';
import { conversationIdOf, messageIdOf } from '../../lambda/chat/domain/identifiers.ts';
import type { Message } from '../../lambda/chat/domain/message.ts';
import { describeRefusal } from '../../cli/shared/api.ts';
import { dynamoDbClient } from '../bench/aws-client.ts';
import { startHost, type RunningHost } from '../bench/running-host.ts';
import {
  connectDevice,
  connectToChat,
  postedOf,
  type Device,
  type Posted,
  type ServerFrame,
} from '../../cli/shared/chat.ts';
import { CommandError } from '../../cli/shared/command-error.ts';
import { forEachConcurrently } from '../../cli/shared/concurrency.ts';
import { userTokensOf } from '../../cli/shared/tokens.ts';

/** Users of a local host of their own, and what the loads fill its tables with. */

export interface ChatUsers {
  readonly user: (name: string) => ChatUser;
  /** Writes items past the app, to the chat's table of that name. */
  readonly fill: (table: string, items: Iterable<Record<string, unknown>>) => Promise<void>;
}

export interface ChatUser {
  readonly name: string;
  readonly post: (to: string, text: string) => Promise<Posted>;
  /** How many are on the first page of what waits. */
  readonly firstPage: () => Promise<number>;
  readonly connect: (onFrame: (frame: ServerFrame, device: Device) => void) => Promise<Device>;
}

const CONNECTIONS = 8;
const BATCH_ITEMS = 25;

/** Runs a load against a host in a separate process, and stops both. */
export async function withChatUsers<Result>(
  projectFolder: string,
  load: (users: ChatUsers, host: RunningHost) => Promise<Result>,
): Promise<Result> {
  const host = await startHost(projectFolder);
  const dynamoDb = dynamoDbClient(host.awsEndpoint, CONNECTIONS);
  const devices: Device[] = [];
  const closing: (() => void)[] = [];
  const user = (name: string): ChatUser => {
    const tokens = userTokensOf(name, host.outputs);
    const api = connectToChat(host.outputs, tokens);
    closing.push(api.close);
    return {
      name,
      post: async (to, text) => {
        const body = { to, text, clientMessageId: randomUUID() };
        const response = await api.call({ method: 'POST', path: '/messages', body });
        const posted = postedOf(response);
        if (posted === undefined)
          throw new CommandError(`A message was refused: ${describeRefusal(response)}.`);
        return posted;
      },
      firstPage: async () => {
        const response = await api.call({ method: 'GET', path: '/notifications' });
        if (response.status !== 200)
          throw new CommandError(`GET /notifications: ${describeRefusal(response)}.`);
        return v.parse(v.object({ items: v.array(v.unknown()) }), response.body).items.length;
      },
      connect: async (onFrame) => {
        const device: Device = await connectDevice({
          webSocketUrl: host.outputs.DuotempoChat.WebSocketUrl,
          token: await tokens.get(),
          onFrame: (frame) => onFrame(frame, device),
        });
        devices.push(device);
        return device;
      },
    };
  };
  try {
    return await load({ user, fill: (table, items) => fill(dynamoDb, table, items) }, host);
  } finally {
    for (const device of devices) device.terminate();
    for (const close of closing) close();
    dynamoDb.destroy();
    await host.stop();
  }
}

/** So many messages of different users to one, as they stand in the table of messages. */
export function* messagesTo(to: string, senders: number, ofEach: number): Generator<Message> {
  const sentAt = new Date().toISOString();
  for (let sender = 0; sender < senders; sender++) {
    const from = `sender-${sender}`;
    const conversationId = conversationIdOf(from, to);
    for (let sequence = 1; sequence <= ofEach; sequence++) {
      const messageId = messageIdOf(from, to, String(sequence));
      yield { conversationId, sequence, messageId, from, to, text: `message ${sequence}`, sentAt };
    }
  }
}

/** Sends hello, and waits for the caught-up frame. @returns the notifications that came before it, and the seconds */
export async function drained(
  user: ChatUser,
  patienceSeconds: number,
): Promise<{ readonly notificationIds: readonly string[]; readonly seconds: number }> {
  const notificationIds: string[] = [];
  const caughtUp = new AbortController();
  const device = await user.connect((frame) => {
    if (frame.type === 'notification') notificationIds.push(frame.notificationId);
    if (frame.type === 'caught-up') caughtUp.abort();
  });
  const startedAt = performance.now();
  device.send({ action: 'hello' });
  await wait(patienceSeconds * 1000, undefined, { signal: caughtUp.signal }).catch(() => undefined);
  if (!caughtUp.signal.aborted)
    throw new CommandError(`${user.name} has not caught up after ${patienceSeconds} s.`);
  const seconds = (performance.now() - startedAt) / 1000;
  device.close();
  return { notificationIds, seconds };
}

async function fill(
  client: DynamoDBClient,
  table: string,
  items: Iterable<Record<string, unknown>>,
): Promise<void> {
  let name: string | undefined;
  for await (const { TableNames = [] } of paginateListTables({ client }, {}))
    name ??= TableNames.find((each) => each.includes(`Chat-${table}`));
  if (name === undefined) throw new CommandError(`The chat has no table ${table}.`);
  const tableName = name;
  await forEachConcurrently(chunksOf(items, BATCH_ITEMS), CONNECTIONS, async (chunk) => {
    const { UnprocessedItems: rest = {} } = await client.send(
      new BatchWriteItemCommand({
        RequestItems: { [tableName]: chunk.map((item) => ({ PutRequest: { Item: marshall(item) } })) },
      }),
    );
    if (Object.keys(rest).length > 0) throw new CommandError(`${tableName} did not take all items.`);
  });
}

function* chunksOf<Item>(items: Iterable<Item>, size: number): Generator<Item[]> {
  let chunk: Item[] = [];
  for (const item of items) {
    chunk.push(item);
    if (chunk.length < size) continue;
    yield chunk;
    chunk = [];
  }
  if (chunk.length > 0) yield chunk;
}
