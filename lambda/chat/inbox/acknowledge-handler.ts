import { httpHandler } from '../../shared/http.ts';
import { knownQuery } from '../../shared/page.ts';
import { notFoundProblem } from '../../shared/problem.ts';
import { placeOf } from '../domain/identifiers.ts';
import { Identifier } from '../domain/message.ts';
import { pathParameter, userOf } from '../requests.ts';
import { acknowledge } from './acknowledge.ts';
import { acknowledgeServices } from './services.ts';

/** `DELETE /notifications/{notificationId}`: once more is no error. */
export const handler = httpHandler(async (request) => {
  const userId = userOf(request);
  knownQuery(request, []);
  const place = placeOf(pathParameter(request, 'notificationId', Identifier));
  if (place === undefined || (await acknowledge(userId, place, acknowledgeServices())) === 'unknown') {
    throw notFoundProblem('notification');
  }
  return { status: 204 };
});
