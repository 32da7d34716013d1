import * as v from 'valibot';
import { httpHandler } from '../../shared/http.ts';
import { knownQuery } from '../../shared/page.ts';
import { notFoundProblem } from '../../shared/problem.ts';
import { IDENTIFIER, placeOf } from '../domain/identifiers.ts';
import { pathParameter, userOf } from '../requests.ts';
import { acknowledge } from './acknowledge.ts';
import { acknowledgeServices } from './services.ts';

const NotificationId = v.pipe(v.string(), v.regex(IDENTIFIER, 'must match [A-Za-z0-9_-]{1,64}'));

/** `DELETE /notifications/{notificationId}`: once more is no error. */
export const handler = httpHandler(async (request) => {
  const userId = userOf(request);
  knownQuery(request, []);
  const place = placeOf(pathParameter(request, 'notificationId', NotificationId));
  if (place === undefined || (await acknowledge(userId, place, acknowledgeServices())) === 'unknown') {
    throw notFoundProblem('notification');
  }
  return { status: 204 };
});
