import * as v from 'valibot';
import { type ApiClient, type ClientCredentials, readClientCredentials } from './client-credentials.ts';
import { CommandError, errorMessage } from './command-error.ts';
import type { HttpClient } from './http.ts';
import type { Outputs } from './outputs.ts';

/** An access token that is valid now and will be for a while. */
export type GetAccessToken = () => Promise<string>;

export interface AccessTokens {
  readonly get: GetAccessToken;
  /** Forgets the current token, because the API refused it. */
  readonly renew: () => void;
}

const tokenSchema = v.object({ access_token: v.string(), expires_in: v.number() });

/** Access tokens by client credentials (RFC 6749, section 4.4), renewed before they expire. */
export function createAccessTokens(options: {
  readonly http: HttpClient;
  readonly tokenUrl: string;
  readonly credentials: () => Promise<ClientCredentials>;
  readonly now?: () => number;
}): AccessTokens {
  const { http, tokenUrl, now = Date.now } = options;
  let credentials: Promise<ClientCredentials> | undefined;

  return renewedTokens(async () => {
    credentials ??= options.credentials();
    const { clientId, clientSecret } = await credentials;
    const response = await http
      .send({
        method: 'POST',
        url: tokenUrl,
        headers: {
          authorization: `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`,
          'content-type': 'application/x-www-form-urlencoded',
        },
        body: 'grant_type=client_credentials',
      })
      .catch((error: unknown) => {
        throw new CommandError(`${tokenUrl} does not answer: ${errorMessage(error)}.`, { cause: error });
      });
    const parsed = v.safeParse(tokenSchema, response.body);
    if (response.status !== 200 || !parsed.success) {
      throw new CommandError(`${tokenUrl} gave no access token: it answered ${response.status}.`);
    }
    return { token: parsed.output.access_token, expiresInSeconds: parsed.output.expires_in };
  }, now);
}

/** Tokens that are asked for when the first is wanted, and anew before they expire. */
export function renewedTokens(
  request: () => Promise<{ readonly token: string; readonly expiresInSeconds: number }>,
  now: () => number = Date.now,
): AccessTokens {
  let current: Promise<{ token: string; renewAt: number }> | undefined;

  async function renewed(): Promise<{ token: string; renewAt: number }> {
    const requestedAt = now();
    const { token, expiresInSeconds } = await request();
    // A tenth of its life before the end, so that a request that takes its time is still in time.
    return { token, renewAt: requestedAt + expiresInSeconds * 900 };
  }

  async function get(): Promise<string> {
    const asked = (current ??= renewed());
    try {
      const { token, renewAt } = await asked;
      if (now() < renewAt) return token;
    } catch (error) {
      if (current === asked) current = undefined;
      throw error;
    }
    if (current === asked) current = undefined;
    return get();
  }

  return {
    get,
    renew: () => {
      current = undefined;
    },
  };
}

/** The tokens of one of the deployment's clients. */
export function accessTokensOf(client: ApiClient, outputs: Outputs, http: HttpClient): AccessTokens {
  return createAccessTokens({
    http,
    tokenUrl: outputs.DuotempoIdentity.TokenUrl,
    credentials: async () => readClientCredentials(outputs, client),
  });
}
