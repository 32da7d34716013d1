import * as v from 'valibot';
import { type ApiResponse, type CallApi, describeRefusal } from './api.ts';
import { CommandError } from './command-error.ts';

/** Every item of one of the API's lists. A page may be empty and yet have a cursor. @param what of it, in a message */
export async function* eachItem<T>(
  call: CallApi,
  path: string,
  query: Readonly<Record<string, string>>,
  pageSchema: v.GenericSchema<
    unknown,
    { readonly items: readonly T[]; readonly cursor?: string | undefined }
  >,
  what: string,
): AsyncGenerator<T> {
  let cursor: string | undefined;
  do {
    const search = new URLSearchParams({
      ...query,
      limit: '100',
      ...(cursor === undefined ? {} : { cursor }),
    });
    const response = await call({ method: 'GET', path: `${path}?${search.toString()}` });
    const page = parsed(pageSchema, response, what);
    yield* page.items;
    cursor = page.cursor;
  } while (cursor !== undefined);
}

function parsed<S extends v.GenericSchema>(schema: S, response: ApiResponse, what: string): v.InferOutput<S> {
  if (response.status !== 200)
    throw new CommandError(`The API does not give ${what}: ${describeRefusal(response)}.`);
  const answer = v.safeParse(schema, response.body);
  if (answer.success) return answer.output;
  throw new CommandError(`The API's answer on ${what} is not understood: ${answer.issues[0].message}`);
}
