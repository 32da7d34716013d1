import { setTimeout as wait } from 'node:timers/promises';
import * as v from 'valibot';
import { accessTokensOf, type AccessTokens } from './access-token.ts';
import type { ApiClient } from './client-credentials.ts';
import { errorMessage } from './command-error.ts';
import { createHttpClient, type HttpClient, type HttpResponse } from './http.ts';
import type { Outputs } from './outputs.ts';
import { printable } from './screen.ts';

export interface ApiRequest {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE';
  /** Below the API's url, beginning with a slash. */
  readonly path: string;
  /** Sent as JSON. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export type ApiResponse = HttpResponse;

/**
 * Calls the API until it answers something that another attempt would not change. Every request here may be repeated:
 * it reads, it sets what it sets, or it carries an idempotency key.
 *
 * Rejects with an `ApiUnreachableError` when the attempts are used up without an answer.
 */
export type CallApi = (request: ApiRequest) => Promise<ApiResponse>;

export class ApiUnreachableError extends Error {
  override readonly name = 'ApiUnreachableError';
}

interface Retries {
  /** All in all, the first included. */
  readonly attempts: number;
  /** Longest pause between two attempts. */
  readonly longestPauseMilliseconds: number;
}

export interface CallApiOptions {
  readonly http: HttpClient;
  readonly apiUrl: string;
  readonly tokens: AccessTokens;
  readonly retries?: Retries;
  readonly random?: () => number;
}

const defaultRetries: Retries = { attempts: 10, longestPauseMilliseconds: 5000 };

export function createCallApi(options: CallApiOptions): CallApi {
  const { http, apiUrl, tokens, retries = defaultRetries, random = Math.random } = options;

  async function attempt(request: ApiRequest, token: string): Promise<ApiResponse> {
    return http.send({
      method: request.method,
      url: `${apiUrl}${request.path}`,
      headers: {
        ...request.headers,
        authorization: `Bearer ${token}`,
        ...(request.body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
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
      if (response && (!isTransient(response.status) || attempts >= retries.attempts)) return response;
      await wait(pauseMilliseconds(attempts, response, retries, random));
    }
  };
}

/** A deployment's card settlement API, as its two clients may call it. */
export interface CardSettlementApi {
  readonly as: Readonly<Record<ApiClient, CallApi>>;
  readonly close: () => void;
}

/** @param connections how many requests may be under way at a time */
export function connectToApi(outputs: Outputs, connections: number): CardSettlementApi {
  const http = createHttpClient({ connections });
  const apiUrl = outputs.DuotempoCardSettlement.ApiUrl;
  const callAs = (client: ApiClient): CallApi =>
    createCallApi({ http, apiUrl, tokens: accessTokensOf(client, outputs, http) });
  return { as: { gateway: callAs('gateway'), operator: callAs('operator') }, close: () => http.close() };
}

const problemSchema = v.object({
  type: v.optional(v.string()),
  title: v.optional(v.string()),
  detail: v.optional(v.string()),
  errors: v.optional(v.array(v.object({ pointer: v.optional(v.string()), detail: v.optional(v.string()) }))),
});

/** The last part of a problem's type (RFC 9457), such as `occurred-at-too-old`; undefined if it has none. */
export function problemTypeOf(response: ApiResponse): string | undefined {
  if (!v.is(problemSchema, response.body)) return undefined;
  return response.body.type?.split(/[/:#]/).at(-1);
}

/** What a refusal says to a person, in a line: its title, its detail and where in the body the fault is. */
export function describeRefusal(response: ApiResponse): string {
  const { body } = response;
  if (v.is(problemSchema, body)) {
    const faults = (body.errors ?? []).map(({ pointer, detail }) =>
      [pointer, detail].filter(Boolean).join(' '),
    );
    // A detail that is there says more than the title; the faults say more than either.
    const said = faults.length > 0 ? [body.title, faults.join('; ')] : [body.title, body.detail];
    const text = said.filter(Boolean).join(': ');
    if (text !== '') return printable(`${response.status} ${text}`);
  }
  // What API Gateway itself answers.
  if (v.is(v.object({ message: v.string() }), body)) return printable(`${response.status} ${body.message}`);
  return `${response.status}`;
}

function isTransient(status: number): boolean {
  return status === 429 || status >= 500;
}

/** Doubling, with half of it by chance so that those who failed together do not come back together. */
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
