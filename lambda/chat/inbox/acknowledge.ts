import type { NotificationPlace } from '../domain/identifiers.ts';
import type { AcknowledgementsTable } from '../store/acknowledgements.ts';
import type { InboxTable } from '../store/inbox.ts';

export interface AcknowledgeServices {
  readonly now: () => Date;
  readonly inbox: Pick<InboxTable, 'has' | 'remove'>;
  readonly acknowledgements: Pick<AcknowledgementsTable, 'has' | 'put'>;
}

/**
 * Acknowledges a user's notification. The tombstone is the acknowledgement: after that one write nobody is shown the
 * notification, and whoever delivers the message once more removes it again. So neither a crash between the two writes
 * nor a late duplicate changes anything.
 *
 * What was never in the inbox gets no tombstone: it would stop a message to come from being delivered.
 */
export async function acknowledge(
  userId: string,
  place: NotificationPlace,
  { now, inbox, acknowledgements }: AcknowledgeServices,
): Promise<'acknowledged' | 'known' | 'unknown'> {
  if (!(await inbox.has(userId, place)))
    return (await acknowledgements.has(userId, place)) ? 'known' : 'unknown';
  await acknowledgements.put(userId, place, now());
  await inbox.remove(userId, place);
  return 'acknowledged';
}
