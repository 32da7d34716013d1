import * as v from 'valibot';
import { parseAs, parseJson, type HttpRequest } from '../shared/http.ts';
import { Problem } from '../shared/problem.ts';
import { requestBodyLimitBytes, scopes } from './contract.ts';
import { isCalendarDate, type BusinessDate } from './domain/business-date.ts';
import { containsCardNumber, textContainsCardNumber } from './domain/card-number.ts';
import { Identifier } from './domain/transaction.ts';

export { knownQuery, pageBody, pageIn, type PageRequest } from '../shared/page.ts';

/** What several routes of the card API read of a request. */

export const CalendarDate = v.pipe(
  v.string(),
  v.check(isCalendarDate, 'must be a date, YYYY-MM-DD, that exists'),
);

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

function cardNumberProblem(): Problem {
  return new Problem(400, 'card-number', 'The request seems to hold a card number', {
    detail: 'Card numbers are never accepted here, only tokens.',
  });
}
