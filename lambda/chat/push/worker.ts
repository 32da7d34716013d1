import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { Context } from 'aws-lambda';
import { timeLimit } from '../../shared/clock.ts';
import { environmentVariable } from '../../shared/environment.ts';
import { environmentNames } from '../contract.ts';
import { createDisconnect, createPushFrame, PUSH_MILLISECONDS, type PushServices } from './push.ts';
import { removeConnection } from '../store/connections.ts';

/** What both workers push with. */
export function pushServices(client: DynamoDBClient, connectionsTable: string): PushServices {
  const url = environmentVariable(environmentNames.connectionsUrl);
  return {
    pushFrame: createPushFrame(url),
    disconnect: createDisconnect(url),
    removeConnection: (device) => removeConnection(client, connectionsTable, device),
  };
}

/**
 * Bounds what one invocation does: a third of its time is for beginning pushes, a third for the last of them to end, and
 * the rest for telling what is left.
 */
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
