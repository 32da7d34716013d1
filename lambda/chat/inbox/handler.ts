import * as v from 'valibot';
import { systemClock } from '../../shared/clock.ts';
import { createDynamoDbClient } from '../../shared/dynamodb.ts';
import { httpHandler, type HttpRequest, type HttpResponse } from '../../shared/http.ts';
import { lazily } from '../../shared/lazily.ts';
import { pageBody, pageIn } from '../../shared/page.ts';
import { notificationIdOf, placeOf } from '../domain/identifiers.ts';
import { notificationBody } from '../frames.ts';
import { userOf } from '../requests.ts';
import { inboxTable } from '../store/inbox.ts';
import { listInbox, type ListServices } from './list-inbox.ts';

const Cursor = v.pipe(
  v.string(),
  v.check((text) => placeOf(text) !== undefined, 'is not a cursor that this list gave'),
);

/** `GET /notifications` */
export async function listNotifications(request: HttpRequest, services: ListServices): Promise<HttpResponse> {
  const userId = userOf(request);
  const { limit, cursor } = pageIn(request, Cursor);
  const after = cursor === undefined ? undefined : placeOf(cursor);
  const { items, next } = await listInbox(userId, { after, limit }, services);
  return { status: 200, body: pageBody(items.map(notificationBody), next && notificationIdOf(next)) };
}

const services = lazily(() => ({ now: systemClock, inbox: inboxTable(createDynamoDbClient()) }));

export const handler = httpHandler(async (request) => listNotifications(request, services()));
