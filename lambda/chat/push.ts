import {
  ApiGatewayManagementApiClient,
  DeleteConnectionCommand,
  PostToConnectionCommand,
} from '@aws-sdk/client-apigatewaymanagementapi';
import type { Context } from 'aws-lambda';
import { timeLimit } from '../shared/clock.ts';
import { forEachConcurrently } from '../shared/concurrency.ts';
import { environmentVariable } from '../shared/environment.ts';
import { environmentNames } from './contract.ts';
import type { ServerFrame } from './frames.ts';
import type { ConnectionsTable, Device } from './store/connections.ts';

/** `stuck`: the connection took nothing in time. Other faults reject, after retries. */
export type PushFrame = (
  connectionId: string,
  frame: ServerFrame,
  /** For all attempts together. @default PUSH_MILLISECONDS */
  timeoutMilliseconds?: number,
) => Promise<'sent' | 'gone' | 'stuck'>;

export interface WebSockets {
  readonly pushFrame: PushFrame;
  readonly disconnect: (connectionId: string) => Promise<void>;
}

export interface PushServices extends WebSockets {
  readonly connections: Pick<ConnectionsTable, 'remove'>;
}

/** Far longer than a push takes, far shorter than a function's timeout. */
const PUSH_MILLISECONDS = 2000;

/** @param url `https://<api>.execute-api.<region>.amazonaws.com/<stage>` */
export function webSockets(url = environmentVariable(environmentNames.connectionsUrl)): WebSockets {
  const client = new ApiGatewayManagementApiClient({
    endpoint: url,
    maxAttempts: 3,
    requestHandler: {
      connectionTimeout: 1000,
      // Longer than a push, which ends by its own signal.
      requestTimeout: 2 * PUSH_MILLISECONDS,
      throwOnRequestTimeout: true,
    },
  });
  return {
    async pushFrame(connectionId, frame, timeoutMilliseconds = PUSH_MILLISECONDS) {
      const abortSignal = AbortSignal.timeout(timeoutMilliseconds);
      const command = new PostToConnectionCommand({
        ConnectionId: connectionId,
        Data: JSON.stringify(frame),
      });
      let isUnderWay = false;
      let isStuck = false;
      // Time may also run out between attempts, while API Gateway throttles: that says nothing about the device.
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
    },
    async disconnect(connectionId) {
      try {
        await client.send(new DeleteConnectionCommand({ ConnectionId: connectionId }));
      } catch (error) {
        if (!isGone(error)) throw error;
      }
    },
  };
}

function isGone(error: unknown): boolean {
  return error instanceof Error && error.name === 'GoneException';
}

/**
 * Disconnects a device that takes nothing, so that it holds nobody up: when it is back and says hello, it gets what
 * waits.
 * @returns whether the device has got the frame
 */
export async function pushToDevice(
  device: Device,
  frame: ServerFrame,
  services: PushServices,
): Promise<boolean> {
  const result = await services.pushFrame(device.connectionId, frame);
  if (result === 'sent') return true;
  if (result === 'stuck') await services.disconnect(device.connectionId);
  await services.connections.remove(device);
  return false;
}

export interface PushesToAll {
  readonly pushed: number;
  readonly gone: number;
  /** Failed, or not tried in time. */
  readonly left: readonly string[];
  /** Undefined if only time ran out. */
  readonly error: unknown;
}

/** Half of the SDK's 50 sockets: if all of these are slow, the other half is free. */
const PUSHES_AT_ONCE = 25;

/** @param push returns false if the connection is gone */
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

/** A third of the time is for beginning pushes, a third for ending them, and a third for the rest. */
export function withinTime<Services extends PushServices>(
  services: Services,
  context: Pick<Context, 'getRemainingTimeInMillis'>,
): Services & { readonly isTimeUp: () => boolean } {
  const third = Math.floor(context.getRemainingTimeInMillis() / 3);
  return {
    ...services,
    isTimeUp: timeLimit(third),
    pushFrame: (connectionId, frame) =>
      services.pushFrame(connectionId, frame, Math.min(PUSH_MILLISECONDS, third)),
  };
}
