import { STATUS_CODES, type IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import type { HostEvent } from '../events.ts';
import type { Invocation } from '../lambda/index.ts';
import { isJsonObject, type Json, type JsonObject } from '../template/index.ts';
import type { WebSocketMeter } from '../usage.ts';
import type { ThrottleLimits } from './http-api.ts';
import type { UpgradeHandler } from './http-front.ts';
import { createTokenBucket } from './token-bucket.ts';
import { authorizeConnection, type WebSocketAuthorizer } from './web-socket-authorizer.ts';
import {
  MAXIMUM_MESSAGE_BYTES,
  openConnection,
  type WebSocketConnection,
  type WebSocketLimits,
} from './web-socket-connection.ts';
import {
  connectRequest,
  newConnectionId,
  sourceIpOf,
  webSocketContext,
  type ConnectionIdentity,
  type ConnectRequest,
} from './web-socket-event.ts';

export type WebSocketIntegration =
  | { readonly kind: 'function'; readonly functionArn: string; readonly timeoutMilliseconds: number }
  /** Answers by itself, with this status, if one of its integration responses takes that. */
  | { readonly kind: 'mock'; readonly status: number; readonly responses: readonly RegExp[] };

export interface WebSocketRoute {
  /** `$connect`, `$disconnect`, `$default`, or the value that selects the route. */
  readonly routeKey: string;
  readonly integration: WebSocketIntegration;
  /** On `$connect` only. */
  readonly authorizer?: WebSocketAuthorizer;
  /** Whether the body of the function's answer goes back to the client. */
  readonly returnsResponse: boolean;
}

export interface WebSocketApiDefinition {
  readonly apiId: string;
  readonly stageName: string;
  /** Where in a message the route key stands: `['action']` for `$request.body.action`. */
  readonly selectionPath: readonly string[];
  readonly routes: readonly WebSocketRoute[];
  readonly throttle?: ThrottleLimits;
}

/** The WebSocket APIs of a host and all their connections. */
export interface WebSocketApis {
  readonly serve: (definition: WebSocketApiDefinition) => UpgradeHandler;
  readonly connectionOf: (apiId: string, connectionId: string) => WebSocketConnection | undefined;
  readonly connections: () => readonly WebSocketConnection[];
  /** Fault injection: cuts connections, as a network that vanishes: `$disconnect` is not called. */
  readonly lose: (isLost: (connectionId: string) => boolean) => number;
  readonly stop: () => void;
}

export interface WebSocketApisOptions {
  readonly region: string;
  readonly accountId: string;
  /** @param source what follows `arn:aws:execute-api:<region>:<account>:` in the ARN of the route or authorizer. */
  readonly invoke: (functionArn: string, event: unknown, source: string) => Promise<Invocation>;
  readonly limits?: WebSocketLimits;
  readonly onEvent: (event: HostEvent) => void;
  readonly meter?: WebSocketMeter;
}

/** What became of an event: `status` as HTTP would have it, `body` what a function answered. */
interface Outcome {
  readonly status: number;
  readonly message?: string;
  readonly payload?: unknown;
}

const FORBIDDEN: Outcome = { status: 403, message: 'Forbidden' };
const BROKEN: Outcome = { status: 500, message: 'Internal server error' };
const TIMED_OUT: Outcome = { status: 504, message: 'Endpoint request timed out' };
const TOO_MANY: Outcome = { status: 429, message: 'Too Many Requests' };

export function createWebSocketApis(options: WebSocketApisOptions): WebSocketApis {
  const connections = new Map<string, WebSocketConnection>();
  const lost = new Set<string>();
  let isStopped = false;

  const serve = (definition: WebSocketApiDefinition): UpgradeHandler => {
    const { apiId, stageName } = definition;
    const integrate = async ({ integration, routeKey }: WebSocketRoute, event: unknown): Promise<Outcome> => {
      if (integration.kind === 'mock') return mockOutcome(integration);
      const invoked = options.invoke(integration.functionArn, event, `${apiId}/${stageName}/${routeKey}`);
      return within(integration.timeoutMilliseconds, invoked);
    };
    const routes = new Map(definition.routes.map((route) => [route.routeKey, route]));
    const takeToken = definition.throttle && createTokenBucket(definition.throttle);
    const protocols = new WeakMap<IncomingMessage, string>();
    const server = new WebSocketServer({
      noServer: true,
      maxPayload: MAXIMUM_MESSAGE_BYTES,
      perMessageDeflate: false,
      handleProtocols: (_, request) => protocols.get(request) ?? false,
    });

    const tell = (connectionId: string, routeKey: string, status: number, startedAt: number): void => {
      const milliseconds = performance.now() - startedAt;
      options.onEvent({ type: 'web-socket', apiId, connectionId, routeKey, status, milliseconds });
    };

    /** Runs `$connect`: the authorizer, then the route's integration, if there is one. */
    const admit = async (
      identity: ConnectionIdentity,
      connect: ConnectRequest,
      requestId: string,
    ): Promise<Outcome & { readonly authorizer?: JsonObject }> => {
      const route = routes.get('$connect');
      if (takeToken?.() === false) return TOO_MANY;
      if (route === undefined) return { status: 200 };
      const common = { routeKey: '$connect', eventType: 'CONNECT', requestId } as const;
      let authorizer: JsonObject | undefined;
      if (route.authorizer !== undefined) {
        const { authorizerId } = route.authorizer;
        const authorization = await authorizeConnection(route.authorizer, {
          methodArn: `arn:aws:execute-api:${options.region}:${options.accountId}:${apiId}/${stageName}/$connect`,
          connect,
          requestContext: webSocketContext(identity, common),
          invoke: (functionArn, event) =>
            options.invoke(functionArn, event, `${apiId}/authorizers/${authorizerId}`),
        });
        if (authorization.kind === 'refused') return authorization;
        authorizer = authorization.context;
      }
      const outcome = await integrate(route, {
        ...connect,
        requestContext: webSocketContext(identity, { ...common, authorizer }),
        isBase64Encoded: false,
      });
      const status = outcome.message === undefined ? statusOf(outcome) : outcome.status;
      if (status >= 200 && status < 300) {
        return { ...outcome, status, ...(authorizer === undefined ? {} : { authorizer }) };
      }
      return {
        status: status >= 400 && status <= 599 ? status : 500,
        message: outcome.message ?? 'Forbidden',
      };
    };

    const receive = async (connection: WebSocketConnection, body: string): Promise<void> => {
      const startedAt = performance.now();
      const { identity, authorizer } = connection;
      const requestId = newConnectionId();
      const selected = selectedKey(body, definition.selectionPath);
      const route = (selected === undefined ? undefined : routes.get(selected)) ?? routes.get('$default');
      const answer = async (): Promise<Outcome> => {
        if (takeToken?.() === false) return TOO_MANY;
        if (route === undefined) return FORBIDDEN;
        const context = { routeKey: route.routeKey, eventType: 'MESSAGE', requestId } as const;
        return integrate(route, {
          requestContext: webSocketContext(identity, {
            ...context,
            authorizer,
            messageId: newConnectionId(),
          }),
          body,
          isBase64Encoded: false,
        });
      };
      const { status, message, payload } = await answer();
      tell(identity.connectionId, route?.routeKey ?? selected ?? '$default', status, startedAt);
      const { connectionId } = identity;
      const frame =
        message === undefined
          ? route?.returnsResponse === true && isJsonObject(payload) && typeof payload['body'] === 'string'
            ? payload['body']
            : undefined
          : JSON.stringify({ message, connectionId, requestId });
      if (frame !== undefined) await connection.send(frame).catch(() => undefined);
    };

    /** Best effort: nobody waits for it, and nothing is tried again. */
    const leave = (
      identity: ConnectionIdentity,
      authorizer: JsonObject | undefined,
      disconnectStatusCode: number,
      disconnectReason: string,
    ): void => {
      const route = routes.get('$disconnect');
      if (route === undefined || isStopped || lost.delete(identity.connectionId)) return;
      const startedAt = performance.now();
      const context = { routeKey: '$disconnect', eventType: 'DISCONNECT' } as const;
      const why = { disconnectStatusCode, disconnectReason };
      void integrate(route, {
        requestContext: webSocketContext(identity, {
          ...context,
          ...why,
          requestId: newConnectionId(),
          authorizer,
        }),
        isBase64Encoded: false,
      }).then(({ status }) => tell(identity.connectionId, '$disconnect', status, startedAt));
    };

    const upgrade = async (
      request: IncomingMessage,
      socket: Duplex,
      head: Buffer,
      rawQueryString: string,
    ): Promise<void> => {
      const startedAt = performance.now();
      const requestId = newConnectionId();
      const identity: ConnectionIdentity = {
        connectionId: newConnectionId(),
        connectedAt: Date.now(),
        apiId,
        stageName,
        domainName: (request.headers.host ?? 'localhost').replace(/:\d+$/, ''),
        sourceIp: sourceIpOf(request.socket.remoteAddress),
        userAgent: request.headers['user-agent'],
      };
      const { connectionId } = identity;
      const admission = await admit(identity, connectRequest(request, rawQueryString), requestId);
      tell(connectionId, '$connect', admission.message === undefined ? 101 : admission.status, startedAt);
      if (admission.message !== undefined) {
        refuseUpgrade(socket, admission.status, { message: admission.message, connectionId, requestId });
        return;
      }
      const protocol = protocolOf(admission.payload);
      if (protocol !== undefined) protocols.set(request, protocol);
      if (socket.destroyed) {
        leave(identity, admission.authorizer, 1006, '');
        return;
      }
      server.handleUpgrade(request, socket, head, (webSocket) => {
        const connection = openConnection(
          webSocket,
          socket,
          identity,
          admission.authorizer,
          options.limits ?? {},
          {
            onMessage: (body) => {
              options.meter?.message(apiId, 'in', Buffer.byteLength(body));
              void receive(connection, body);
            },
            onSent: (bytes) => options.meter?.message(apiId, 'out', bytes),
            onClose: (code, reason) => {
              options.meter?.disconnected(apiId);
              connections.delete(connectionId);
              leave(identity, admission.authorizer, code, reason);
            },
          },
        );
        options.meter?.connected(apiId);
        connections.set(connectionId, connection);
        if (isStopped) connection.cut();
      });
    };

    return (request, socket, head, target) => {
      socket.on('error', () => socket.destroy());
      const [path = '', ...query] = target.split('?');
      if (!['', '/', `/${stageName}`, `/${stageName}/`].includes(path)) {
        refuseUpgrade(socket, 403, { message: 'Forbidden' });
        return;
      }
      upgrade(request, socket, head, query.join('?')).catch(() => {
        refuseUpgrade(socket, 500, { message: 'Internal server error' });
      });
    };
  };

  return {
    serve,
    connectionOf: (apiId, connectionId) => {
      const connection = connections.get(connectionId);
      return connection?.identity.apiId === apiId ? connection : undefined;
    },
    connections: () => [...connections.values()],
    lose: (isLost) => {
      const going = [...connections].filter(([connectionId]) => isLost(connectionId));
      for (const [connectionId, connection] of going) {
        lost.add(connectionId);
        connection.cut();
      }
      return going.length;
    },
    stop: () => {
      isStopped = true;
      for (const connection of connections.values()) connection.cut();
    },
  };
}

/** The function runs on after the timeout, as on AWS; only its answer is lost. */
async function within(timeoutMilliseconds: number, invoked: Promise<Invocation>): Promise<Outcome> {
  let timer: NodeJS.Timeout | undefined;
  const timedOut = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), timeoutMilliseconds);
  });
  try {
    const invocation = await Promise.race([invoked, timedOut]);
    if (invocation === undefined) return TIMED_OUT;
    return invocation.kind === 'success' ? { status: 200, payload: invocation.payload } : BROKEN;
  } catch {
    return BROKEN;
  } finally {
    clearTimeout(timer);
  }
}

/**
 * An integration that is no proxy needs an integration response that takes its status: without one the answer is an error.
 *
 * Source: API Gateway developer guide, "Set up a WebSocket API integration response".
 */
function mockOutcome({ status, responses }: WebSocketIntegration & { readonly kind: 'mock' }): Outcome {
  const isTaken = responses.some((statuses) => statuses.test(String(status)));
  return isTaken ? { status, payload: { statusCode: status } } : BROKEN;
}

/** What a function says of `$connect`. Without a status code its answer can't be read. */
function statusOf({ payload }: Outcome): number {
  const status = isJsonObject(payload) ? Number(payload['statusCode']) : NaN;
  return Number.isInteger(status) ? status : 500;
}

/** A subprotocol is chosen by the function behind `$connect`, in its answer's headers. */
function protocolOf(payload: unknown): string | undefined {
  const headers = isJsonObject(payload) && isJsonObject(payload['headers']) ? payload['headers'] : {};
  const named = Object.entries(headers).find(([name]) => name.toLowerCase() === 'sec-websocket-protocol');
  return typeof named?.[1] === 'string' ? named[1] : undefined;
}

function selectedKey(body: string, path: readonly string[]): string | undefined {
  let value: Json | undefined;
  try {
    value = JSON.parse(body);
  } catch {
    return undefined;
  }
  for (const step of path) value = isJsonObject(value) ? value[step] : undefined;
  return typeof value === 'string' && !value.startsWith('$') ? value : undefined;
}

function refuseUpgrade(socket: Duplex, status: number, answer: JsonObject): void {
  if (socket.destroyed || !socket.writable) return;
  const body = JSON.stringify(answer);
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Error'}\r\ncontent-type: application/json\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
    // The client may leave its half open for as long as it likes.
    () => socket.destroy(),
  );
}
