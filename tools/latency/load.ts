import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { userTokensOf, type AccessTokens } from '../../cli/shared/tokens.ts';
import { describeRefusal } from '../../cli/shared/api.ts';
import { connectDevice, connectToChat, postedOf, type ChatApi, type Device } from '../../cli/shared/chat.ts';
import { CommandError } from '../../cli/shared/command-error.ts';
import type { Outputs } from '../../cli/shared/outputs.ts';

export interface LoadOptions {
  readonly outputs: Outputs;
  readonly messagesPerSecond: number;
  readonly seconds: number;
  readonly onProgress?: (seen: number, posted: number) => void;
  /** Pairs of sender and recipient. @default 50 users of the local host, where anybody can sign in */
  readonly users?: readonly LoadUser[];
  /** Most connections that are made, and most messages that are posted, at a time. @default all at once */
  readonly atOnce?: number;
}

/** A chat user who can sign in. */
export interface LoadUser {
  readonly name: string;
  readonly tokens: AccessTokens;
}

export interface LoadResult {
  readonly posted: number;
  /** For each message that was seen: from when it was written to when it was on the recipient's device. */
  readonly milliseconds: readonly number[];
}

interface User {
  readonly name: string;
  readonly api: ChatApi;
  readonly device: Device;
}

/** No sender comes near the rate limit, and messages are spread as they are among people. */
const USERS = 50;

/** What is on its way when the last message was posted gets so long. */
const PATIENCE_SECONDS = 15;

/** Lets users write to each other at a steady rate, and measures how long their messages take. */
export async function runLoad(options: LoadOptions): Promise<LoadResult> {
  const { outputs, messagesPerSecond, seconds, onProgress, atOnce = Infinity } = options;
  const posting = createGate(atOnce);
  const milliseconds: number[] = [];
  const wanted = new Set<string>();
  const early = new Map<string, number>();
  const seen = (messageId: string, latency: number): void => {
    if (wanted.delete(messageId)) milliseconds.push(latency);
    else early.set(messageId, latency);
  };

  const users: User[] = [];
  try {
    const connecting = createGate(atOnce);
    await Promise.all(
      (options.users ?? knownUsers(outputs)).map(async (user, index) =>
        connecting(async () => {
          users[index] = await connectUser(user, outputs, seen);
        }),
      ),
    );
    const total = Math.round(messagesPerSecond * seconds);
    const startedAt = performance.now();
    const posts: Promise<void>[] = [];
    for (let number = 0; number < total; number++) {
      await wait(Math.max(0, startedAt + (1000 * number) / messagesPerSecond - performance.now()));
      posts.push(
        (async () => {
          const messageId = await posting(async () => post(users, number));
          const latency = early.get(messageId);
          if (latency === undefined) wanted.add(messageId);
          else milliseconds.push(latency);
        })(),
      );
      onProgress?.(milliseconds.length, number + 1);
    }
    await Promise.all(posts);
    const deadline = performance.now() + PATIENCE_SECONDS * 1000;
    while (wanted.size > 0 && performance.now() < deadline) await wait(50);
    return { posted: total, milliseconds };
  } finally {
    // One that could not connect leaves a hole.
    for (const { api, device } of Object.values(users)) {
      device.terminate();
      api.close();
    }
  }
}

/** The local host lets anybody in. */
function knownUsers(outputs: Outputs): readonly LoadUser[] {
  return Array.from({ length: USERS }, (_, number) => {
    const name = `latency-${number}`;
    return { name, tokens: userTokensOf(name, outputs) };
  });
}

/** Lets so many go on at a time, in the order of their coming. */
function createGate(limit: number): <T>(work: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = [];
  let running = 0;
  return async (work) => {
    if (running >= limit) await new Promise<void>((resolve) => waiting.push(resolve));
    else running += 1;
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  };
}

/** Users write to their neighbours, both ways in turn. */
async function post(users: readonly User[], number: number): Promise<string> {
  const from = users[number % users.length];
  const to = users[(number % users.length) ^ 1];
  if (from === undefined || to === undefined) throw new RangeError('The number of users is even.');
  const response = await from.api.call({
    method: 'POST',
    path: '/messages',
    body: { to: to.name, text: `message ${number}`, clientMessageId: randomUUID() },
  });
  const posted = postedOf(response);
  if (posted === undefined) throw new CommandError(`A message was refused: ${describeRefusal(response)}.`);
  return posted.messageId;
}

async function connectUser(
  { name, tokens }: LoadUser,
  outputs: Outputs,
  seen: (messageId: string, latencyMilliseconds: number) => void,
): Promise<User> {
  const api = connectToChat(outputs, tokens, 4);
  return new Promise<User>((resolve, reject) => {
    const connecting = (async () => {
      const token = await tokens.get();
      const device: Device = await connectDevice({
        webSocketUrl: outputs.DuotempoChat.WebSocketUrl,
        token,
        onFrame: (frame) => {
          if (frame.type === 'caught-up') resolve({ name, api, device });
          if (frame.type !== 'notification') return;
          seen(frame.messageId, Date.now() - Date.parse(frame.sentAt));
          device.send({ action: 'ack', notificationIds: [frame.notificationId] });
        },
      });
      device.send({ action: 'hello' });
    })();
    connecting.catch(reject);
  });
}
