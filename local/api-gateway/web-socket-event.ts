import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { JsonObject } from '../template/index.ts';

/** What stays the same in every event of a connection. */
export interface ConnectionIdentity {
  readonly connectionId: string;
  readonly connectedAt: number;
  readonly apiId: string;
  readonly stageName: string;
  readonly domainName: string;
  readonly sourceIp: string;
  readonly userAgent: string | undefined;
}

/** The parts of the request that opened a connection that functions see. */
export type ConnectRequest = JsonObject & {
  readonly headers: Readonly<Record<string, string>>;
  readonly multiValueHeaders: Readonly<Record<string, readonly string[]>>;
  readonly queryStringParameters?: Readonly<Record<string, string>>;
};

/** As API Gateway's look: 16 characters that end in `=`, fit for a path. */
export function newConnectionId(): string {
  return `${randomBytes(11).toString('base64url')}=`;
}

/** Fields without a value are absent, as on AWS. Of a name that is repeated the last value counts. */
export function connectRequest(request: IncomingMessage, rawQueryString: string): ConnectRequest {
  const raw = request.rawHeaders;
  const { remoteAddress, localPort } = request.socket;
  const multiValueHeaders = {
    ...valuesByName(raw.flatMap((name, index) => (index % 2 === 0 ? [[name, raw[index + 1] ?? '']] : []))),
    'X-Forwarded-For': [sourceIpOf(remoteAddress)],
    'X-Forwarded-Port': [String(localPort ?? '')],
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

export function sourceIpOf(remoteAddress: string | undefined): string {
  return (remoteAddress ?? '127.0.0.1').replace(/^::ffff:/, '');
}

/** Names come from outside: one may be that of a member that every object has, such as `constructor`. */
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

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `12/Mar/2020:19:03:58 +0000`, the common log format. */
function commonLogTime(date: Date): string {
  const iso = date.toISOString();
  return `${iso.slice(8, 10)}/${MONTHS[date.getUTCMonth()] ?? ''}/${iso.slice(0, 4)}:${iso.slice(11, 19)} +0000`;
}

/** The `requestContext` of every event of a WebSocket API. */
export function webSocketContext(
  identity: ConnectionIdentity,
  more: {
    readonly routeKey: string;
    readonly eventType: 'CONNECT' | 'MESSAGE' | 'DISCONNECT';
    readonly requestId: string;
    /** What the authorizer said at `$connect`; it stands in every event of the connection. */
    readonly authorizer?: JsonObject | undefined;
    readonly messageId?: string;
    readonly disconnectStatusCode?: number;
    readonly disconnectReason?: string;
  },
): JsonObject {
  const { authorizer, requestId, ...rest } = more;
  const now = new Date();
  return {
    ...rest,
    ...(authorizer && { authorizer }),
    messageDirection: 'IN',
    requestId,
    extendedRequestId: requestId,
    requestTime: commonLogTime(now),
    requestTimeEpoch: now.getTime(),
    connectedAt: identity.connectedAt,
    connectionId: identity.connectionId,
    apiId: identity.apiId,
    stage: identity.stageName,
    domainName: identity.domainName,
    identity: {
      sourceIp: identity.sourceIp,
      ...(identity.userAgent === undefined ? {} : { userAgent: identity.userAgent }),
    },
  };
}
