import type * as v from 'valibot';
import { parseAs, type HttpRequest } from '../shared/http.ts';
import { problem } from './api.ts';
import { USER_ID } from './domain/identifiers.ts';

/** From the verified token, never from the body. @throws Problem 403 */
export function userOf({ caller }: HttpRequest): string {
  const { username } = caller;
  if (username !== undefined && USER_ID.test(username)) return username;
  throw problem('no-chat-user', {
    detail: 'A chat user is called 1 to 64 of a-z, 0-9, ".", "_" and "-", beginning with a letter or digit.',
  });
}

export function pathParameter<S extends v.GenericSchema>(
  request: HttpRequest,
  name: string,
  schema: S,
): v.InferOutput<S> {
  return parseAs(schema, request.path[name], `path:${name}`);
}
