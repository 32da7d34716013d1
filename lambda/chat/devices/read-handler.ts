import { systemClock, timeLimit } from '../../shared/clock.ts';
import { createDynamoDbClient } from '../../shared/dynamodb.ts';
import { environmentVariable } from '../../shared/environment.ts';
import { errorFields, logger } from '../../shared/log.ts';
import { notFoundProblem } from '../../shared/problem.ts';
import { deviceLimit, environmentNames } from '../contract.ts';
import type { DeliveryServices } from '../push/deliver.ts';
import { deviceHandler, parseFrame, type DeviceRequest } from './device.ts';
import { isMember, type Message } from '../domain/message.ts';
import { ReadFrame } from '../frames.ts';
import { createPushFrame, pushToAll, type PushesToAll } from '../push/push.ts';
import { liveConnections, removeConnection } from '../store/connections.ts';
import { advanceReadPosition } from '../store/conversations.ts';
import { lastMessage } from '../store/messages.ts';

export interface ReadServices extends Pick<
  DeliveryServices,
  'liveConnections' | 'pushFrame' | 'removeConnection' | 'isTimeUp'
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
  const receipts = await Promise.all([last.from, last.to].map(async (member) => pushReceipt(member)));
  for (const { left, error } of receipts) {
    if (left.length > 0) logger.warn('receipts not pushed', { devices: left.length, ...errorFields(error) });
  }

  async function pushReceipt(member: string): Promise<PushesToAll> {
    const live = (await services.liveConnections(member)).slice(0, deviceLimit);
    const push = async (id: string): Promise<boolean> => {
      // One that is stuck is left to the next message.
      if ((await services.pushFrame(id, frame)) !== 'gone') return true;
      await services.removeConnection({ userId: member, connectionId: id });
      return false;
    };
    return pushToAll(
      live.filter((id) => id !== connectionId),
      push,
      services.isTimeUp,
    );
  }
}

/** Half of the function's timeout. */
const RECEIPTS_MILLISECONDS = 5000;

function buildServices(): Omit<ReadServices, 'isTimeUp'> {
  const client = createDynamoDbClient();
  const messagesTable = environmentVariable(environmentNames.messagesTable);
  const connectionsTable = environmentVariable(environmentNames.connectionsTable);
  const conversationsTable = environmentVariable(environmentNames.conversationsTable);
  return {
    lastMessage: (conversationId) => lastMessage(client, messagesTable, conversationId),
    advance: (userId, conversationId, sequence) =>
      advanceReadPosition(client, conversationsTable, { userId, conversationId, sequence }, systemClock()),
    liveConnections: (userId) => liveConnections(client, connectionsTable, userId, systemClock()),
    pushFrame: createPushFrame(environmentVariable(environmentNames.connectionsUrl)),
    removeConnection: (device) => removeConnection(client, connectionsTable, device),
  };
}

let services: Omit<ReadServices, 'isTimeUp'> | undefined;

export const handler = deviceHandler((request) => {
  services ??= buildServices();
  return read(request, { ...services, isTimeUp: timeLimit(RECEIPTS_MILLISECONDS) });
});
