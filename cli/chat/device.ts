import type { IncomingMessage } from 'node:http';
import * as v from 'valibot';
import { WebSocket } from 'ws';
import { CommandError, errorMessage } from '../command-error.ts';
import { parseJson } from '../outputs.ts';

/** A user's device: a connection to the WebSocket API. */
export interface Device {
  readonly send: (frame: DeviceFrame) => void;
  /** Closes the connection as a device does that is switched off. */
  readonly close: () => void;
  /** Lets the connection vanish without a word. */
  readonly terminate: () => void;
  /** Resolves when the connection has ended, with the WebSocket's close code. */
  readonly closed: Promise<number>;
}

export type DeviceFrame =
  | { readonly action: 'hello' }
  | { readonly action: 'ack'; readonly notificationIds: readonly string[] }
  | { readonly action: 'read'; readonly conversationId: string; readonly sequence: number };

const notificationFrame = v.object({
  type: v.literal('notification'),
  notificationId: v.string(),
  messageId: v.string(),
  conversationId: v.string(),
  sequence: v.number(),
  from: v.string(),
  text: v.string(),
  sentAt: v.string(),
});

const serverFrame = v.variant('type', [
  notificationFrame,
  v.object({ type: v.literal('caught-up'), conversations: v.record(v.string(), v.number()) }),
  v.object({
    type: v.literal('read'),
    conversationId: v.string(),
    by: v.string(),
    sequence: v.number(),
  }),
  v.object({
    type: v.literal('error'),
    problem: v.looseObject({ type: v.string(), title: v.string(), status: v.number() }),
  }),
]);

export type NotificationFrame = v.InferOutput<typeof notificationFrame>;
export type ServerFrame = v.InferOutput<typeof serverFrame>;

export interface ConnectOptions {
  readonly webSocketUrl: string;
  readonly token: string;
  /** What the server sends, in the order of its arrival. What is none of its frames is dropped. */
  readonly onFrame: (frame: ServerFrame) => void;
}

/** Opens a connection. @throws CommandError if the API refuses it or does not answer */
export async function connectDevice({ webSocketUrl, token, onFrame }: ConnectOptions): Promise<Device> {
  const socket = new WebSocket(`${webSocketUrl}?token=${encodeURIComponent(token)}`, {
    handshakeTimeout: 10_000,
  });
  const closed = new Promise<number>((resolve) => {
    socket.on('close', (code) => resolve(code));
  });
  socket.on('message', (data: Buffer) => {
    const parsed = v.safeParse(serverFrame, parseJson(data.toString('utf8')));
    if (parsed.success) onFrame(parsed.output);
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('open', () => resolve());
    socket.once('unexpected-response', (_request, response: IncomingMessage) => {
      const status = response.statusCode ?? 0;
      const why = status === 401 || status === 403 ? 'refuses the token' : 'refuses the connection';
      reject(new CommandError(`${webSocketUrl} ${why}: it answered ${status}.`));
      socket.terminate();
    });
    // A connection that fails later ends, and `closed` says so.
    socket.on('error', (error) => {
      reject(new CommandError(`${webSocketUrl} does not answer: ${errorMessage(error)}.`, { cause: error }));
    });
  });
  return {
    send: (frame) => socket.send(JSON.stringify(frame)),
    close: () => socket.close(),
    terminate: () => socket.terminate(),
    closed,
  };
}
