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
import { waitingPages, type WaitingPage } from '../tables/notifications.ts';

export interface ListServices {
  /** What waits, behind a place, `pageItems` of the queue at a time. */
  readonly waitingPages: (
    userId: string,
    after: NotificationPlace | undefined,
    pageItems: number,
  ) => AsyncIterable<WaitingPage>;
}

/** One request reads no more; the cursor goes on behind them. */
const MOST_PAGES = 5;

const Cursor = v.pipe(
  v.string(),
  v.check((text) => placeOf(text) !== undefined, 'is not a cursor that this list gave'),
);

/** `GET /notifications`: what waits for the caller. */
export async function listNotifications(request: HttpRequest, services: ListServices): Promise<HttpResponse> {
  const userId = userOf(request);
  const { limit, cursor } = pageIn(request, Cursor);
  const found: Notification[] = [];
  let pages = 0;
  let readTo: NotificationPlace | undefined;
  const after = cursor === undefined ? undefined : placeOf(cursor);
  for await (const page of services.waitingPages(userId, after, limit + 1)) {
    found.push(...page.items.map(({ notification }) => notification));
    ({ readTo } = page);
    pages += 1;
    if (found.length > limit || pages === MOST_PAGES) break;
  }
  const items = found.slice(0, limit);
  const last = found.length > limit ? items.at(-1) : readTo;
  return { status: 200, body: pageBody(items.map(notificationBody), last && notificationIdOf(last)) };
}

function buildServices(): ListServices {
  const client = createDynamoDbClient();
  const names = {
    notifications: environmentVariable(environmentNames.notificationsTable),
    acknowledgements: environmentVariable(environmentNames.acknowledgementsTable),
  };
  return {
    waitingPages: (userId, after, pageItems) =>
      waitingPages(client, names, userId, { after, now: systemClock(), pageItems }),
  };
}

let services: ListServices | undefined;

export const handler = httpHandler((request) => listNotifications(request, (services ??= buildServices())));
