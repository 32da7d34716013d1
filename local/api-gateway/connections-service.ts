import { awsError, type AwsAnswer, type RestService } from '../endpoint/index.ts';
import type { WebSocketApis } from './web-socket-api.ts';
import { MAXIMUM_MESSAGE_BYTES, SlowClientError, type WebSocketConnection } from './web-socket-connection.ts';

const PATH = /^\/([a-z0-9]+)\/([^/]+)\/@connections\/([^/]+)$/;

/** The API Gateway Management API. On AWS the host name holds the API's id, here the path's first part. */
export function serveConnections(
  webSocketApis: WebSocketApis,
  { region, accountId }: { readonly region: string; readonly accountId: string },
): RestService {
  return {
    service: 'execute-api',
    read: (method, path) => {
      const [, apiId = '', stageName = '', encodedId = ''] = PATH.exec(path) ?? [];
      if (apiId === '' || !['POST', 'GET', 'DELETE'].includes(method)) return undefined;
      const connectionId = decoded(encodedId);
      return {
        action: 'ManageConnections',
        request: { apiId, stageName, method, connectionId },
        resourceArn: `arn:aws:execute-api:${region}:${accountId}:${apiId}/${stageName}/${method}/@connections/${connectionId}`,
        handle: async (body) => {
          if (!/^[A-Za-z0-9_-]+=*$/.test(connectionId)) {
            return restError(400, 'BadRequestException', `Invalid connectionId: ${connectionId}`);
          }
          const found = webSocketApis.connectionOf(apiId, connectionId);
          if (found === undefined || found.identity.stageName !== stageName) return gone();
          if (method === 'GET') return { status: 200, body: described(found) };
          if (method === 'POST') return sent(found, body);
          found.close(1000, 'Connection closed by the server');
          return { status: 204, body: '' };
        },
      };
    },
  };
}

function described({ identity, lastActiveAt }: WebSocketConnection): object {
  const { connectedAt, sourceIp, userAgent } = identity;
  return {
    connectedAt: new Date(connectedAt).toISOString(),
    identity: { sourceIp, userAgent },
    lastActiveAt: lastActiveAt().toISOString(),
  };
}

async function sent(connection: WebSocketConnection, body: Buffer): Promise<AwsAnswer> {
  if (body.length > MAXIMUM_MESSAGE_BYTES) {
    return restError(413, 'PayloadTooLargeException', 'Message too long');
  }
  try {
    await connection.send(body);
    return { status: 200, body: '' };
  } catch (error) {
    return error instanceof SlowClientError
      ? restError(429, 'LimitExceededException', error.message)
      : gone();
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function gone(): AwsAnswer {
  return restError(410, 'GoneException', 'Gone');
}

/** REST services name an error in a header. */
function restError(status: number, name: string, message: string): AwsAnswer {
  return { ...awsError(name, message, status), headers: { 'x-amzn-errortype': name } };
}
