import type { IncomingMessage } from 'node:http';
import { commonLogTime, sourceIpOf } from './gateway-request.ts';

export interface HttpEventContext {
  readonly accountId: string;
  readonly apiId: string;
  readonly stageName: string;
  readonly routeKey: string;
  readonly requestId: string;
  /** Decoded, without the prefix. Begins with the stage unless that is `$default`. */
  readonly rawPath: string;
  readonly rawQueryString: string;
  readonly pathParameters: Readonly<Record<string, string>> | undefined;
  readonly jwt:
    | { readonly claims: Readonly<Record<string, string>>; readonly scopes: readonly string[] | null }
    | undefined;
  readonly receivedAt: Date;
}

/** Hop-by-hop headers end at the gateway. Cookies have a field of their own. */
const OMITTED_HEADERS = new Set(['connection', 'keep-alive', 'transfer-encoding', 'upgrade', 'te', 'cookie']);

const TEXT_CONTENT_TYPE =
  /^\s*(?:text\/[^;\s]+|application\/(?:json|javascript|xml|[^;\s/]+\+json))\s*(?:;|$)/i;

function collectHeaders(request: IncomingMessage): { headers: Record<string, string>; cookies: string[] } {
  // Not an object: a header may be called `constructor`.
  const headers = new Map<string, string>();
  const cookies: string[] = [];
  const raw = request.rawHeaders;
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = (raw[index] ?? '').toLowerCase();
    const value = raw[index + 1] ?? '';
    if (name === 'cookie') cookies.push(...value.split(/;\s*/).filter((cookie) => cookie !== ''));
    if (OMITTED_HEADERS.has(name)) continue;
    join(headers, name, value);
  }
  return { headers: Object.fromEntries(headers), cookies };
}

function join(values: Map<string, string>, name: string, value: string): void {
  const before = values.get(name);
  values.set(name, before === undefined ? value : `${before},${value}`);
}

function queryStringParameters(rawQueryString: string): Record<string, string> | undefined {
  if (rawQueryString === '') return undefined;
  const parameters = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(rawQueryString)) {
    join(parameters, name, value);
  }
  return Object.fromEntries(parameters);
}

/** Payload format 2.0. Fields without a value are absent, as on AWS. */
export function httpEvent(request: IncomingMessage, body: Buffer, context: HttpEventContext): unknown {
  const { headers, cookies } = collectHeaders(request);
  const sourceIp = sourceIpOf(request);
  const domainName = (headers['host'] ?? 'localhost').replace(/:\d+$/, '');
  headers['x-forwarded-for'] = headers['x-forwarded-for']
    ? `${headers['x-forwarded-for']}, ${sourceIp}`
    : sourceIp;
  headers['x-forwarded-port'] = String(request.socket.localPort ?? '');
  headers['x-forwarded-proto'] = 'http';
  const query = queryStringParameters(context.rawQueryString);
  // A body without a content type stays text. Anything that may not be text is encoded.
  const contentType = headers['content-type'];
  const isText = contentType === undefined || TEXT_CONTENT_TYPE.test(contentType);
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
    ...(body.length > 0 && { body: body.toString(isText ? 'utf8' : 'base64') }),
    isBase64Encoded: body.length > 0 && !isText,
  };
}
