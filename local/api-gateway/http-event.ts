import type { IncomingMessage } from 'node:http';

/** What the event says besides what the request itself does. */
export interface HttpEventContext {
  readonly accountId: string;
  readonly apiId: string;
  readonly stageName: string;
  readonly routeKey: string;
  readonly requestId: string;
  /** Decoded, without the prefix; the stage is in front of it unless it is `$default`. */
  readonly rawPath: string;
  readonly rawQueryString: string;
  readonly pathParameters: Readonly<Record<string, string>> | undefined;
  readonly jwt:
    | { readonly claims: Readonly<Record<string, string>>; readonly scopes: readonly string[] | null }
    | undefined;
  readonly receivedAt: Date;
}

/** Hop-by-hop: they end at the gateway. Cookies have a field of their own. */
const omittedHeaders = new Set(['connection', 'keep-alive', 'transfer-encoding', 'upgrade', 'te', 'cookie']);

const textContentType =
  /^\s*(?:text\/[^;\s]+|application\/(?:json|javascript|xml|[^;\s/]+\+json))\s*(?:;|$)/i;

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `12/Mar/2020:19:03:58 +0000`, the common log format. */
function commonLogTime(date: Date): string {
  const iso = date.toISOString();
  const month = months[date.getUTCMonth()] ?? '';
  return `${iso.slice(8, 10)}/${month}/${iso.slice(0, 4)}:${iso.slice(11, 19)} +0000`;
}

function collectHeaders(request: IncomingMessage): { headers: Record<string, string>; cookies: string[] } {
  // Names come from outside: one may be that of a member that every object has, such as `constructor`.
  const headers = new Map<string, string>();
  const cookies: string[] = [];
  const raw = request.rawHeaders;
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = (raw[index] ?? '').toLowerCase();
    const value = raw[index + 1] ?? '';
    if (name === 'cookie') cookies.push(...value.split(/;\s*/).filter((cookie) => cookie !== ''));
    if (omittedHeaders.has(name)) continue;
    const before = headers.get(name);
    headers.set(name, before === undefined ? value : `${before},${value}`);
  }
  return { headers: Object.fromEntries(headers), cookies };
}

function queryStringParameters(rawQueryString: string): Record<string, string> | undefined {
  if (rawQueryString === '') return undefined;
  const parameters = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(rawQueryString)) {
    const before = parameters.get(name);
    parameters.set(name, before === undefined ? value : `${before},${value}`);
  }
  return Object.fromEntries(parameters);
}

/** Text that came without a content type stays text; anything that may not be text is encoded. */
function isText(contentType: string | undefined): boolean {
  return contentType === undefined || textContentType.test(contentType);
}

/** The event of payload format 2.0. Fields without a value are absent, as on AWS. */
export function httpEvent(request: IncomingMessage, body: Buffer, context: HttpEventContext): unknown {
  const { headers, cookies } = collectHeaders(request);
  const sourceIp = (request.socket.remoteAddress ?? '127.0.0.1').replace(/^::ffff:/, '');
  const domainName = (headers['host'] ?? 'localhost').replace(/:\d+$/, '');
  headers['x-forwarded-for'] = headers['x-forwarded-for']
    ? `${headers['x-forwarded-for']}, ${sourceIp}`
    : sourceIp;
  headers['x-forwarded-port'] = String(request.socket.localPort ?? '');
  headers['x-forwarded-proto'] = 'http';
  const query = queryStringParameters(context.rawQueryString);
  const text = isText(headers['content-type']);
  return {
    version: '2.0',
    routeKey: context.routeKey,
    rawPath: context.rawPath,
    rawQueryString: context.rawQueryString,
    ...(cookies.length > 0 && { cookies }),
    headers,
    ...(query && { queryStringParameters: query }),
    requestContext: {
      accountId: context.accountId,
      apiId: context.apiId,
      ...(context.jwt && { authorizer: { jwt: context.jwt } }),
      domainName,
      domainPrefix: domainName.split('.')[0],
      http: {
        method: request.method,
        path: context.rawPath,
        protocol: `HTTP/${request.httpVersion}`,
        sourceIp,
        userAgent: headers['user-agent'] ?? '',
      },
      requestId: context.requestId,
      routeKey: context.routeKey,
      stage: context.stageName,
      time: commonLogTime(context.receivedAt),
      timeEpoch: context.receivedAt.getTime(),
    },
    ...(context.pathParameters && { pathParameters: context.pathParameters }),
    ...(body.length > 0 && { body: body.toString(text ? 'utf8' : 'base64') }),
    isBase64Encoded: body.length > 0 && !text,
  };
}
