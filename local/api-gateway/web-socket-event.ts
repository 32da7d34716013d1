import type { IncomingMessage } from 'node:http';
import { commonLogTime, newGatewayId, sourceIpOf } from './gateway-request.ts';

export interface ConnectionIdentity {
  readonly connectionId: string;
  readonly connectedAt: number;
  readonly apiId: string;
  readonly stageName: string;
  readonly domainName: string;
  readonly sourceIp: string;
  readonly userAgent: string | undefined;
  readonly authorizer?: Readonly<Record<string, string | number>>;
}

export function newIdentity(
  request: IncomingMessage,
  api: { readonly apiId: string; readonly stageName: string },
): ConnectionIdentity {
  return {
    connectionId: newGatewayId('base64url'),
    connectedAt: Date.now(),
    apiId: api.apiId,
    stageName: api.stageName,
    domainName: (request.headers.host ?? 'localhost').replace(/:\d+$/, ''),
    sourceIp: sourceIpOf(request),
    userAgent: request.headers['user-agent'],
  };
}

export interface ConnectRequest {
  readonly headers: Readonly<Record<string, string>>;
  readonly multiValueHeaders: Readonly<Record<string, readonly string[]>>;
  readonly queryStringParameters?: Readonly<Record<string, string>>;
  readonly multiValueQueryStringParameters?: Readonly<Record<string, readonly string[]>>;
}

/** Fields without a value are absent, as on AWS. The last value of a repeated name counts. */
export function connectRequest(request: IncomingMessage, rawQueryString: string): ConnectRequest {
  const raw = request.rawHeaders;
  const multiValueHeaders = {
    ...valuesByName(raw.flatMap((name, index) => (index % 2 === 0 ? [[name, raw[index + 1] ?? '']] : []))),
    'X-Forwarded-For': [sourceIpOf(request)],
    'X-Forwarded-Port': [String(request.socket.localPort ?? '')],
    'X-Forwarded-Proto': ['http'],
  };
  const multiValueQuery = valuesByName(new URLSearchParams(rawQueryString));
  const hasQuery = Object.keys(multiValueQuery).length > 0;
  return {
    headers: lastOfEach(multiValueHeaders),
    multiValueHeaders,
    ...(hasQuery && {
      queryStringParameters: lastOfEach(multiValueQuery),
      multiValueQueryStringParameters: multiValueQuery,
    }),
  };
}

/** Not an object: a name may be `constructor`. */
function valuesByName(pairs: Iterable<readonly [string, string]>): Record<string, string[]> {
  const values = new Map<string, string[]>();
  for (const [name, value] of pairs) {
    const known = values.get(name);
    if (known === undefined) values.set(name, [value]);
    else known.push(value);
  }
  return Object.fromEntries(values);
}

function lastOfEach(values: Readonly<Record<string, readonly string[]>>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([name, list]) => [name, list.at(-1) ?? '']));
}

export function webSocketContext(
  { authorizer, userAgent, ...identity }: ConnectionIdentity,
  more: {
    readonly routeKey: string;
    readonly eventType: 'CONNECT' | 'MESSAGE' | 'DISCONNECT';
    readonly requestId: string;
    readonly messageId?: string;
    readonly disconnectStatusCode?: number;
    readonly disconnectReason?: string;
  },
): object {
  const now = new Date();
  return {
    ...more,
    ...(authorizer && { authorizer }),
    messageDirection: 'IN',
    extendedRequestId: more.requestId,
    requestTime: commonLogTime(now),
    requestTimeEpoch: now.getTime(),
    connectedAt: identity.connectedAt,
    connectionId: identity.connectionId,
    apiId: identity.apiId,
    stage: identity.stageName,
    domainName: identity.domainName,
    identity: { sourceIp: identity.sourceIp, ...(userAgent === undefined ? {} : { userAgent }) },
  };
}
