import type { SchemaName } from './schemas.ts';

export type Json = { readonly [name: string]: unknown };

export function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null;
}

export function mapValues<T, R>(
  record: Readonly<Record<string, T>>,
  make: (value: T, name: string) => R,
): Record<string, R> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, make(value, name)]));
}

export function reference(name: SchemaName): Json {
  return { $ref: `#/components/schemas/${name}` };
}

export function pathParameter(name: string, schema: SchemaName): Json {
  return { name, in: 'path', required: true, schema: reference(schema) };
}

export const page: readonly Json[] = [
  { $ref: '#/components/parameters/limit' },
  { $ref: '#/components/parameters/cursor' },
];

export const parameters: Json = {
  limit: {
    name: 'limit',
    in: 'query',
    description: 'Most items on the page, which may be short or empty although another one follows.',
    schema: { type: 'integer', minimum: 1, maximum: 100, default: 50 },
  },
  status: {
    name: 'status',
    in: 'query',
    required: true,
    description: 'What waits for review.',
    schema: { const: 'held' },
  },
  businessDate: { name: 'businessDate', in: 'query', required: true, schema: reference('BusinessDate') },
  cursor: { name: 'cursor', in: 'query', schema: reference('Cursor') },
  idempotencyKey: {
    name: 'Idempotency-Key',
    in: 'header',
    required: true,
    description:
      'The same key with the same body never stages a second transaction, on whatever day it comes.',
    schema: reference('Identifier'),
  },
  after: {
    name: 'after',
    in: 'query',
    description: 'The sequence behind which to begin; `cursor` goes before it.',
    schema: { type: 'integer', minimum: 0, maximum: 9_999_999, default: 0 },
  },
};

export function jsonBody(schema: SchemaName): Json {
  return {
    required: true,
    description: 'Read as JSON, whatever `Content-Type` says.',
    content: { 'application/json': { schema: reference(schema) } },
  };
}

export function answer(
  description: string,
  schema: SchemaName,
  more: { readonly headers?: Json; readonly links?: Json } = {},
): Json {
  return { description, ...more, content: { 'application/json': { schema: reference(schema) } } };
}

/** @param pointers into the answer's body, by parameter */
export function link(operationId: string, pointers: Readonly<Record<string, string>>): Json {
  const places = Object.fromEntries(
    Object.entries(pointers).map(([name, pointer]) => [name, `$response.body#${pointer}`]),
  );
  return { [operationId]: { operationId, parameters: places } };
}

export const replayed: Json = {
  'Idempotent-Replayed': { description: 'Nothing was written now.', schema: { const: 'true' } },
};

export function problem(...types: readonly string[]): Json {
  return { description: types.map((type) => `\`${type}\``).join(', '), content: problemContent };
}

const problemContent = { 'application/problem+json': { schema: reference('Problem') } };
const gatewayContent = { 'application/json': { schema: reference('GatewayMessage') } };
const authenticate = {
  'WWW-Authenticate': { description: 'What is wrong with the token (RFC 6750).', schema: { type: 'string' } },
};

/** The more frequent form comes first, because some generated clients read no other. */
export const responses = {
  unauthorized: {
    description: 'API Gateway: there is no token, or it is not valid here.',
    headers: authenticate,
    content: gatewayContent,
  },
  forbidden: {
    description: 'API Gateway: the token lacks the scope.',
    headers: authenticate,
    content: gatewayContent,
  },
  noChatUser: {
    description:
      'API Gateway: the token lacks the scope. Problem `no-chat-user`: its user is none of this chat.',
    content: { ...gatewayContent, ...problemContent },
  },
  bodyTooLarge: {
    description: 'Problem `body-too-large`; from API Gateway itself beyond 10 MB.',
    content: { ...problemContent, ...gatewayContent },
  },
  throttled: { description: 'API Gateway: too many requests.', content: gatewayContent },
  tooManyMessages: {
    description: 'Problem `too-many-messages`: the sender’s limit. API Gateway: too many requests.',
    headers: {
      'Retry-After': {
        description: 'Seconds; of the problem only.',
        schema: { type: 'string', pattern: '^[0-9]+$' },
      },
    },
    content: { ...problemContent, ...gatewayContent },
  },
  internalError: {
    description:
      'Problem `internal-error`, or API Gateway’s own: send the same request again, nothing is done twice.',
    content: { ...problemContent, ...gatewayContent },
  },
  unavailable: {
    description: 'API Gateway: the function did not answer in time. Send the same request again.',
    content: gatewayContent,
  },
  conversationBusy: {
    description: 'Problem `conversation-busy`, or API Gateway’s own: send the same request again.',
    content: { ...problemContent, ...gatewayContent },
  },
} satisfies Json;

export function response(name: keyof typeof responses): Json {
  return { $ref: `#/components/responses/${name}` };
}

const gatewayAnswers = {
  400: 'the request is not HTTP as it should be',
  404: 'the url is none of this API',
  431: 'request line and headers have more than 10,240 bytes',
  '5XX': 'it failed, or the function did. Send the same request again',
};

/** API Gateway may give these answers to any request, in its own form. */
export function alsoFromGateway(own: Json): Json {
  const statuses = Object.entries(gatewayAnswers).map(([status, cause]) => {
    const problems = isJson(own[status]) ? own[status] : {};
    const { description, content } = problems;
    const said = typeof description === 'string' ? `Problem ${description}. ` : '';
    return [
      status,
      {
        description: `${said}API Gateway: ${cause}.`,
        content: { ...(isJson(content) ? content : {}), ...gatewayContent },
      },
    ] as const;
  });
  return { ...own, ...Object.fromEntries(statuses) };
}

/** Every route may give these answers. */
export const common: Json = {
  400: problem('validation-failed'),
  401: response('unauthorized'),
  403: response('forbidden'),
  429: response('throttled'),
  500: response('internalError'),
  503: response('unavailable'),
};
