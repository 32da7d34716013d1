import { scopes } from '../../lambda/card-settlement/contract.ts';
import { cardSettlementPaths } from './card-settlement.ts';
import { chatPaths } from './chat.ts';
import { parameters, responses, type Json } from './parts.ts';
import { convertedSchemas } from './schemas.ts';

/** Where the document stands in the project. */
export const documentFile = 'docs/openapi.json';

/** Both HTTP APIs as an OpenAPI 3.1 document. */
export function openApiDocument() {
  return {
    openapi: '3.1.1',
    info: {
      title: 'Duotempo',
      version: '1',
      description:
        'Card settlement in batches, and chat notifications the moment they are written: two HTTP APIs, each with a server of its own. Unknown fields and query parameters are refused. A path that is no route answers 404, problem `not-found`.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    tags: [
      { name: 'card settlement', description: 'For the clients `gateway` and `operator`.' },
      { name: 'chat', description: 'For users who signed in.' },
    ],
    paths: {
      ...servedAt('card-settlement', cardSettlementPaths),
      ...servedAt('chat', chatPaths),
    },
    components: {
      securitySchemes: {
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
      },
      parameters,
      responses,
      schemas: convertedSchemas(),
    },
  };
}

/** The two APIs are two servers, locally two paths of one. */
function servedAt(apiName: string, paths: Readonly<Record<string, Json>>): Record<string, Json> {
  const servers = [
    { description: 'This machine', url: `http://localhost:3000/${apiName}` },
    {
      description: 'AWS: the output ApiUrl of the stack',
      url: 'https://{apiId}.execute-api.{region}.amazonaws.com',
      variables: { apiId: { default: 'abcdefghij' }, region: { default: 'us-east-1' } },
    },
  ];
  return Object.fromEntries(Object.entries(paths).map(([path, item]) => [path, { servers, ...item }]));
}
