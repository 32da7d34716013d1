import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { refuseSocket, type UpgradeHandler } from '../http/index.ts';
import { newGatewayId } from './gateway-request.ts';
import { within, type Invoke, type InvokerOptions } from './integration.ts';
import { bodyIn, connectStatus, selectedKey, subprotocolIn } from './payloads.ts';
import { createTokenBucket, type TakeToken, type ThrottleLimits } from './token-bucket.ts';
import {
  authorizeConnection,
  type WebSocketAuthorization,
  type WebSocketAuthorizer,
} from './web-socket-authorizer.ts';
import {
  MAXIMUM_MESSAGE_BYTES,
  openConnection,
  type WebSocketConnection,
  type WebSocketLimits,
} from './web-socket-connection.ts';
import {
  connectRequest,
  newIdentity,
  webSocketContext,
  type ConnectionIdentity,
  type ConnectRequest,
} from './web-socket-event.ts';

export type WebSocketIntegration =
  | { readonly kind: 'function'; readonly functionArn: string; readonly timeoutMilliseconds: number }
  /** Answers with this status where one of its integration responses takes it. */
  | { readonly kind: 'mock'; readonly status: number; readonly responses: readonly RegExp[] };

export interface WebSocketRoute {
  /** `$connect`, `$disconnect`, `$default`, or the value that selects the route. */
  readonly routeKey: string;
  readonly integration: WebSocketIntegration;
  /** On `$connect` only. */
  readonly authorizer?: WebSocketAuthorizer;
  readonly returnsResponse: boolean;
}

export interface WebSocketApiDefinition {
  readonly apiId: string;
  readonly stageName: string;
  /** The path to the route key in a message: `['action']` for `$request.body.action`. */
  readonly selectionPath: readonly string[];
  readonly routes: readonly WebSocketRoute[];
  readonly throttle?: ThrottleLimits | undefined;
}

/** `status` is that of HTTP: 101 for a connection. */
export interface WebSocketEvent {
  readonly type: 'web-socket';
  readonly apiId: string;
  readonly connectionId: string;
  readonly routeKey: string;
  readonly status: number;
  readonly milliseconds: number;
}

export interface WebSocketMeter {
  readonly connected: (apiId: string) => void;
  readonly disconnected: (apiId: string) => void;
  readonly message: (apiId: string, direction: 'in' | 'out', bytes: number) => void;
}

export interface WebSocketApisOptions extends Pick<InvokerOptions, 'accountId' | 'region'> {
  readonly invoke: Invoke;
  readonly limits?: WebSocketLimits;
  readonly onEvent: (event: WebSocketEvent) => void;
  readonly meter?: WebSocketMeter;
}

/** `status` is that of HTTP, `message` says what went wrong, and `payload` is a function's answer. */
interface Outcome {
  readonly status: number;
  readonly message?: string;
  readonly payload?: unknown;
}

interface Admission extends Outcome {
  readonly identity: ConnectionIdentity;
}

const FORBIDDEN: Outcome = { status: 403, message: 'Forbidden' };
const BROKEN: Outcome = { status: 500, message: 'Internal server error' };
const TIMED_OUT: Outcome = { status: 504, message: 'Endpoint request timed out' };
const TOO_MANY: Outcome = { status: 429, message: 'Too Many Requests' };

export class WebSocketApis {
  readonly #options: WebSocketApisOptions;
  readonly #connections = new Map<string, WebSocketConnection>();
  readonly #lost = new Set<string>();
  #isStopped = false;

  constructor(options: WebSocketApisOptions) {
    this.#options = options;
  }

  serve(definition: WebSocketApiDefinition): UpgradeHandler {
    const { meter } = this.#options;
    const { apiId } = definition;
    const api = new WebSocketApi(definition, this.#options, {
      opened: (connection) => {
        meter?.connected(apiId);
        this.#connections.set(connection.identity.connectionId, connection);
        if (this.#isStopped) connection.cut();
      },
      closed: ({ connectionId }) => {
        meter?.disconnected(apiId);
        this.#connections.delete(connectionId);
      },
      isSilent: ({ connectionId }) => this.#isStopped || this.#lost.delete(connectionId),
    });
    return (...upgrade) => api.upgrade(...upgrade);
  }

  connectionOf(apiId: string, connectionId: string): WebSocketConnection | undefined {
    const connection = this.#connections.get(connectionId);
    return connection?.identity.apiId === apiId ? connection : undefined;
  }

  connectionIds(): readonly string[] {
    return [...this.#connections.keys()];
  }

  /** Fault injection: cuts connections as a failing network does, without `$disconnect`. @returns how many */
  lose(isLost: (connectionId: string) => boolean): number {
    const going = [...this.#connections].filter(([connectionId]) => isLost(connectionId));
    for (const [connectionId, connection] of going) {
      this.#lost.add(connectionId);
      connection.cut();
    }
    return going.length;
  }

  stop(): void {
    this.#isStopped = true;
    for (const connection of this.#connections.values()) connection.cut();
  }
}

interface ConnectionRegister {
  readonly opened: (connection: WebSocketConnection) => void;
  readonly closed: (identity: ConnectionIdentity) => void;
  readonly isSilent: (identity: ConnectionIdentity) => boolean;
}

class WebSocketApi {
  readonly #definition: WebSocketApiDefinition;
  readonly #options: WebSocketApisOptions;
  readonly #register: ConnectionRegister;
  readonly #routes: ReadonlyMap<string, WebSocketRoute>;
  readonly #takeToken: TakeToken | undefined;
  readonly #protocols = new WeakMap<IncomingMessage, string>();
  readonly #server: WebSocketServer;

  constructor(
    definition: WebSocketApiDefinition,
    options: WebSocketApisOptions,
    register: ConnectionRegister,
  ) {
    this.#definition = definition;
    this.#options = options;
    this.#register = register;
    this.#routes = new Map(definition.routes.map((route) => [route.routeKey, route]));
    this.#takeToken = definition.throttle && createTokenBucket(definition.throttle);
    this.#server = new WebSocketServer({
      noServer: true,
      maxPayload: MAXIMUM_MESSAGE_BYTES,
      perMessageDeflate: false,
      handleProtocols: (_, request) => this.#protocols.get(request) ?? false,
    });
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, target: string): void {
    const { stageName } = this.#definition;
    socket.on('error', () => socket.destroy());
    const [path = '', ...query] = target.split('?');
    if (!['', '/', `/${stageName}`, `/${stageName}/`].includes(path)) return refuseSocket(socket, 403);
    this.#connect(request, socket, head, query.join('?')).catch(() => {
      refuseSocket(socket, BROKEN.status, { message: BROKEN.message });
    });
  }

  async #connect(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    rawQueryString: string,
  ): Promise<void> {
    const startedAt = performance.now();
    const requestId = newGatewayId('base64url');
    const connect = connectRequest(request, rawQueryString);
    const admission = await this.#admit(newIdentity(request, this.#definition), connect, requestId);
    const { identity, status, message, payload } = admission;
    const { connectionId } = identity;
    this.#tell(connectionId, '$connect', message === undefined ? 101 : status, startedAt);
    if (message !== undefined) return refuseSocket(socket, status, { message, connectionId, requestId });
    const protocol = subprotocolIn(payload);
    if (protocol !== undefined) this.#protocols.set(request, protocol);
    if (socket.destroyed) return this.#leave(identity, 1006, '');
    const { apiId } = this.#definition;
    const { limits = {}, meter } = this.#options;
    this.#server.handleUpgrade(request, socket, head, (webSocket) => {
      const connection = openConnection(webSocket, socket, identity, limits, {
        onMessage: (body) => {
          meter?.message(apiId, 'in', Buffer.byteLength(body));
          void this.#receive(connection, body);
        },
        onSent: (bytes) => meter?.message(apiId, 'out', bytes),
        onClose: (code, reason) => {
          this.#register.closed(identity);
          this.#leave(identity, code, reason);
        },
      });
      this.#register.opened(connection);
    });
  }

  async #admit(stranger: ConnectionIdentity, connect: ConnectRequest, requestId: string): Promise<Admission> {
    const route = this.#routes.get('$connect');
    if (this.#takeToken?.() === false) return { ...TOO_MANY, identity: stranger };
    if (route === undefined) return { status: 200, identity: stranger };
    const context = { routeKey: '$connect', eventType: 'CONNECT', requestId } as const;
    const authorization = await this.#authorize(route, connect, webSocketContext(stranger, context));
    if (authorization?.kind === 'refused') return { ...authorization, identity: stranger };
    const identity = authorization ? { ...stranger, authorizer: authorization.context } : stranger;
    const outcome = await this.#integrate(route, {
      ...connect,
      requestContext: webSocketContext(identity, context),
      isBase64Encoded: false,
    });
    const status = outcome.message === undefined ? connectStatus(outcome.payload) : outcome.status;
    if (status >= 200 && status < 300) return { ...outcome, status, identity };
    return {
      status: status >= 400 && status <= 599 ? status : 500,
      message: outcome.message ?? 'Forbidden',
      identity,
    };
  }

  async #authorize(
    { authorizer }: WebSocketRoute,
    connect: ConnectRequest,
    requestContext: object,
  ): Promise<WebSocketAuthorization | undefined> {
    if (authorizer === undefined) return undefined;
    const { region, accountId, invoke } = this.#options;
    const { apiId, stageName } = this.#definition;
    const methodArn = `arn:aws:execute-api:${region}:${accountId}:${apiId}/${stageName}/$connect`;
    return authorizeConnection(authorizer, { methodArn, connect, requestContext, invoke, apiId });
  }

  async #receive(connection: WebSocketConnection, body: string): Promise<void> {
    const startedAt = performance.now();
    const { connectionId } = connection.identity;
    const requestId = newGatewayId('base64url');
    const selected = selectedKey(body, this.#definition.selectionPath);
    const route =
      (selected === undefined ? undefined : this.#routes.get(selected)) ?? this.#routes.get('$default');
    const { status, message, payload } = await this.#answer(connection, route, body, requestId);
    this.#tell(connectionId, route?.routeKey ?? selected ?? '$default', status, startedAt);
    const frame =
      message === undefined
        ? route?.returnsResponse === true && bodyIn(payload)
        : JSON.stringify({ message, connectionId, requestId });
    if (typeof frame === 'string') await connection.send(frame).catch(() => undefined);
  }

  async #answer(
    { identity }: WebSocketConnection,
    route: WebSocketRoute | undefined,
    body: string,
    requestId: string,
  ): Promise<Outcome> {
    if (this.#takeToken?.() === false) return TOO_MANY;
    if (route === undefined) return FORBIDDEN;
    const requestContext = webSocketContext(identity, {
      routeKey: route.routeKey,
      eventType: 'MESSAGE',
      requestId,
      messageId: newGatewayId('base64url'),
    });
    return this.#integrate(route, { requestContext, body, isBase64Encoded: false });
  }

  /** Best effort, as on AWS: nobody waits for the answer, and nothing is retried. */
  #leave(identity: ConnectionIdentity, disconnectStatusCode: number, disconnectReason: string): void {
    const route = this.#routes.get('$disconnect');
    if (route === undefined || this.#register.isSilent(identity)) return;
    const startedAt = performance.now();
    const requestContext = webSocketContext(identity, {
      routeKey: '$disconnect',
      eventType: 'DISCONNECT',
      requestId: newGatewayId('base64url'),
      disconnectStatusCode,
      disconnectReason,
    });
    void this.#integrate(route, { requestContext, isBase64Encoded: false }).then(({ status }) =>
      this.#tell(identity.connectionId, '$disconnect', status, startedAt),
    );
  }

  async #integrate({ integration, routeKey }: WebSocketRoute, event: unknown): Promise<Outcome> {
    if (integration.kind === 'mock') return mockOutcome(integration);
    const { functionArn, timeoutMilliseconds } = integration;
    const { apiId, stageName } = this.#definition;
    try {
      const invoked = this.#options.invoke(functionArn, event, `${apiId}/${stageName}/${routeKey}`);
      const invocation = await within(timeoutMilliseconds, invoked);
      if (invocation === undefined) return TIMED_OUT;
      return invocation.kind === 'success' ? { status: 200, payload: invocation.payload } : BROKEN;
    } catch {
      return BROKEN;
    }
  }

  #tell(connectionId: string, routeKey: string, status: number, startedAt: number): void {
    const { apiId } = this.#definition;
    const milliseconds = performance.now() - startedAt;
    this.#options.onEvent({ type: 'web-socket', apiId, connectionId, routeKey, status, milliseconds });
  }
}

/**
 * Fails without a response that takes the status. Source: API Gateway developer guide, "Set up a WebSocket API
 * integration response".
 */
function mockOutcome({ status, responses }: WebSocketIntegration & { readonly kind: 'mock' }): Outcome {
  const isTaken = responses.some((statuses) => statuses.test(String(status)));
  return isTaken ? { status, payload: { statusCode: status } } : BROKEN;
}
