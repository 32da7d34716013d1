import { setTimeout as wait } from 'node:timers/promises';
import * as v from 'valibot';
import { GatewayMessage, ProblemBody } from '../../lambda/shared/api.ts';
import { CommandError, errorMessage } from './command-error.ts';
import { createHttpClient, type HttpClient, type HttpResponse } from './http.ts';
import type { Outputs } from './outputs.ts';
import { printable } from './screen.ts';
import { accessTokensOf, type AccessTokens, type ApiClient } from './tokens.ts';

export interface ApiRequest {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE';
  readonly path: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export type ApiResponse = HttpResponse;

/** Repeats what may succeed later; all requests here may be repeated. @throws ApiUnreachableError */
export type CallApi = (request: ApiRequest) => Promise<ApiResponse>;

export class ApiUnreachableError extends Error {
  override readonly name = 'ApiUnreachableError';
}

interface Retries {
  readonly attempts: number;
  readonly longestPauseMilliseconds: number;
}

const DEFAULT_RETRIES: Retries = { attempts: 10, longestPauseMilliseconds: 5000 };

export function createCallApi(options: {
  readonly http: HttpClient;
  readonly apiUrl: string;
  readonly tokens: AccessTokens;
  readonly retries?: Retries;
  readonly random?: () => number;
}): CallApi {
  const { http, apiUrl, tokens, retries = DEFAULT_RETRIES, random = Math.random } = options;

  async function attempt({ method, path, headers, body }: ApiRequest, token: string): Promise<ApiResponse> {
    return http.send({
      method,
      url: `${apiUrl}${path}`,
      headers: {
        ...headers,
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  }

  return async function call(request) {
    let renewed = false;
    for (let attempts = 1; ; attempts += 1) {
      const token = await tokens.get();
      let response: ApiResponse | undefined;
      try {
        response = await attempt(request, token);
      } catch (error) {
        if (attempts >= retries.attempts) {
          throw new ApiUnreachableError(`${apiUrl} does not answer: ${errorMessage(error)}`, {
            cause: error,
          });
        }
      }
      if (response?.status === 401 && !renewed) {
        renewed = true;
        tokens.renew();
        continue;
      }
      const isTransient = response === undefined || response.status === 429 || response.status >= 500;
      if (response && (!isTransient || attempts >= retries.attempts)) return response;
      await wait(pauseMilliseconds(attempts, response, retries, random));
    }
  };
}

/** Doubles with each attempt. Half of it is random, so that requests that failed together do not come back together. */
function pauseMilliseconds(
  attempts: number,
  response: ApiResponse | undefined,
  { longestPauseMilliseconds }: Retries,
  random: () => number,
): number {
  const doubled = Math.min(longestPauseMilliseconds, 100 * 2 ** (attempts - 1));
  const asked = Number(response?.headers['retry-after'] ?? 0) * 1000;
  return Math.max(doubled * (0.5 + random() / 2), Number.isFinite(asked) ? Math.min(asked, 30_000) : 0);
}

export interface CardSettlementApi {
  readonly as: Readonly<Record<ApiClient, CallApi>>;
  readonly close: () => void;
}

function connectToApi(outputs: Outputs, connections: number): CardSettlementApi {
  const http = createHttpClient({ connections });
  const apiUrl = outputs.DuotempoCardSettlement.ApiUrl;
  const callAs = (client: ApiClient): CallApi =>
    createCallApi({ http, apiUrl, tokens: accessTokensOf(client, outputs, http) });
  return { as: { gateway: callAs('gateway'), operator: callAs('operator') }, close: () => http.close() };
}

export async function withApi<T>(
  outputs: Outputs,
  connections: number,
  work: (api: CardSettlementApi) => Promise<T>,
): Promise<T> {
  const api = connectToApi(outputs, connections);
  try {
    return await work(api);
  } finally {
    api.close();
  }
}

/** The body of a 200. @throws CommandError for any other answer, naming `what` was asked for */
export function bodyOf<S extends v.GenericSchema>(
  response: ApiResponse,
  schema: S,
  what: string,
): v.InferOutput<S> {
  if (response.status !== 200)
    throw new CommandError(`The API does not give ${what}: ${describeRefusal(response)}.`);
  const parsed = v.safeParse(schema, response.body);
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  throw new CommandError(
    `The API's answer on ${what} is not understood: ${[v.getDotPath(issue), issue.message].filter(Boolean).join(' ')}`,
  );
}

type PageSchema<T> = v.GenericSchema<
  unknown,
  { readonly items: readonly T[]; readonly cursor?: string | undefined }
>;

/** @param options.mayBeMissing 404 means an empty list */
export async function* eachItem<T>(
  call: CallApi,
  path: string,
  schema: PageSchema<T>,
  what: string,
  options: { readonly query?: Readonly<Record<string, string>>; readonly mayBeMissing?: true } = {},
): AsyncGenerator<T> {
  let cursor: string | undefined;
  do {
    const search = new URLSearchParams({ ...options.query, limit: '100', ...(cursor && { cursor }) });
    const response = await call({ method: 'GET', path: `${path}?${search.toString()}` });
    if (response.status === 404 && options.mayBeMissing) return;
    const page = bodyOf(response, schema, what);
    yield* page.items;
    cursor = page.cursor;
  } while (cursor !== undefined);
}

export function problemTypeOf({ body }: ApiResponse): string | undefined {
  return v.is(v.object({ type: v.string() }), body) ? body.type.split(/[/:#]/).at(-1) : undefined;
}

const shownProblem = v.partial(v.pick(ProblemBody, ['title', 'detail', 'errors']));

/** In one line. Errors in the body say more than the detail, and the detail more than the title. */
export function describeRefusal({ status, body }: ApiResponse): string {
  if (v.is(shownProblem, body)) {
    const errors = (body.errors ?? []).map(({ pointer, detail }) => `${pointer} ${detail}`.trim());
    const said = [body.title, errors.length > 0 ? errors.join('; ') : body.detail].filter(Boolean).join(': ');
    if (said !== '') return printable(`${status} ${said}`);
  }
  return v.is(GatewayMessage, body) ? printable(`${status} ${body.message}`) : `${status}`;
}
