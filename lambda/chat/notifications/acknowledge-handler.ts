import * as v from 'valibot';
import { httpHandler, type HttpRequest, type HttpResponse } from '../../shared/http.ts';
import { knownQuery } from '../../shared/page.ts';
import { notFoundProblem } from '../../shared/problem.ts';
import { acknowledge, type AcknowledgeServices } from './acknowledge.ts';
import { IDENTIFIER, placeOf } from '../domain/identifiers.ts';
import { pathParameter, userOf } from '../requests.ts';
import { buildAcknowledgeServices } from './services.ts';

const NotificationId = v.pipe(v.string(), v.regex(IDENTIFIER, 'must match [A-Za-z0-9_-]{1,64}'));

/** `DELETE /notifications/{notificationId}`: acknowledges a notification of the caller's; once more is no error. */
async function deleteNotification(
  request: HttpRequest,
  services: AcknowledgeServices,
): Promise<HttpResponse> {
  const userId = userOf(request);
  knownQuery(request, []);
  const place = placeOf(pathParameter(request, 'notificationId', NotificationId));
  if (place === undefined || (await acknowledge(userId, place, services)) === 'unknown') {
    throw notFoundProblem('notification');
  }
  return { status: 204 };
}

let services: AcknowledgeServices | undefined;

export const handler = httpHandler((request) =>
  deleteNotification(request, (services ??= buildAcknowledgeServices())),
);
