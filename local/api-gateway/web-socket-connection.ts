import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { after, type Timer } from '../clock/index.ts';
import type { ConnectionIdentity } from './web-socket-event.ts';
import { watchFrameSizes } from './web-socket-frames.ts';

export interface WebSocketLimits {
  /** Without a message in either direction. @default 600 */
  readonly idleSeconds?: number;
  /** The longest that a connection lasts. @default 7200 */
  readonly lifetimeSeconds?: number;
}

export interface WebSocketConnection {
  readonly identity: ConnectionIdentity;
  readonly lastActiveAt: () => Date;
  /** Resolves when the frame is sent or buffered. @throws SlowClientError for a full buffer, Error for a lost client */
  readonly send: (data: string | Buffer) => Promise<void>;
  readonly close: (code: number, reason: string) => void;
  readonly cut: () => void;
}

export interface ConnectionListener {
  readonly onMessage: (body: string) => void;
  readonly onSent: (bytes: number) => void;
  readonly onClose: (code: number, reason: string) => void;
}

/** Source: API Gateway developer guide, "Quotas for configuring and running a WebSocket API". */
export const MAXIMUM_MESSAGE_BYTES = 128 * 1024;
const MAXIMUM_FRAME_BYTES = 32 * 1024;
/** Buffered for a client that does not read. AWS has a limit but does not publish it. */
const MAXIMUM_WAITING_BYTES = 1024 * 1024;
const IDLE_SECONDS = 600;
const LIFETIME_SECONDS = 7200;

const GOING_AWAY = 1001;
const UNSUPPORTED_DATA = 1003;
const TOO_LARGE = 1009;

export class SlowClientError extends Error {
  constructor() {
    super('The WebSocket client side buffer is full.');
    this.name = 'SlowClientError';
  }
}

export function openConnection(
  webSocket: WebSocket,
  socket: Duplex,
  identity: ConnectionIdentity,
  limits: WebSocketLimits,
  listener: ConnectionListener,
): WebSocketConnection {
  let lastActiveAt = new Date();
  let idleTimer: Timer | undefined;
  let isClosed = false;
  /** What this side said as it closed. The client's reply repeats the code at most. */
  let closing: { readonly code: number; readonly reason: string } | undefined;

  const close = (code: number, reason: string): void => {
    closing ??= { code, reason };
    webSocket.close(code, reason);
  };
  const leave = (): void => close(GOING_AWAY, 'Going away');
  const active = (): void => {
    lastActiveAt = new Date();
    idleTimer?.cancel();
    idleTimer = after((limits.idleSeconds ?? IDLE_SECONDS) * 1000, leave);
  };
  const lifeTimer = after((limits.lifetimeSeconds ?? LIFETIME_SECONDS) * 1000, leave);
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
  // ws tells the client of its error and closes the connection.
  webSocket.on('error', () => undefined);
  webSocket.on('close', (code, reason) => {
    isClosed = true;
    idleTimer?.cancel();
    lifeTimer.cancel();
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
