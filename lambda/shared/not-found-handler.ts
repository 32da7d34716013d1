import { httpHandler } from './http.ts';
import { notFoundProblem } from './problem.ts';

/** `$default`: every method and path that is no route. */
export const handler = httpHandler(() => Promise.reject(notFoundProblem('route')));
