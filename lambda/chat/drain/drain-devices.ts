import type { SQSBatchResponse, SQSRecord } from 'aws-lambda';
import { workOnEach } from '../../shared/batch.ts';
import { logger } from '../../shared/log.ts';
import { DrainMessage } from '../contract.ts';
import type { InboxTable } from '../store/inbox.ts';
import { caughtUpFrame, type CaughtUpServices } from './caught-up.ts';
import { drain, type DrainServices } from './drain.ts';

type Services = Omit<DrainServices, 'inboxPage' | 'caughtUpFrame'> &
  CaughtUpServices & { readonly inbox: Pick<InboxTable, 'page'> };

/** Pushing these takes a second or two. */
const PAGE_ITEMS = 100;

export async function drainDevices(
  records: readonly SQSRecord[],
  services: Services,
): Promise<SQSBatchResponse> {
  const page: DrainServices['inboxPage'] = async (userId, after) =>
    services.inbox.page(userId, after, PAGE_ITEMS, services.now());
  // Read once for all devices of a user, after their hellos: what is written later is pushed live.
  const firstPage = oncePerUser(async (userId) => page(userId, undefined));
  const frame = oncePerUser(async (userId) => caughtUpFrame(userId, services));
  return workOnEach(records, DrainMessage, idsOf, async (message) => {
    const startedAt = performance.now();
    const notificationIds: string[] = [];
    const drained = await drain(message, {
      ...services,
      caughtUpFrame: frame,
      inboxPage: async (userId, after) => (after === undefined ? firstPage(userId) : page(userId, after)),
      pushFrame: async (...push) => {
        const result = await services.pushFrame(...push);
        const [, pushed] = push;
        if (result === 'sent' && pushed.type === 'notification') notificationIds.push(pushed.notificationId);
        return result;
      },
    });
    const milliseconds = Math.round(performance.now() - startedAt);
    logger.info('device drained', { ...idsOf(message), ...drained, notificationIds, milliseconds });
  });
}

function idsOf({ connectionId }: DrainMessage) {
  return { connectionId };
}

function oncePerUser<Result>(read: (userId: string) => Promise<Result>): (userId: string) => Promise<Result> {
  const results = new Map<string, Promise<Result>>();
  return async (userId) => {
    const result = results.get(userId) ?? read(userId);
    results.set(userId, result);
    return result;
  };
}
