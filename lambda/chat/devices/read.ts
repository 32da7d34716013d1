import { errorFields, logger } from '../../shared/log.ts';
import { notFoundProblem } from '../../shared/problem.ts';
import { deviceLimit } from '../contract.ts';
import { isMember, type Message } from '../domain/message.ts';
import { ReadFrame } from '../frames.ts';
import type { DeliveryServices } from '../push/deliver.ts';
import { pushToAll, type PushesToAll } from '../push/push.ts';
import { parseFrame, type DeviceRequest } from './device.ts';

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
