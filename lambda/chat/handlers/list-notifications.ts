import * as v from 'valibot';
import { systemClock } from '../../shared/clock.ts';
import { createDynamoDbClient } from '../../shared/dynamodb.ts';
import { environmentVariable } from '../../shared/environment.ts';
import { httpHandler, type HttpRequest, type HttpResponse } from '../../shared/http.ts';
import { pageBody, pageIn } from '../../shared/page.ts';
import { environmentNames } from '../contract.ts';
import { notificationIdOf, placeOf, type NotificationPlace } from '../domain/identifiers.ts';
import type { Notification } from '../domain/message.ts';
import { notificationBody } from '../frames.ts';
import { userOf } from '../requests.ts';
import { queueOf, type QueueItem } from '../tables/notifications.ts';

export interface ListServices {
  readonly queueOf: (userId: string, after: NotificationPlace | undefined) => AsyncIterable<QueueItem>;
}

const Cursor = v.pipe(
  v.string(),
  v.check((text) => placeOf(text) !== undefined, 'is not a cursor that this list gave'),
);

/** `GET /notifications`: what waits for the caller. */
export async function listNotifications(request: HttpRequest, services: ListServices): Promise<HttpResponse> {
  const userId = userOf(request);
  const { limit, cursor } = pageIn(request, Cursor);
  const found: Notification[] = [];
  for await (const item of services.queueOf(userId, cursor === undefined ? undefined : placeOf(cursor))) {
    if (item.kind === 'waiting') found.push(item.notification);
    if (found.length > limit) break;
  }
  const items = found.slice(0, limit);
  const last = found.length > limit ? items.at(-1) : undefined;
  const next = last === undefined ? undefined : notificationIdOf(last);
  return { status: 200, body: pageBody(items.map(notificationBody), next) };
}

function buildServices(): ListServices {
  const client = createDynamoDbClient();
  const table = environmentVariable(environmentNames.notificationsTable);
  return {
    queueOf: (userId, after) => queueOf(client, table, userId, { after, now: systemClock(), pageItems: 101 }),
  };
}

let services: ListServices | undefined;

export const handler = httpHandler((request) => listNotifications(request, (services ??= buildServices())));
