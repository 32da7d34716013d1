import {
  ApiGatewayManagementApiClient,
  DeleteConnectionCommand,
  PostToConnectionCommand,
} from '@aws-sdk/client-apigatewaymanagementapi';
import { forEachConcurrently } from '../../shared/concurrency.ts';
import type { ServerFrame } from '../frames.ts';
import type { Device } from '../store/connections.ts';

/**
 * Posts a frame to a connection. `gone`: there is no such connection, or not any more. `stuck`: it took nothing in time.
 *
 * Rejects when API Gateway answers anything else: being throttled and its own faults have been retried by then.
 */
export type PushFrame = (
  connectionId: string,
  frame: ServerFrame,
  /**
   * For all attempts together.
   * @default PUSH_MILLISECONDS
   */
  timeoutMilliseconds?: number,
) => Promise<'sent' | 'gone' | 'stuck'>;

export interface PushServices {
  readonly pushFrame: PushFrame;
  readonly removeConnection: (device: Device) => Promise<void>;
  /** Closes a connection. */
  readonly disconnect: (connectionId: string) => Promise<void>;
}

/** Far longer than a push takes, far shorter than a function's timeout. */
export const PUSH_MILLISECONDS = 2000;

/** @param connectionsUrl `https://<api>.execute-api.<region>.amazonaws.com/<stage>` */
export function createPushFrame(connectionsUrl: string): PushFrame {
  const client = createClient(connectionsUrl);
  return async (connectionId, frame, timeoutMilliseconds = PUSH_MILLISECONDS) => {
    const abortSignal = AbortSignal.timeout(timeoutMilliseconds);
    const command = new PostToConnectionCommand({ ConnectionId: connectionId, Data: JSON.stringify(frame) });
    let isUnderWay = false;
    let isStuck = false;
    // Time may also run out between attempts, as API Gateway throttles: that says nothing of the device.
    abortSignal.addEventListener('abort', () => (isStuck = isUnderWay));
    command.middlewareStack.add(
      (next) => async (attempt) => {
        isUnderWay = true;
        try {
          return await next(attempt);
        } finally {
          isUnderWay = false;
        }
      },
      { step: 'deserialize' },
    );
    try {
      await client.send(command, { abortSignal });
      return 'sent';
    } catch (error) {
      if (isGone(error)) return 'gone';
      if (isStuck) return 'stuck';
      throw error;
    }
  };
}

export function createDisconnect(connectionsUrl: string): PushServices['disconnect'] {
  const client = createClient(connectionsUrl);
  return async (connectionId) => {
    try {
      await client.send(new DeleteConnectionCommand({ ConnectionId: connectionId }));
    } catch (error) {
      if (!isGone(error)) throw error;
    }
  };
}

/**
 * Pushes a frame to a device. One that is gone is forgotten. One that takes nothing is disconnected, so that it holds
 * nobody up: when it connects again and says hello, it gets what waits.
 *
 * @returns whether the device has got it
 */
export async function pushToDevice(
  device: Device,
  frame: ServerFrame,
  services: PushServices,
): Promise<boolean> {
  const result = await services.pushFrame(device.connectionId, frame);
  if (result === 'sent') return true;
  if (result === 'stuck') await services.disconnect(device.connectionId);
  await services.removeConnection(device);
  return false;
}

export interface PushesToAll {
  readonly pushed: number;
  /** How many were gone, or took nothing. */
  readonly gone: number;
  /** Those that could not be pushed to, or not in time. */
  readonly left: readonly string[];
  /** Why, if it was not for the time. */
  readonly error: unknown;
}

/** Half of the SDK's 50 sockets: if all of these pushes are slow, the other half is still free. */
const PUSHES_AT_ONCE = 25;

/**
 * Pushes to connections, some at a time: none of them holds the others up.
 *
 * @param push pushes to one of them: true if it has got it, false if it is gone
 */
export async function pushToAll(
  connectionIds: readonly string[],
  push: (connectionId: string) => Promise<boolean>,
  isTimeUp: () => boolean,
): Promise<PushesToAll> {
  let [pushed, gone] = [0, 0];
  let failure: unknown;
  const left: string[] = [];
  await forEachConcurrently(connectionIds, PUSHES_AT_ONCE, async (connectionId) => {
    if (isTimeUp()) {
      left.push(connectionId);
      return;
    }
    try {
      if (await push(connectionId)) pushed += 1;
      else gone += 1;
    } catch (error) {
      failure ??= error;
      left.push(connectionId);
    }
  });
  return { pushed, gone, left, error: failure };
}

function createClient(connectionsUrl: string): ApiGatewayManagementApiClient {
  return new ApiGatewayManagementApiClient({
    endpoint: connectionsUrl,
    maxAttempts: 3,
    requestHandler: {
      connectionTimeout: 1000,
      // Not before the whole push has had its time.
      requestTimeout: 2 * PUSH_MILLISECONDS,
      throwOnRequestTimeout: true,
    },
  });
}

/** By its name: this client's errors have no statusCode. */
function isGone(error: unknown): boolean {
  return error instanceof Error && error.name === 'GoneException';
}
