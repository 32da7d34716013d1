import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createCallAws, type CallAws } from './call-aws.ts';
import { createDispatcher, type Dispatcher, type DispatcherOptions } from './dispatcher.ts';
import { awsError } from './refusals.ts';
import type { AwsAnswer } from './service.ts';

type PublicPathHandler = (request: IncomingMessage, response: ServerResponse, path: string) => void;

export interface AwsEndpoint extends Pick<Dispatcher, 'addService' | 'addRestService'> {
  readonly url: string;
  /** Anybody may read what is under the prefix: it belongs to no service. */
  readonly addPublicPath: (prefix: string, handle: PublicPathHandler) => void;
  /** For callers inside the host. They are authorized like any other. */
  readonly callAs: (roleArn: string, sessionName: string) => CallAws;
  readonly stop: () => Promise<void>;
}

export interface AwsEndpointOptions extends DispatcherOptions {
  readonly port: number;
  /** A second address of this machine to listen on; `0.0.0.0` or `::` for all. @default only 127.0.0.1 */
  readonly address?: string;
}

const MAXIMUM_BODY_BYTES = 16 * 1024 * 1024;

/** @throws the error of `listen`, with its `code`, where the port is taken */
export async function startAwsEndpoint(options: AwsEndpointOptions): Promise<AwsEndpoint> {
  const { answer, perform, addService, addRestService } = createDispatcher(options);
  const publicPaths = new Map<string, PublicPathHandler>();

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { url = '/' } = request;
    for (const [prefix, handle] of publicPaths) {
      if (url.startsWith(prefix)) return handle(request, response, url.slice(prefix.length));
    }
    const gone = new AbortController();
    response.once('close', () => {
      // An abort makes an error with a stack, which each answered request would pay for.
      if (!response.writableFinished) gone.abort();
    });
    try {
      const body = await readBody(request);
      send(
        request,
        response,
        body === undefined
          ? awsError('RequestEntityTooLargeException', 'The request is larger than 16 MB.', 413)
          : await answer(request, body, gone.signal),
      );
    } catch (error) {
      if (response.destroyed) return;
      const message = error instanceof Error ? error.message : String(error);
      send(request, response, awsError('InternalFailure', message, 500));
    }
  };

  const servers: Server[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(servers.map(close));
  };
  let port = options.port;
  for (const address of addressesToListenOn(options.address)) {
    const server = createServer((request, response) => void serve(request, response));
    // An SDK may send its next request on an idle connection, so it stays open.
    server.keepAliveTimeout = 120_000;
    server.headersTimeout = 10_000;
    server.requestTimeout = 60_000;
    try {
      port = await listen(server, port, address);
    } catch (error) {
      await stop();
      throw error;
    }
    servers.push(server);
  }
  return {
    url: `http://localhost:${port}`,
    addService,
    addRestService,
    addPublicPath: (prefix, handle) => void publicPaths.set(prefix, handle),
    callAs: (roleArn, sessionName) =>
      createCallAws((target, request, signal) =>
        perform(target, request, { caller: { kind: 'role', roleArn, sessionName }, signal }),
      ),
    stop,
  };
}

/** A server on all addresses covers 127.0.0.1 already. */
function addressesToListenOn(address = '127.0.0.1'): ReadonlySet<string> {
  return new Set(['0.0.0.0', '::'].includes(address) ? [address] : ['127.0.0.1', address]);
}

function listen(server: Server, port: number, address: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, address, () => {
      const bound = server.address();
      resolve(typeof bound === 'object' && bound !== null ? bound.port : port);
    });
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

/** @returns undefined for a body that is too large */
function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= MAXIMUM_BODY_BYTES) chunks.push(chunk);
    });
    request.on('end', () => resolve(bytes > MAXIMUM_BODY_BYTES ? undefined : Buffer.concat(chunks)));
    request.on('error', reject);
  });
}

function send(
  request: IncomingMessage,
  response: ServerResponse,
  { status, body, headers }: AwsAnswer,
): void {
  const text = typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
  response.writeHead(status, {
    'content-type': request.headers['content-type'] ?? 'application/x-amz-json-1.0',
    'content-length': Buffer.byteLength(text),
    'x-amzn-requestid': randomUUID(),
    ...headers,
  });
  response.end(text);
}
