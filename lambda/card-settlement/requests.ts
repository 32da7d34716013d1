import type * as v from 'valibot';
import { parseAs, parseJson, type HttpRequest } from '../shared/http.ts';
import * as page from '../shared/page.ts';
import { validationProblem, type Problem } from '../shared/problem.ts';
import { problem } from './api.ts';
import { requestBodyLimitBytes, scopes } from './contract.ts';
import { CalendarDate, type BusinessDate } from './domain/business-date.ts';
import { containsCardNumber, jsonContainsLongCardNumber } from './domain/card-number.ts';
import { Identifier, Transaction } from './domain/transaction.ts';

export { pageBody } from '../shared/page.ts';

/** What several routes of the card API read of a request. */

/** The body, parsed by its schema, once it is clear that it holds no card number. @throws Problem */
export function parseBody<S extends v.GenericSchema>(schema: S, request: HttpRequest): v.InferOutput<S> {
  const value = parseJson(request.body, requestBodyLimitBytes);
  if (jsonContainsLongCardNumber(request.body)) throw cardNumberProblem();
  refuseCardNumber(value);
  return parseAs(schema, value);
}

/** The body of `POST /transactions`. @throws Problem */
export function transactionIn(request: HttpRequest): Transaction {
  const transaction = parseBody(Transaction, request);
  const { type, originalTransactionId } = transaction;
  if (type === 'reversal' && originalTransactionId === undefined) {
    throw validationProblem([{ pointer: '/originalTransactionId', detail: 'is required for a reversal' }]);
  }
  if (type === 'sale' && originalTransactionId !== undefined) {
    throw validationProblem([{ pointer: '/originalTransactionId', detail: 'is for refunds and reversals' }]);
  }
  return transaction;
}

/** See `knownQuery` of lists. Neither names nor values may hold a card number. @throws Problem */
export const knownQuery: typeof page.knownQuery = (request, names) => {
  refuseCardNumber(request.query);
  page.knownQuery(request, names);
};

/** See `pageIn` of lists. Neither names nor values may hold a card number. @throws Problem */
export const pageIn: typeof page.pageIn = (request, cursorSchema, others) => {
  refuseCardNumber(request.query);
  return page.pageIn(request, cursorSchema, others);
};

/** A path parameter that is an identifier. @throws Problem */
export function identifierIn(request: HttpRequest, name: string): string {
  refuseCardNumber(request.path[name]);
  return parseAs(Identifier, request.path[name], `path:${name}`);
}

/** The path parameter `businessDate`. @throws Problem */
export function businessDateIn(request: HttpRequest): BusinessDate {
  refuseCardNumber(request.path['businessDate']);
  return parseAs(CalendarDate, request.path['businessDate'], 'path:businessDate');
}

/** The header `Idempotency-Key`. @throws Problem */
export function idempotencyKeyIn(request: HttpRequest): string {
  refuseCardNumber(request.headers['idempotency-key']);
  return parseAs(Identifier, request.headers['idempotency-key'], 'header:Idempotency-Key');
}

/** True if the caller operates the settlement, and so sees every client's transactions. */
export function isOperator({ caller }: HttpRequest): boolean {
  return caller.scopes.includes(scopes.operate);
}

function refuseCardNumber(value: unknown): void {
  if (containsCardNumber(value)) throw cardNumberProblem();
}

function cardNumberProblem(): Problem {
  return problem('card-number', { detail: 'Card numbers are never accepted here, only tokens.' });
}
