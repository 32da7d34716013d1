import { scopes } from '../../lambda/card-settlement/contract.ts';
import { cardSettlementPaths, cardSettlementTags } from './card-settlement.ts';
import { chatPaths, chatTags } from './chat.ts';
import { alsoFromGateway, isJson, mapValues, parameters, responses, type Json } from './parts.ts';
import { convertedSchemas } from './schemas.ts';

/** One document each, so that a client generated from one calls no other. */
export const apis = {
  'card-settlement': {
    title: 'Duotempo card settlement',
    description:
      'Card transactions are staged all day and settled in batches once their business day is over. For the clients `gateway` and `operator`.',
    tags: cardSettlementTags,
    paths: cardSettlementPaths,
  },
  chat: {
    title: 'Duotempo chat',
    description: 'Messages, and the notifications that they become, for users who signed in.',
    tags: chatTags,
    paths: chatPaths,
  },
} as const;
export type ApiName = keyof typeof apis;
export const apiNames: readonly ApiName[] = ['card-settlement', 'chat'];

export function documentFile(api: ApiName): string {
  return `docs/openapi/${api}.json`;
}

const forEveryApi = [
  'Unknown fields and query parameters are refused. A path that is no route answers 404, problem `not-found`.',
  'Bodies are read as JSON, whatever `Content-Type` says.',
  'A page of a list may be short or empty and yet have a `cursor`: the last page is the one without.',
  'API Gateway gives some answers itself, as `{"message"}`: they are described beside the problems of the API.',
].join(' ');

const securitySchemes = {
  clientCredentials: {
    type: 'oauth2',
    description:
      'The client `gateway` may have write and read, `operator` operate and read. Deployed, the token url is the output TokenUrl.',
    flows: {
      clientCredentials: {
        tokenUrl: 'http://localhost:3000/identity/oauth2/token',
        scopes: {
          [scopes.write]: 'Report transactions',
          [scopes.read]: 'Read transactions, days and settlements',
          [scopes.operate]: 'Operate the settlement',
        },
      },
    },
  },
  chatUser: {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description:
      'The access token of a user who signed in at the user pool (InitiateAuth, USER_PASSWORD_AUTH, the client of the output ChatClientId). An ID token does not pass: it has no scope.',
  },
};

const components = { parameters, responses, schemas: convertedSchemas() };

export function openApiDocument(api: ApiName) {
  const { title, description, tags } = apis[api];
  const paths = withGatewayAnswers(apis[api].paths);
  const security = JSON.stringify(paths);
  return {
    openapi: '3.1.1',
    info: {
      title,
      version: '1',
      description: `${description} ${forEveryApi}`,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [
      { description: 'This machine', url: `http://localhost:3000/${api}` },
      {
        description: 'AWS: the output ApiUrl of the stack',
        url: 'https://{apiId}.execute-api.{region}.amazonaws.com',
        variables: { apiId: { default: 'abcdefghij' }, region: { default: 'us-east-1' } },
      },
    ],
    tags: Object.entries(tags).map(([name, about]) => ({ name, description: about })),
    paths,
    components: {
      securitySchemes: Object.fromEntries(
        Object.entries(securitySchemes).filter(([name]) => security.includes(`"security":[{"${name}"`)),
      ),
      ...referredTo(paths),
    },
  };
}

function withGatewayAnswers(paths: Readonly<Record<string, Json>>): Record<string, Json> {
  return mapValues(paths, (methods) =>
    mapValues(methods, (operation) =>
      isJson(operation) && isJson(operation['responses'])
        ? { ...operation, responses: alsoFromGateway(operation['responses']) }
        : operation,
    ),
  );
}

function referredTo(root: unknown): Record<keyof typeof components, Json> {
  const all: Readonly<Record<string, Json>> = components;
  const named = new Set<string>();
  const rest = [root];
  while (rest.length > 0) {
    for (const [, name = ''] of JSON.stringify(rest.pop()).matchAll(/"\$ref":"#\/components\/([^"]+)"/g)) {
      if (named.has(name)) continue;
      named.add(name);
      const [kind, member] = name.split('/');
      rest.push(all[kind ?? '']?.[member ?? '']);
    }
  }
  const of = (kind: keyof typeof components): Json =>
    Object.fromEntries(Object.entries(components[kind]).filter(([name]) => named.has(`${kind}/${name}`)));
  return { parameters: of('parameters'), responses: of('responses'), schemas: of('schemas') };
}
