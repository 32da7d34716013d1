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
import { waitingPage, type WaitingPage } from '../store/notifications.ts';

export interface ListServices {
  /** What waits among the next `pageItems` of the queue behind a place. */
  readonly waitingPage: (
    userId: string,
    after: NotificationPlace | undefined,
    pageItems: number,
  ) => Promise<WaitingPage>;
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
  let readTo = cursor === undefined ? undefined : placeOf(cursor);
  for (let pages = 1; pages <= MOST_PAGES && found.length <= limit; pages++) {
    const page = await services.waitingPage(userId, readTo, limit + 1);
    found.push(...page.items.map(({ notification }) => notification));
    ({ readTo } = page);
    if (readTo === undefined) break;
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
    waitingPage: (userId, after, pageItems) =>
      waitingPage(client, names, userId, { after, now: systemClock(), pageItems }),
  };
}

let services: ListServices | undefined;

export const handler = httpHandler((request) => listNotifications(request, (services ??= buildServices())));
