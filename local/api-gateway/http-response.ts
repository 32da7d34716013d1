/** What goes back to the client. Header names are lower case; `set-cookie` may repeat. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string | Buffer;
}

/** Computed here from the body, or only between two hops. */
const ownHeaders = new Set(['content-length', 'connection', 'keep-alive', 'transfer-encoding', 'upgrade']);

/** An answer of the gateway itself, whose form an HTTP API doesn't let anyone change. */
export function gatewayAnswer(
  status: number,
  message: string,
  headers: HttpAnswer['headers'] = [],
): HttpAnswer {
  return {
    status,
    headers: [['content-type', 'application/json'], ...headers],
    body: JSON.stringify({ message }),
  };
}

export const internalServerError = gatewayAnswer(500, 'Internal Server Error');
export const serviceUnavailable = gatewayAnswer(503, 'Service Unavailable');

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isScalar(value: unknown): value is string | number | boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}

/** What a function returned, in format 2.0. Unreadable: the gateway answers for it, with 500. */
export function functionAnswer(payload: unknown): HttpAnswer {
  if (!isRecord(payload) || payload['statusCode'] === undefined) {
    const body = typeof payload === 'string' ? payload : JSON.stringify(payload);
    return { status: 200, headers: [['content-type', 'application/json']], body };
  }
  return parseAnswer(payload) ?? internalServerError;
}

function parseAnswer(payload: Record<string, unknown>): HttpAnswer | undefined {
  const { statusCode: status, body = '', isBase64Encoded = false } = payload;
  if (typeof status !== 'number' || !Number.isInteger(status) || status < 200 || status > 599)
    return undefined;
  if (body !== null && typeof body !== 'string') return undefined;
  if (typeof isBase64Encoded !== 'boolean') return undefined;
  const headers = parseHeaders(payload['headers'] ?? {});
  const cookies = parseCookies(payload['cookies'] ?? []);
  if (headers === undefined || cookies === undefined) return undefined;
  const bytes = isBase64Encoded ? Buffer.from(body ?? '', 'base64') : (body ?? '');
  if (bytes.length > 0 && !headers.some(([name]) => name === 'content-type')) {
    headers.push(['content-type', 'text/plain;charset=UTF-8']);
  }
  return { status, headers: [...headers, ...cookies], body: bytes };
}

function parseHeaders(value: unknown): [string, string][] | undefined {
  if (!isRecord(value)) return undefined;
  const headers: [string, string][] = [];
  for (const [name, entry] of Object.entries(value)) {
    if (!isScalar(entry)) return undefined;
    const lowerCase = name.toLowerCase();
    if (!ownHeaders.has(lowerCase)) headers.push([lowerCase, String(entry)]);
  }
  return headers;
}

function parseCookies(value: unknown): [string, string][] | undefined {
  if (!Array.isArray(value)) return undefined;
  const cookies: [string, string][] = [];
  for (const cookie of value as unknown[]) {
    if (typeof cookie !== 'string') return undefined;
    cookies.push(['set-cookie', cookie]);
  }
  return cookies;
}
