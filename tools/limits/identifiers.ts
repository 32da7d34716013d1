import * as v from 'valibot';
import { formatCount } from '../../cli/shared/money.ts';
import { showProgress } from '../../cli/shared/progress.ts';
import {
  idempotencyKeyIn,
  identifierIn,
  knownQuery,
  parseBody,
} from '../../lambda/card-settlement/requests.ts';
import type { HttpRequest } from '../../lambda/shared/http.ts';
import { Problem } from '../../lambda/shared/problem.ts';
import { figure, type Figure } from '../harness/figures.ts';
import { identifierKinds, seededBits } from './identifier-kinds.ts';
import { publishedCardNumbers, writingsOf } from './published-card-numbers.ts';

const IDS = 10_000_000;
const SEED = 20_261_124;
/** The body, the key, the path and the query. */
const PLACES = 4;

export const IDENTIFIERS_LOAD = `${formatCount(IDS)} ids of each kind, in every field of a request; published card numbers in every writing`;

export function measureIdentifiers(): readonly Figure[] {
  const kinds = Object.entries(identifierKinds).map(([kind, make]) => {
    const bits = seededBits(SEED);
    const progress = showProgress(kind, IDS);
    let refused = 0;
    for (let made = 0; made < IDS; made += 1) {
      if (placesRefused(make(bits)).length > 0) refused += 1;
      if (made % 10_000 === 0) progress.update(made, refused);
    }
    progress.stop();
    return figure(`${kind}: refused`, refused, '', { atMost: 0 });
  });
  const networks = Object.entries(publishedCardNumbers).map(([network, cardNumbers]) => {
    const writings = cardNumbers.flatMap(writingsOf);
    const taken = writings.filter((writing) => placesRefused(JSON.stringify(writing)).length < PLACES);
    return figure(`card numbers of ${network}: taken`, taken.length, '', { atMost: 0 });
  });
  return [...kinds, ...networks];
}

/** @param json an id @returns where a request with it is refused as holding a card number */
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
  const places = {
    body: () => parseBody(v.unknown(), request),
    key: () => idempotencyKeyIn(request),
    path: () => identifierIn(request, 'transactionId'),
    query: () => knownQuery(request, ['cursor']),
  };
  return Object.entries(places).flatMap(([place, read]) => (isRefused(read) ? [place] : []));
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
