import type { NotificationPlace } from '../domain/identifiers.ts';
import type { Notification } from '../domain/message.ts';
import type { InboxTable } from '../store/inbox.ts';

export interface ListServices {
  readonly now: () => Date;
  readonly inbox: Pick<InboxTable, 'page'>;
}

/** One request reads no more; the cursor goes on after them. */
const MOST_PAGES = 5;

/** @returns at most `limit` notifications; with `next`, others may follow */
export async function listInbox(
  userId: string,
  { after, limit }: { readonly after: NotificationPlace | undefined; readonly limit: number },
  { now, inbox }: ListServices,
): Promise<{ readonly items: readonly Notification[]; readonly next: NotificationPlace | undefined }> {
  const found: Notification[] = [];
  let readTo = after;
  for (let pages = 1; pages <= MOST_PAGES && found.length <= limit; pages++) {
    const page = await inbox.page(userId, readTo, limit + 1, now());
    found.push(...page.items.map(({ notification }) => notification));
    ({ readTo } = page);
    if (readTo === undefined) break;
  }
  const items = found.slice(0, limit);
  return { items, next: found.length > limit ? items.at(-1) : readTo };
}
