import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { deniedAnswer } from '../iam/access-denied.ts';
import type { CredentialStore } from '../iam/credentials.ts';
import { sessionArn } from '../iam/evaluate.ts';
import { isJsonObject, type JsonObject } from '../template/index.ts';
import { createCallAws, type CallAws } from './aws-call.ts';
import {
  awsError,
  intercepted,
  type AwsAnswer,
  type AwsCall,
  type AwsService,
  type Interceptor,
} from './aws-service.ts';
import { unservedAnswer, unservedText } from './unserved-call.ts';

/** Decides whether a call may go on; the message is AWS's. */
export type Authorize = (
  call: AwsCall,
) => { readonly allowed: true } | { readonly allowed: false; readonly message: string };

/** A service whose actions are told by method and path. */
export interface RestService {
  /** As it stands in an IAM action: `execute-api`. */
  readonly service: string;
  /** @returns undefined for requests of other services. */
  readonly read: (
    method: string,
    path: string,
  ) => { readonly action: string; readonly request: JsonObject; readonly resourceArn: string } | undefined;
  readonly handle: (call: AwsCall, body: Buffer) => Promise<AwsAnswer>;
}

/** @param path what follows the prefix, a query included */
export type PublicPathHandler = (request: IncomingMessage, response: ServerResponse, path: string) => void;

export interface AwsEndpoint {
  /** Such as `http://localhost:4566`. */
  readonly url: string;
  /** Registers a service by what its `x-amz-target` begins with, e.g. `DynamoDB_20120810`. */
  readonly addService: (target: string, service: string, handle: AwsService) => void;
  readonly addRestService: (service: RestService) => void;
  /** Serves what begins with a path to everybody: it is no call of a service. */
  readonly addPublicPath: (prefix: string, handle: PublicPathHandler) => void;
  /** For callers within the host. What they may do is decided as for any other caller. */
  readonly callAs: (roleArn: string, sessionName: string) => CallAws;
  readonly stop: () => Promise<void>;
}

const MAXIMUM_BODY_BYTES = 16 * 1024 * 1024;

/**
 * The one address that serves every AWS API of the host, to functions, SDKs and the AWS CLI alike.
 *
 * @throws the error of `listen`, with its `code`, where the port can't be had.
 */
export async function startAwsEndpoint(options: {
  readonly port: number;
  /** Another address of this machine that it listens on as well; `0.0.0.0` or `::` for all. @default only 127.0.0.1 */
  readonly address?: string;
  readonly credentials: CredentialStore;
  /** @default everybody may do everything */
  readonly authorize?: Authorize;
  /** See every call that is allowed, over HTTP or from within the host; the first is the outermost. */
  readonly interceptors?: readonly Interceptor[];
}): Promise<AwsEndpoint> {
  const interceptors = options.interceptors ?? [];
  const restServices: RestService[] = [];
  const publicPaths = new Map<string, PublicPathHandler>();
  const services = new Map<string, { readonly service: string; readonly handle: AwsService }>();
  const authorize: Authorize = options.authorize ?? (() => ({ allowed: true }));

  const answer = async (request: IncomingMessage, body: Buffer, signal: AbortSignal): Promise<AwsAnswer> => {
    const caller = options.credentials.callerOf(request.headers.authorization);
    const path = (request.url ?? '/').replace(/[?#].*$/, '');
    for (const { service, read, handle } of restServices) {
      const found = read(request.method ?? '', path);
      if (found === undefined) continue;
      const call: AwsCall = { service, ...found, caller, signal };
      const decision = authorize(call);
      if (!decision.allowed) return deniedAnswer(service, decision.message);
      return intercepted((allowed) => handle(allowed, body), interceptors)(call);
    }
    const traceHeader = request.headers['x-amzn-trace-id'];
    const [target = ''] = String(request.headers['x-amz-target'] ?? '').split('.');
    if (!services.has(target)) return unservedAnswer(request, body);
    return perform(String(request.headers['x-amz-target'] ?? ''), parseBody(body), {
      caller,
      signal,
      ...(typeof traceHeader === 'string' ? { traceHeader } : {}),
    });
  };

  /** @param request undefined for a body that is no JSON object */
  const perform = async (
    targetAction: string,
    request: JsonObject | undefined,
    from: Pick<AwsCall, 'caller' | 'signal' | 'traceHeader'>,
  ): Promise<AwsAnswer> => {
    const [target = '', action = ''] = targetAction.split('.');
    const known = services.get(target);
    if (known === undefined || action === '') {
      return awsError('UnknownOperationException', unservedText(targetAction));
    }
    if (request === undefined) {
      return awsError('com.amazon.coral.service#SerializationException', 'The body is not a JSON object.');
    }
    const call: AwsCall = { service: known.service, action, request, ...from };
    const decision = authorize(call);
    if (!decision.allowed) return deniedAnswer(known.service, decision.message);
    return known.handle(call);
  };

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { url = '/' } = request;
    for (const [prefix, handle] of publicPaths) {
      if (url.startsWith(prefix)) return handle(request, response, url.slice(prefix.length));
    }
    const gone = new AbortController();
    // Also when the endpoint stops: that closes every connection.
    response.once('close', () => gone.abort());
    try {
      const body = await readBody(request);
      send(
        request,
        response,
        body === undefined
          ? awsError('RequestEntityTooLargeException', 'The request is larger than 16 MB.', 413)
          : (queryAnswer(request, body, options.credentials) ?? (await answer(request, body, gone.signal))),
      );
    } catch (error) {
      if (!response.destroyed) {
        send(
          request,
          response,
          awsError('InternalFailure', error instanceof Error ? error.message : String(error), 500),
        );
      }
    }
  };

  const servers: Server[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(servers.map(close));
  };
  let port = options.port;
  for (const address of addressesToListenOn(options.address)) {
    const server = createServer((request, response) => void serve(request, response));
    // Idle connections of an SDK must not be closed under its next request.
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
    callAs: (roleArn, sessionName) =>
      createCallAws((target, request, signal) =>
        perform(target, request, { caller: { kind: 'role', roleArn, sessionName }, signal }),
      ),
    addRestService: (service) => void restServices.push(service),
    addPublicPath: (prefix, handle) => void publicPaths.set(prefix, handle),
    addService: (target, service, handle) => {
      services.set(target, { service, handle: intercepted(handle, interceptors) });
    },
    stop,
  };
}

/** What listens on all addresses of a machine listens on 127.0.0.1, too. */
function addressesToListenOn(address = '127.0.0.1'): ReadonlySet<string> {
  return new Set(['0.0.0.0', '::'].includes(address) ? [address] : ['127.0.0.1', address]);
}

/** @returns the port */
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

function parseBody(body: Buffer): JsonObject | undefined {
  if (body.length === 0) return {};
  try {
    const parsed: unknown = JSON.parse(body.toString('utf8'));
    return isJsonObject(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

/** The one call worth serving in the older, form-encoded protocol: `aws sts get-caller-identity`. */
function queryAnswer(
  request: IncomingMessage,
  body: Buffer,
  { callerOf }: CredentialStore,
): AwsAnswer | undefined {
  if (!request.headers['content-type']?.startsWith('application/x-www-form-urlencoded')) return undefined;
  const action = new URLSearchParams(body.toString('utf8')).get('Action');
  if (action !== 'GetCallerIdentity') return unservedAnswer(request, body);
  // Whoever has credentials may ask whose they are.
  const caller = callerOf(request.headers.authorization);
  const arn = caller.kind === 'role' ? sessionArn(caller) : 'arn:aws:iam::000000000000:root';
  return {
    status: 200,
    headers: { 'content-type': 'text/xml' },
    body:
      '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>' +
      `<Arn>${arn}</Arn><UserId>000000000000</UserId><Account>000000000000</Account>` +
      '</GetCallerIdentityResult></GetCallerIdentityResponse>',
  };
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
