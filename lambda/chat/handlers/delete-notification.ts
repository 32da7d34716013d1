import * as v from 'valibot';
import { systemClock } from '../../shared/clock.ts';
import { createDynamoDbClient } from '../../shared/dynamodb.ts';
import { environmentVariable } from '../../shared/environment.ts';
import { httpHandler, type HttpRequest, type HttpResponse } from '../../shared/http.ts';
import { knownQuery } from '../../shared/page.ts';
import { notFoundProblem } from '../../shared/problem.ts';
import { environmentNames } from '../contract.ts';
import { IDENTIFIER, placeOf, type NotificationPlace } from '../domain/identifiers.ts';
import { pathParameter, userOf } from '../requests.ts';
import { acknowledge } from '../tables/notifications.ts';

export interface AcknowledgeServices {
  readonly acknowledge: (
    userId: string,
    place: NotificationPlace,
  ) => Promise<'acknowledged' | 'known' | 'unknown'>;
}

const NotificationId = v.pipe(v.string(), v.regex(IDENTIFIER, 'must match [A-Za-z0-9_-]{1,64}'));

/** `DELETE /notifications/{notificationId}`: acknowledges a notification of the caller's; once more is no error. */
export async function deleteNotification(
  request: HttpRequest,
  services: AcknowledgeServices,
): Promise<HttpResponse> {
  const userId = userOf(request);
  knownQuery(request, []);
  const place = placeOf(pathParameter(request, 'notificationId', NotificationId));
  if (place === undefined || (await services.acknowledge(userId, place)) === 'unknown') {
    throw notFoundProblem('notification');
  }
  return { status: 204 };
}

function buildServices(): AcknowledgeServices {
  const client = createDynamoDbClient();
  const table = environmentVariable(environmentNames.notificationsTable);
  return { acknowledge: (userId, place) => acknowledge(client, table, userId, place, systemClock()) };
}

let services: AcknowledgeServices | undefined;

export const handler = httpHandler((request) => deleteNotification(request, (services ??= buildServices())));
