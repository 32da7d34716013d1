import { httpHandler } from '../../shared/http.ts';
import { notFoundProblem } from '../../shared/problem.ts';

/** `$default`: every method and path that is no route. */
export const handler = httpHandler(() => Promise.reject(notFoundProblem('route')));
