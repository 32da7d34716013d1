import * as v from 'valibot';
import { parseAs, parseJson, type HttpRequest } from '../shared/http.ts';
import { Problem, validationProblem } from '../shared/problem.ts';
import { requestBodyLimitBytes, scopes } from './contract.ts';
import { isCalendarDate, type BusinessDate } from './domain/business-date.ts';
import { containsCardNumber, textContainsCardNumber } from './domain/card-number.ts';
import { Identifier } from './domain/transaction.ts';

/** What several routes of the card API read of a request. */

const CalendarDate = v.pipe(v.string(), v.check(isCalendarDate, 'must be a date, YYYY-MM-DD, that exists'));

const LIMIT = { default: 50, most: 100 };

/** The body, parsed by its schema, once it is clear that it holds no card number. @throws Problem */
export function parseBody<S extends v.GenericSchema>(schema: S, request: HttpRequest): v.InferOutput<S> {
  const value = parseJson(request.body, requestBodyLimitBytes);
  if (textContainsCardNumber(request.body) || containsCardNumber(value)) throw cardNumberProblem();
  return parseAs(schema, value);
}

/** A path parameter that is an identifier. @throws Problem */
export function identifierIn(request: HttpRequest, name: string): string {
  const identifier = parseAs(Identifier, request.path[name], `path:${name}`);
  if (textContainsCardNumber(identifier)) throw cardNumberProblem();
  return identifier;
}

/** The path parameter `businessDate`. @throws Problem */
export function businessDateIn(request: HttpRequest): BusinessDate {
  return parseAs(CalendarDate, request.path['businessDate'], 'path:businessDate');
}

/** The header `Idempotency-Key`. @throws Problem */
export function idempotencyKeyIn(request: HttpRequest): string {
  const key = parseAs(Identifier, request.headers['idempotency-key'], 'header:Idempotency-Key');
  if (textContainsCardNumber(key)) throw cardNumberProblem();
  return key;
}

/** True if the caller operates the settlement, and so sees every client's transactions. */
export function isOperator({ caller }: HttpRequest): boolean {
  return caller.scopes.includes(scopes.operate);
}

/** Which page of a list is wanted. */
export interface PageRequest<C> {
  readonly limit: number;
  readonly cursor: C | undefined;
}

/** The query parameters `limit` and `cursor`. Others are refused. @throws Problem */
export function pageIn<S extends v.GenericSchema>(
  request: HttpRequest,
  cursorSchema: S,
): PageRequest<v.InferOutput<S>> {
  knownQuery(request, ['limit', 'cursor']);
  const { limit = String(LIMIT.default), cursor } = request.query;
  if (!/^\d{1,3}$/.test(limit) || Number(limit) < 1 || Number(limit) > LIMIT.most) {
    throw validationProblem([
      { pointer: 'query:limit', detail: `must be a whole number from 1 to ${LIMIT.most}` },
    ]);
  }
  return {
    limit: Number(limit),
    cursor: cursor === undefined ? undefined : parseCursor(cursorSchema, cursor),
  };
}

/** Refuses query parameters that the route does not know. @throws Problem */
export function knownQuery(request: HttpRequest, names: readonly string[]): void {
  const unknown = Object.keys(request.query).filter((name) => !names.includes(name));
  if (unknown.length > 0) {
    throw validationProblem(
      unknown.map((name) => ({ pointer: `query:${name.slice(0, 64)}`, detail: 'is not a known parameter' })),
    );
  }
}

/** A page of a list; `cursor` is left out on the last. */
export function pageBody(items: readonly unknown[], next: unknown): Record<string, unknown> {
  return { items, ...(next === undefined ? {} : { cursor: encodeCursor(next) }) };
}

function encodeCursor(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function parseCursor<S extends v.GenericSchema>(schema: S, cursor: string): v.InferOutput<S> {
  const wrong = validationProblem([
    { pointer: 'query:cursor', detail: 'is not a cursor that this list gave' },
  ]);
  if (!/^[A-Za-z0-9_-]{1,512}$/.test(cursor)) throw wrong;
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
  } catch {
    throw wrong;
  }
  const result = v.safeParse(schema, value);
  if (!result.success) throw wrong;
  return result.output;
}

function cardNumberProblem(): Problem {
  return new Problem(400, 'card-number', 'The request seems to hold a card number', {
    detail: 'Card numbers are never accepted here, only tokens.',
  });
}
