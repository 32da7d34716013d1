import * as v from 'valibot';
import { httpHandler, type HttpRequest, type HttpResponse } from '../../shared/http.ts';
import { pageBody, pageIn } from '../../shared/page.ts';
import { notificationIdOf, placeOf } from '../domain/identifiers.ts';
import { notificationBody } from '../frames.ts';
import { userOf } from '../requests.ts';
import { listWaiting, type ListServices } from './list-notifications.ts';
import { buildListServices } from './services.ts';

const Cursor = v.pipe(
  v.string(),
  v.check((text) => placeOf(text) !== undefined, 'is not a cursor that this list gave'),
);

/** `GET /notifications`: what waits for the caller. */
export async function listNotifications(request: HttpRequest, services: ListServices): Promise<HttpResponse> {
  const userId = userOf(request);
  const { limit, cursor } = pageIn(request, Cursor);
  const after = cursor === undefined ? undefined : placeOf(cursor);
  const { items, next } = await listWaiting(userId, { after, limit }, services);
  return { status: 200, body: pageBody(items.map(notificationBody), next && notificationIdOf(next)) };
}

let services: ListServices | undefined;

export const handler = httpHandler((request) =>
  listNotifications(request, (services ??= buildListServices())),
);
