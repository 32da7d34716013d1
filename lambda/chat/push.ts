import {
  ApiGatewayManagementApiClient,
  PostToConnectionCommand,
} from '@aws-sdk/client-apigatewaymanagementapi';
import type { ServerFrame } from './frames.ts';

/**
 * Posts a frame to a connection. `gone`: there is no such connection, or not any more.
 *
 * Rejects when API Gateway answers anything else: being throttled and its own faults have been retried by then.
 */
export type PushFrame = (connectionId: string, frame: ServerFrame) => Promise<'sent' | 'gone'>;

/** @param connectionsUrl `https://<api>.execute-api.<region>.amazonaws.com/<stage>` */
export function createPushFrame(connectionsUrl: string): PushFrame {
  const client = new ApiGatewayManagementApiClient({
    endpoint: connectionsUrl,
    maxAttempts: 4,
    requestHandler: { connectionTimeout: 1000, requestTimeout: 2000, throwOnRequestTimeout: true },
  });
  return async (connectionId, frame) => {
    try {
      await client.send(
        new PostToConnectionCommand({ ConnectionId: connectionId, Data: JSON.stringify(frame) }),
      );
      return 'sent';
    } catch (error) {
      // By its name: this client's errors have no statusCode.
      if (error instanceof Error && error.name === 'GoneException') return 'gone';
      throw error;
    }
  };
}
