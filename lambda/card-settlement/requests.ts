import type * as v from 'valibot';
import {
  httpHandler,
  parseAs,
  parseJson,
  type HttpHandler,
  type HttpRequest,
  type HttpResponse,
} from '../shared/http.ts';
import * as page from '../shared/page.ts';
import { validationProblem, type Problem } from '../shared/problem.ts';
import { problem } from './api.ts';
import { requestBodyLimitBytes, scopes } from './contract.ts';
import { CalendarDate, type BusinessDate } from './domain/business-date.ts';
import { containsCardNumber, jsonContainsLongCardNumber } from './domain/card-number.ts';
import { Identifier, Transaction } from './domain/transaction.ts';

export { pageBody } from '../shared/page.ts';

export function route<S>(
  handle: (request: HttpRequest, services: S) => Promise<HttpResponse>,
  build: () => S,
): HttpHandler {
  let services: S | undefined;
  return httpHandler((request) => handle(request, (services ??= build())));
}

/** @throws Problem, also if it holds a card number */
export function parseBody<S extends v.GenericSchema>(schema: S, request: HttpRequest): v.InferOutput<S> {
  const value = parseJson(request.body, requestBodyLimitBytes);
  if (jsonContainsLongCardNumber(request.body)) throw cardNumberProblem();
  refuseCardNumber(value);
  return parseAs(schema, value);
}

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

/** As in `shared/page.ts`, but refuses card numbers. @throws Problem */
export const knownQuery: typeof page.knownQuery = (request, names) => {
  refuseCardNumber(request.query);
  page.knownQuery(request, names);
};

export const pageIn: typeof page.pageIn = (request, cursorSchema, others) => {
  refuseCardNumber(request.query);
  return page.pageIn(request, cursorSchema, others);
};

export function identifierIn(request: HttpRequest, name: string): string {
  refuseCardNumber(request.path[name]);
  return parseAs(Identifier, request.path[name], `path:${name}`);
}

export function businessDateIn(request: HttpRequest): BusinessDate {
  refuseCardNumber(request.path['businessDate']);
  return parseAs(CalendarDate, request.path['businessDate'], 'path:businessDate');
}

export function idempotencyKeyIn(request: HttpRequest): string {
  refuseCardNumber(request.headers['idempotency-key']);
  return parseAs(Identifier, request.headers['idempotency-key'], 'header:Idempotency-Key');
}

export function isOperator({ caller }: HttpRequest): boolean {
  return caller.scopes.includes(scopes.operate);
}

function refuseCardNumber(value: unknown): void {
  if (containsCardNumber(value)) throw cardNumberProblem();
}

function cardNumberProblem(): Problem {
  return problem('card-number', { detail: 'Card numbers are never accepted here, only tokens.' });
}
