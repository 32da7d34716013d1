import { messageAnswer, type HttpAnswer } from '../http/index.ts';
import { compileWildcard } from '../iam/index.ts';
import { isJsonList, isJsonObject, textAt, type Json, type JsonObject } from '../template/index.ts';

/** The server sets these itself. */
const OWN_HEADERS = new Set(['content-length', 'connection', 'keep-alive', 'transfer-encoding', 'upgrade']);

export const INTERNAL_SERVER_ERROR = messageAnswer(500);

/** Payload format 2.0. @returns a 500 for what cannot be read */
export function functionAnswer(payload: unknown): HttpAnswer {
  if (!isJsonObject(payload) || payload['statusCode'] === undefined) {
    const body = typeof payload === 'string' ? payload : JSON.stringify(payload);
    return { status: 200, headers: [['content-type', 'application/json']], body };
  }
  return parseAnswer(payload) ?? INTERNAL_SERVER_ERROR;
}

function parseAnswer(payload: JsonObject): HttpAnswer | undefined {
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
  if (!isJsonObject(value)) return undefined;
  const headers: [string, string][] = [];
  for (const [name, entry] of Object.entries(value)) {
    if (entry === null || typeof entry === 'object') return undefined;
    const lowerCase = name.toLowerCase();
    if (!OWN_HEADERS.has(lowerCase)) headers.push([lowerCase, String(entry)]);
  }
  return headers;
}

function parseCookies(value: unknown): [string, string][] | undefined {
  if (!isJsonList(value)) return undefined;
  const cookies = value.filter((cookie) => typeof cookie === 'string');
  return cookies.length === value.length ? cookies.map((cookie) => ['set-cookie', cookie]) : undefined;
}

export function connectStatus(payload: unknown): number {
  const status = isJsonObject(payload) ? Number(payload['statusCode']) : NaN;
  return Number.isInteger(status) ? status : 500;
}

export function subprotocolIn(payload: unknown): string | undefined {
  const headers = isJsonObject(payload) && isJsonObject(payload['headers']) ? payload['headers'] : {};
  const named = Object.entries(headers).find(([name]) => name.toLowerCase() === 'sec-websocket-protocol');
  return typeof named?.[1] === 'string' ? named[1] : undefined;
}

/** @param path to the route key: `['action']` */
export function selectedKey(body: string, path: readonly string[]): string | undefined {
  let value: Json | undefined;
  try {
    value = JSON.parse(body);
  } catch {
    return undefined;
  }
  for (const step of path) value = isJsonObject(value) ? value[step] : undefined;
  return typeof value === 'string' && !value.startsWith('$') ? value : undefined;
}

export function bodyIn(payload: unknown): Json | undefined {
  return isJsonObject(payload) ? payload['body'] : undefined;
}

/** @returns what the policy says of `methodArn`, or undefined for an answer that cannot be read */
export function authorizerAnswer(
  payload: unknown,
  methodArn: string,
): { readonly effects: ReadonlySet<string>; readonly context: Readonly<Record<string, string>> } | undefined {
  if (!isJsonObject(payload)) return undefined;
  const principalId = textAt(payload, 'principalId');
  const policy = payload['policyDocument'];
  const given = payload['context'] ?? {};
  if (principalId === undefined || !isJsonObject(policy) || !isJsonObject(given)) return undefined;
  // A context holds texts, numbers and booleans. Functions get texts.
  const entries = Object.entries(given).flatMap(([name, value]) =>
    typeof value === 'object' ? [] : [[name, String(value)] as const],
  );
  if (entries.length < Object.keys(given).length) return undefined;
  return {
    effects: effectsOn(policy['Statement'] ?? null, methodArn),
    context: { ...Object.fromEntries(entries), principalId },
  };
}

function effectsOn(statement: Json, methodArn: string): ReadonlySet<string> {
  const statements = (isJsonList(statement) ? statement : [statement]).filter(isJsonObject);
  const matching = statements.filter(
    ({ Action = null, Resource = null }) =>
      matchesOne(Action, 'execute-api:Invoke', { ignoresCase: true }) && matchesOne(Resource, methodArn),
  );
  return new Set(matching.flatMap((one) => textAt(one, 'Effect') ?? []));
}

function matchesOne(patterns: Json, text: string, options: { readonly ignoresCase?: boolean } = {}): boolean {
  const list = isJsonList(patterns) ? patterns : [patterns];
  return list.some((pattern) => typeof pattern === 'string' && compileWildcard(pattern, options)(text));
}
