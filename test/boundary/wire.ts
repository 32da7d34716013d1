import http from 'node:http';
import { WebSocket } from 'ws';

/** Requests as they go over the wire: no client of ours mends a path or a header, and every one must be answered in time. */

/** The longest answer that a test puts up with: a request without one counts as hanging. */
const DEADLINE_MILLISECONDS = 20_000;

export interface WireRequest {
  readonly method?: string;
  /** With its query, below the API's url; sent as it is. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: string | Buffer;
}

export interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

export interface Wire {
  readonly send: (base: string, request: WireRequest) => Promise<Answer>;
  readonly close: () => void;
}

export function createWire(): Wire {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 32 });
  return {
    send: async (base, { method = 'GET', path, headers = {}, body }) => {
      const { hostname, port, pathname } = new URL(base);
      return new Promise((resolve, reject) => {
        const request = http.request({
          agent,
          hostname,
          port,
          path: `${pathname}${path}`,
          method,
          timeout: DEADLINE_MILLISECONDS,
          headers: {
            ...(body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }),
            ...Object.fromEntries(
              Object.entries(headers).map(([name, value]) => [
                name,
                typeof value === 'string' ? value : [...value],
              ]),
            ),
          },
        });
        request.on('timeout', () => request.destroy(new Error(`${method} ${path} got no answer.`)));
        request.on('error', reject);
        request.on('response', (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('error', reject);
          response.on('end', () => {
            const text = Buffer.concat(chunks).toString('utf8');
            resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text });
          });
        });
        request.end(body);
      });
    },
    close: () => agent.destroy(),
  };
}

export interface Socket {
  readonly send: (data: string | Buffer) => void;
  /** Frames so far, as text. */
  readonly frames: readonly string[];
  readonly until: (isWanted: (frame: string) => boolean) => Promise<string>;
  readonly close: () => void;
  readonly closed: Promise<number>;
}

export async function connect(
  url: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Socket | Answer> {
  const socket = new WebSocket(url, { handshakeTimeout: DEADLINE_MILLISECONDS, headers });
  const frames: string[] = [];
  const watchers = new Set<() => void>();
  const closed = new Promise<number>((resolve) => {
    socket.on('close', (code) => {
      resolve(code);
      for (const watcher of watchers) watcher();
    });
  });
  socket.on('message', (data: Buffer) => {
    frames.push(data.toString('utf8'));
    for (const watcher of watchers) watcher();
  });
  return new Promise((resolve, reject) => {
    socket.on('error', reject);
    socket.once('unexpected-response', (_, response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const body = Buffer.concat(chunks).toString('utf8');
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body });
      });
    });
    socket.once('open', () =>
      resolve({
        send: (data) => socket.send(data),
        frames,
        until: async (isWanted) =>
          new Promise((found, failed) => {
            const late = setTimeout(() => done(new Error('No such frame came.')), DEADLINE_MILLISECONDS);
            const look = (): void => {
              const frame = frames.find(isWanted);
              if (frame !== undefined) done(frame);
              else if (socket.readyState === WebSocket.CLOSED) done(new Error('The connection was closed.'));
            };
            const done = (result: string | Error): void => {
              clearTimeout(late);
              watchers.delete(look);
              if (typeof result === 'string') found(result);
              else failed(result);
            };
            watchers.add(look);
            look();
          }),
        close: () => socket.close(),
        closed,
      }),
    );
  });
}

export function isRefused(result: Socket | Answer): result is Answer {
  return 'status' in result;
}
