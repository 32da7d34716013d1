import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import type { ConnectionIdentity } from './web-socket-event.ts';
import { watchFrameSizes } from './web-socket-frames.ts';

export interface WebSocketLimits {
  /** Without a message in either direction. @default 600 */
  readonly idleSeconds?: number;
  /** Of a connection, whatever happens on it. @default 7200 */
  readonly lifetimeSeconds?: number;
}

/** One open connection, established and not yet closed. */
export interface WebSocketConnection {
  readonly identity: ConnectionIdentity;
  readonly lastActiveAt: () => Date;
  /**
   * Resolves when the frame is on its way, or waits for a client that reads slowly. Rejects with a SlowClientError where
   * too much waits already, and with another error where the client is gone.
   */
  readonly send: (data: string | Buffer) => Promise<void>;
  readonly close: (code: number, reason: string) => void;
  /** Cuts the line, without a word to the client. */
  readonly cut: () => void;
}

export interface ConnectionListener {
  readonly onMessage: (body: string) => void;
  readonly onSent: (bytes: number) => void;
  /** Once, whoever closed it. */
  readonly onClose: (code: number, reason: string) => void;
}

/** Source: API Gateway developer guide, "Quotas for configuring and running a WebSocket API". */
export const MAXIMUM_MESSAGE_BYTES = 128 * 1024;
const MAXIMUM_FRAME_BYTES = 32 * 1024;
/** So much waits for a client that does not read. AWS does not say how much it keeps, but that there is an end to it. */
const MAXIMUM_WAITING_BYTES = 1024 * 1024;
const IDLE_SECONDS = 600;
const LIFETIME_SECONDS = 7200;

const GOING_AWAY = 1001;
const UNSUPPORTED_DATA = 1003;
const TOO_LARGE = 1009;

/** More waits for a client than it reads. */
export class SlowClientError extends Error {
  constructor() {
    super('The WebSocket client side buffer is full.');
    this.name = 'SlowClientError';
  }
}

/** Holds a connection to API Gateway's limits: sizes, kinds of frames, and how long it may stay. */
export function openConnection(
  webSocket: WebSocket,
  socket: Duplex,
  identity: ConnectionIdentity,
  limits: WebSocketLimits,
  listener: ConnectionListener,
): WebSocketConnection {
  let lastActiveAt = new Date();
  let idleTimer: NodeJS.Timeout | undefined;
  let isClosed = false;
  /** What was said when this side closed; the client's answer repeats at most the code. */
  let closing: { readonly code: number; readonly reason: string } | undefined;

  const close = (code: number, reason: string): void => {
    closing ??= { code, reason };
    webSocket.close(code, reason);
  };
  const active = (): void => {
    lastActiveAt = new Date();
    clearTimeout(idleTimer);
    idleTimer = setTimeout(
      () => close(GOING_AWAY, 'Going away'),
      (limits.idleSeconds ?? IDLE_SECONDS) * 1000,
    );
  };
  const lifeTimer = setTimeout(
    () => close(GOING_AWAY, 'Going away'),
    (limits.lifetimeSeconds ?? LIFETIME_SECONDS) * 1000,
  );
  active();

  watchFrameSizes(socket, MAXIMUM_FRAME_BYTES, () => close(TOO_LARGE, 'Frame size exceeds 32 KB'));
  webSocket.on('message', (data, isBinary) => {
    if (closing !== undefined) return;
    active();
    if (isBinary) return close(UNSUPPORTED_DATA, 'Binary frames are not supported');
    // With the default binary type a message is one buffer.
    if (Buffer.isBuffer(data)) listener.onMessage(data.toString('utf8'));
  });
  webSocket.on('ping', active);
  // What ws finds wrong in what a client sends ends the connection; it tells the client itself.
  webSocket.on('error', () => undefined);
  webSocket.on('close', (code, reason) => {
    isClosed = true;
    clearTimeout(idleTimer);
    clearTimeout(lifeTimer);
    listener.onClose(closing?.code ?? code, closing?.reason ?? reason.toString('utf8'));
  });

  return {
    identity,
    lastActiveAt: () => lastActiveAt,
    close,
    cut: () => webSocket.terminate(),
    send: (data) =>
      new Promise((resolve, reject) => {
        if (isClosed || closing !== undefined) {
          reject(new Error('The connection is closed.'));
          return;
        }
        if (webSocket.bufferedAmount > MAXIMUM_WAITING_BYTES) {
          reject(new SlowClientError());
          return;
        }
        const sent = (): void => {
          active();
          listener.onSent(Buffer.byteLength(data));
          resolve();
        };
        webSocket.send(data, { binary: false }, (error) => {
          if (error) reject(error);
          else if (!isWaiting) sent();
        });
        // A sender must not wait for a client that does not read.
        const isWaiting = webSocket.bufferedAmount > 0;
        if (isWaiting) sent();
      }),
  };
}
