import {
  createServer,
  STATUS_CODES,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/** Header names are lower case; `set-cookie` may repeat. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string | Buffer;
}

/** @param path what follows the prefix, still encoded: empty, or beginning with `/` or `?` */
export type MountHandler = (request: IncomingMessage, response: ServerResponse, path: string) => void;

export type UpgradeHandler = (request: IncomingMessage, socket: Duplex, head: Buffer, path: string) => void;

/** API Gateway itself counts 10,240 bytes. The parser may hold this much before that. */
const PARSER_HEADER_BYTES = 64 * 1024;

/** For the head of a request and for all of it. A request that takes longer gets a 408, and its connection closes. */
export interface RequestTimeouts {
  readonly headMilliseconds: number;
  readonly requestMilliseconds: number;
}

const ORDINARY_TIMEOUTS: RequestTimeouts = { headMilliseconds: 10_000, requestMilliseconds: 30_000 };
/** Longer than clients keep idle connections, so that none closes under a request. */
const KEEP_ALIVE_MILLISECONDS = 65_000;

export interface MountServer {
  addMount(prefix: string, handler: MountHandler, upgrade?: UpgradeHandler): void;
  readonly url: string;
  stop(): Promise<void>;
}

/** @param port 0 for any. @throws the system's error, with `code` `EADDRINUSE`, where the port is taken */
export async function startMountServer(
  port: number,
  timeouts: RequestTimeouts = ORDINARY_TIMEOUTS,
): Promise<MountServer> {
  const mounts = new Mounts();
  const server = createServer({
    maxHeaderSize: PARSER_HEADER_BYTES,
    keepAliveTimeout: KEEP_ALIVE_MILLISECONDS,
    headersTimeout: timeouts.headMilliseconds,
    requestTimeout: timeouts.requestMilliseconds,
    connectionsCheckingInterval: timeouts.headMilliseconds / 4,
  });
  server.on('request', (request: IncomingMessage, response: ServerResponse) =>
    mounts.serve(request, response),
  );
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    if (mounts.upgrade(request, socket, head)) return;
    // RFC 9110, section 7.8: a server may ignore the offer. The request starts again without it.
    socket.unshift(Buffer.concat([Buffer.from(headWithoutUpgrade(request), 'latin1'), head]));
    server.emit('connection', socket);
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    if (error.code === 'ECONNRESET' || !socket.writable) socket.destroy();
    else if (error.code === 'HPE_HEADER_OVERFLOW') refuseSocket(socket, 431);
    else if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT') refuseSocket(socket, 408);
    else refuseSocket(socket, 400);
  });
  await listen(server, port);
  return {
    addMount: (...mount) => mounts.add(...mount),
    url: `http://localhost:${portOf(server)}`,
    async stop() {
      const closed = new Promise((resolve) => {
        server.close(resolve);
      });
      server.closeAllConnections();
      await closed;
    },
  };
}

class Mounts {
  readonly #mounts: {
    readonly prefix: string;
    readonly handler: MountHandler;
    readonly upgrade: UpgradeHandler | undefined;
  }[] = [];

  add(prefix: string, handler: MountHandler, upgrade?: UpgradeHandler): void {
    if (this.#mounts.some((mount) => mount.prefix === prefix)) {
      throw new Error(`Two parts of the app are served under "${prefix}": give them different names.`);
    }
    this.#mounts.push({ prefix, handler, upgrade });
    this.#mounts.sort((left, right) => right.prefix.length - left.prefix.length);
  }

  serve(request: IncomingMessage, response: ServerResponse): void {
    // RFC 9112, section 3.2. Node.js takes the first of several.
    if (hostsOf(request) > 1) return sendAnswer(response, messageAnswer(400));
    const target = pathTarget(request.url ?? '/');
    const mount = this.#mounts.find(({ prefix }) => isUnder(target, prefix));
    if (mount) mount.handler(request, response, target.slice(mount.prefix.length));
    else sendAnswer(response, messageAnswer(404));
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean {
    const target = pathTarget(request.url ?? '/');
    const mount = this.#mounts.find(({ prefix }) => isUnder(target, prefix));
    const isWebSocket = request.headers.upgrade?.toLowerCase() === 'websocket';
    if (!mount?.upgrade || !isWebSocket || hostsOf(request) !== 1) return false;
    mount.upgrade(request, socket, head, target.slice(mount.prefix.length));
    return true;
  }
}

function hostsOf({ rawHeaders }: IncomingMessage): number {
  return rawHeaders.filter((text, index) => index % 2 === 0 && text.toLowerCase() === 'host').length;
}

function headWithoutUpgrade({ method, url, httpVersion, rawHeaders }: IncomingMessage): string {
  const lines = [`${method} ${url} HTTP/${httpVersion}`];
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const [name = '', value = ''] = rawHeaders.slice(index, index + 2);
    if (/^(upgrade|http2-settings)$/i.test(name)) continue;
    const kept = /^connection$/i.test(name) ? withoutOffer(value) : value;
    lines.push(`${name}: ${kept}`);
  }
  return `${lines.join('\r\n')}\r\n\r\n`;
}

function withoutOffer(connection: string): string {
  const options = connection.split(',').map((option) => option.trim());
  return options.filter((option) => !/^(upgrade|http2-settings)$/i.test(option)).join(', ');
}

/** Clients of proxies send the absolute form, `http://host/path`. */
function pathTarget(url: string): string {
  return url.replace(/^https?:\/\/[^/?#]*/i, '') || '/';
}

function isUnder(target: string, prefix: string): boolean {
  if (!target.startsWith(prefix)) return false;
  const after = target[prefix.length];
  return after === undefined || after === '/' || after === '?';
}

async function listen(server: Server, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    // "localhost" resolves to different addresses on different machines.
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function portOf(server: Server): number {
  const address: AddressInfo | string | null = server.address();
  if (address === null || typeof address === 'string')
    throw new Error('The server does not listen on a port.');
  return address.port;
}

export function refuseSocket(
  socket: Duplex,
  status: number,
  answer: object = { message: STATUS_CODES[status] },
): void {
  if (socket.destroyed || !socket.writable) return;
  const body = JSON.stringify(answer);
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Error'}\r\ncontent-type: application/json\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}

export function jsonAnswer(status: number, body: unknown, headers: HttpAnswer['headers'] = []): HttpAnswer {
  return { status, headers: [['content-type', 'application/json'], ...headers], body: JSON.stringify(body) };
}

/** An HTTP API's own answer. @param message by default the name of the status */
export function messageAnswer(
  status: number,
  message = STATUS_CODES[status] ?? 'Error',
  headers: HttpAnswer['headers'] = [],
): HttpAnswer {
  return jsonAnswer(status, { message }, headers);
}

/** @throws TypeError, before it sends anything, where a header cannot be sent */
export function sendAnswer(
  response: ServerResponse,
  answer: HttpAnswer,
  extraHeaders: HttpAnswer['headers'] = [],
): void {
  const headers: string[] = [];
  for (const [name, value] of answer.headers) headers.push(name, value);
  for (const [name, value] of extraHeaders) headers.push(name, value);
  if (answer.status === 204 || answer.status === 304) {
    response.writeHead(answer.status, headers).end();
    return;
  }
  headers.push('content-length', String(Buffer.byteLength(answer.body)));
  response.writeHead(answer.status, headers).end(answer.body);
}
