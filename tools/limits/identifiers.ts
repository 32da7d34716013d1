import * as v from 'valibot';
import type { HttpRequest } from '../../lambda/shared/http.ts';
import { Problem } from '../../lambda/shared/problem.ts';
import {
  idempotencyKeyIn,
  identifierIn,
  knownQuery,
  parseBody,
} from '../../lambda/card-settlement/requests.ts';
import type { Figure } from '../bench/report.ts';
import { formatCount } from '../../cli/shared/money.ts';
import { showProgress } from '../../cli/shared/progress.ts';
import { identifierKinds, seededBits } from './identifier-kinds.ts';
import type { Limit } from './limit.ts';
import { publishedCardNumbers, writingsOf } from './published-card-numbers.ts';

const IDS = 10_000_000;
const SEED = 20_261_124;

/** Ids that others make are never taken for card numbers; card numbers always are. */
export const identifiers: Limit = {
  name: 'identifiers',
  load: `${formatCount(IDS)} ids of each kind, in every field of a request; published card numbers in every writing`,
  measure: async () => [
    ...Object.entries(identifierKinds).map(([kind, make]): Figure => {
      const bits = seededBits(SEED);
      const progress = showProgress(kind, IDS);
      let refused = 0;
      for (let made = 0; made < IDS; made++) {
        if (placesRefused(make(bits)).length > 0) refused++;
        if (made % 10_000 === 0) progress.update(made, refused);
      }
      progress.stop();
      return { name: `${kind}: refused`, value: refused, unit: '', atMost: 0 };
    }),
    ...Object.entries(publishedCardNumbers).map(([network, cardNumbers]): Figure => {
      const writings = cardNumbers.flatMap(writingsOf);
      const taken = writings.filter((writing) => placesRefused(JSON.stringify(writing)).length < PLACES);
      return { name: `card numbers of ${network}: taken`, value: taken.length, unit: '', atMost: 0 };
    }),
  ],
};

/** Where an id stands in a request: in its body, its key, its path, its query. */
const PLACES = 4;

/** @param json the id as JSON writes it @returns the places where it is refused as a card number */
export function placesRefused(json: string): string[] {
  const id = json.replaceAll('"', '');
  const request: HttpRequest = {
    requestId: '',
    routeKey: '',
    caller: { clientId: '', scopes: [] },
    headers: { 'idempotency-key': id },
    path: { transactionId: id },
    query: { cursor: id },
    body: `{"merchantId":${json},"cardToken":"tok_${id}","${id}":[{"note":"${id}-1"}]}`,
  };
  return [
    ['body', () => parseBody(v.unknown(), request)] as const,
    ['key', () => idempotencyKeyIn(request)] as const,
    ['path', () => identifierIn(request, 'transactionId')] as const,
    ['query', () => knownQuery(request, ['cursor'])] as const,
  ].flatMap(([place, read]) => (isRefused(read) ? [place] : []));
}

function isRefused(read: () => unknown): boolean {
  try {
    read();
    return false;
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return error.slug === 'card-number';
  }
}
