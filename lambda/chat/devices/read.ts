import { errorFields, logger } from '../../shared/log.ts';
import { notFoundProblem } from '../../shared/problem.ts';
import { deviceLimit } from '../contract.ts';
import { parseFrame, type DeviceRequest } from '../device.ts';
import { isMember } from '../domain/message.ts';
import { ReadFrame } from '../frames.ts';
import { pushToAll, type PushesToAll, type PushFrame } from '../push.ts';
import type { ConnectionsTable } from '../store/connections.ts';
import type { ConversationsTable } from '../store/conversations.ts';
import type { MessagesTable } from '../store/messages.ts';

export interface ReadServices {
  readonly now: () => Date;
  readonly isTimeUp: () => boolean;
  readonly messages: Pick<MessagesTable, 'last'>;
  readonly conversations: Pick<ConversationsTable, 'advance'>;
  readonly connections: Pick<ConnectionsTable, 'live' | 'remove'>;
  readonly pushFrame: PushFrame;
}

/** A position never moves back, nor past the last message. A receipt is a hint: a lost one is not sent again. */
export async function read(request: DeviceRequest, services: ReadServices): Promise<void> {
  const { conversationId, sequence } = parseFrame(ReadFrame, request);
  const { userId, connectionId } = request;
  const { conversations, connections } = services;
  const last = await services.messages.last(conversationId);
  if (last === undefined || !isMember(last, userId)) throw notFoundProblem('conversation');
  const clamped = Math.min(sequence, last.sequence);
  const position = { userId, conversationId, sequence: clamped };
  if (!(await conversations.advance(position, services.now()))) return;
  const frame = { type: 'read', conversationId, by: userId, sequence: clamped } as const;
  const receipts = await Promise.all([last.from, last.to].map(async (member) => pushReceipt(member)));
  for (const { left, error } of receipts) {
    if (left.length > 0) logger.warn('receipts not pushed', { devices: left.length, ...errorFields(error) });
  }

  async function pushReceipt(member: string): Promise<PushesToAll> {
    const live = (await connections.live(member, services.now())).slice(0, deviceLimit);
    const push = async (id: string): Promise<boolean> => {
      // The next message disconnects a stuck one.
      if ((await services.pushFrame(id, frame)) !== 'gone') return true;
      await connections.remove({ userId: member, connectionId: id });
      return false;
    };
    return pushToAll(
      live.filter((id) => id !== connectionId),
      push,
      services.isTimeUp,
    );
  }
}
