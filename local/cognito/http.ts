import type { IncomingMessage, ServerResponse } from 'node:http';
import { jsonAnswer, readBody, sendAnswer, type HttpAnswer } from '../http/index.ts';
import { secretMatches, type UserPoolClientDefinition } from './client.ts';
import type { TokenSigner } from './tokens.ts';

/** RFC 6749, section 5.2. Amazon Cognito answers each with status 400. */
type TokenError =
  | 'invalid_request'
  | 'invalid_client'
  | 'unauthorized_client'
  | 'unsupported_grant_type'
  | 'invalid_scope';

export interface UserPoolHttpOptions {
  readonly issuer: string;
  readonly signer: TokenSigner;
  readonly findClient: (clientId: string) => UserPoolClientDefinition | undefined;
}

export function createUserPoolHttp(
  options: UserPoolHttpOptions,
): (request: IncomingMessage, response: ServerResponse, path: string) => void {
  const { issuer, signer } = options;
  const discovery = {
    issuer,
    jwks_uri: `${issuer}/.well-known/jwks.json`,
    token_endpoint: `${issuer}/oauth2/token`,
    token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post'],
    grant_types_supported: ['client_credentials'],
    response_types_supported: ['token'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['RS256'],
  };

  async function answer(request: IncomingMessage, path: string): Promise<HttpAnswer | undefined> {
    const isRead = request.method === 'GET' || request.method === 'HEAD';
    if (path === '/.well-known/openid-configuration' && isRead) return jsonAnswer(200, discovery);
    if (path === '/.well-known/jwks.json' && isRead) return jsonAnswer(200, signer.jwks);
    if (path !== '/oauth2/token') return jsonAnswer(404, { message: 'Not Found' });
    if (request.method !== 'POST') return jsonAnswer(405, { error: 'invalid_request' }, [['allow', 'POST']]);
    const body = await readBody(request);
    if (body === 'aborted') return undefined;
    if (body === 'too-large') return refuse('invalid_request');
    return issueToken(options, request.headers, body.toString('utf8'));
  }

  return (request, response, path) => {
    const [pathOnly = ''] = path.split('?', 1);
    answer(request, pathOnly).then(
      (answered) => answered && sendAnswer(response, answered),
      () => sendAnswer(response, jsonAnswer(500, { error: 'server_error' })),
    );
  };
}

async function issueToken(
  { signer, findClient }: UserPoolHttpOptions,
  headers: IncomingMessage['headers'],
  body: string,
): Promise<HttpAnswer> {
  if (!/^application\/x-www-form-urlencoded\b/i.test(headers['content-type'] ?? '')) {
    return refuse('invalid_request');
  }
  const form = new URLSearchParams(body);
  const grantType = form.get('grant_type');
  if (grantType === null) return refuse('invalid_request');
  if (grantType !== 'client_credentials') return refuse('unsupported_grant_type');
  const credentials = clientCredentials(headers.authorization, form);
  if (credentials === undefined) return refuse('invalid_request');
  const client = findClient(credentials.clientId);
  if (client?.clientSecret === undefined || !secretMatches(client, credentials.clientSecret)) {
    return refuse('invalid_client');
  }
  if (!client.allowedOAuthFlows.includes('client_credentials')) return refuse('unauthorized_client');
  const requested = (form.get('scope') ?? '').split(' ').filter((scope) => scope !== '');
  if (requested.some((scope) => !client.allowedOAuthScopes.includes(scope))) return refuse('invalid_scope');
  const scopes = requested.length > 0 ? [...new Set(requested)] : client.allowedOAuthScopes;
  return jsonAnswer(
    200,
    {
      access_token: await signer.signClientToken(client, scopes),
      expires_in: client.accessTokenValiditySeconds,
      token_type: 'Bearer',
    },
    NO_STORE,
  );
}

const NO_STORE = [
  ['cache-control', 'no-store'],
  ['pragma', 'no-cache'],
] as const;

function refuse(error: TokenError): HttpAnswer {
  return jsonAnswer(400, { error }, NO_STORE);
}

function clientCredentials(
  authorization: string | undefined,
  form: URLSearchParams,
): { readonly clientId: string; readonly clientSecret: string | undefined } | undefined {
  const [, encoded] = /^Basic\s+([A-Za-z0-9+/=_-]+)\s*$/i.exec(authorization ?? '') ?? [];
  if (encoded !== undefined) {
    const text = Buffer.from(encoded, 'base64').toString('utf8');
    const colon = text.indexOf(':');
    return colon < 0 ? undefined : { clientId: text.slice(0, colon), clientSecret: text.slice(colon + 1) };
  }
  const clientId = form.get('client_id');
  return clientId === null ? undefined : { clientId, clientSecret: form.get('client_secret') ?? undefined };
}
