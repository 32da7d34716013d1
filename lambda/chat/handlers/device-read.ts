import { systemClock } from '../../shared/clock.ts';
import { createDynamoDbClient } from '../../shared/dynamodb.ts';
import { environmentVariable } from '../../shared/environment.ts';
import { logger } from '../../shared/log.ts';
import { notFoundProblem } from '../../shared/problem.ts';
import { environmentNames } from '../contract.ts';
import { pushToLive, type DeliveryServices } from '../deliver.ts';
import { deviceHandler, parseFrame, type DeviceRequest } from '../device.ts';
import { isMember, type Message } from '../domain/message.ts';
import { ReadFrame } from '../frames.ts';
import { createPushFrame } from '../push.ts';
import { liveConnections, removeConnection } from '../tables/connections.ts';
import { lastMessage } from '../tables/messages.ts';
import { advanceReadPosition } from '../tables/read-positions.ts';

export interface ReadServices extends Pick<
  DeliveryServices,
  'liveConnections' | 'pushFrame' | 'removeConnection'
> {
  readonly lastMessage: (conversationId: string) => Promise<Message | undefined>;
  /** Moves the position forward. @returns whether it moved */
  readonly advance: (userId: string, conversationId: string, sequence: number) => Promise<boolean>;
}

/**
 * `read`: the user has read a conversation up to a sequence. A position never goes back, nor beyond the last message;
 * when it moves, the live devices of both users get to know. A receipt is a hint: one that is lost is not sent again.
 */
export async function read(request: DeviceRequest, services: ReadServices): Promise<void> {
  const { conversationId, sequence } = parseFrame(ReadFrame, request);
  const { userId, connectionId } = request;
  const last = await services.lastMessage(conversationId);
  if (last === undefined || !isMember(last, userId)) throw notFoundProblem('conversation');
  const clamped = Math.min(sequence, last.sequence);
  if (!(await services.advance(userId, conversationId, clamped))) return;
  const frame = { type: 'read', conversationId, by: userId, sequence: clamped } as const;
  const receipts = await Promise.allSettled(
    [last.from, last.to].map((member) => pushToLive(member, frame, services, connectionId)),
  );
  for (const receipt of receipts) {
    if (receipt.status === 'rejected') {
      const reason: unknown = receipt.reason;
      logger.warn('receipt not pushed', { errorName: reason instanceof Error ? reason.name : 'unknown' });
    }
  }
}

function buildServices(): ReadServices {
  const client = createDynamoDbClient();
  const messagesTable = environmentVariable(environmentNames.messagesTable);
  const connectionsTable = environmentVariable(environmentNames.connectionsTable);
  const positionsTable = environmentVariable(environmentNames.readPositionsTable);
  return {
    lastMessage: (conversationId) => lastMessage(client, messagesTable, conversationId),
    advance: (userId, conversationId, sequence) =>
      advanceReadPosition(client, positionsTable, { userId, conversationId, sequence }, systemClock()),
    liveConnections: (userId) => liveConnections(client, connectionsTable, userId, systemClock()),
    pushFrame: createPushFrame(environmentVariable(environmentNames.connectionsUrl)),
    removeConnection: (device) => removeConnection(client, connectionsTable, device),
  };
}

let services: ReadServices | undefined;

export const handler = deviceHandler((request) => read(request, (services ??= buildServices())));
