import type { NotificationPlace } from '../domain/identifiers.ts';
import type { AcknowledgementsTable } from '../store/acknowledgements.ts';
import type { InboxTable } from '../store/inbox.ts';

export interface AcknowledgeServices {
  readonly now: () => Date;
  readonly inbox: Pick<InboxTable, 'has' | 'remove'>;
  readonly acknowledgements: Pick<AcknowledgementsTable, 'has' | 'put'>;
}

/**
 * The tombstone is the acknowledgement. After that write nobody is shown the notification, and a later delivery of the
 * message removes it again: neither a crash between the two writes nor a late duplicate changes anything. What was
 * never in the inbox gets no tombstone, which would stop a message still to come.
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
