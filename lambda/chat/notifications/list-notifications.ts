import type { NotificationPlace } from '../domain/identifiers.ts';
import type { Notification } from '../domain/message.ts';
import type { WaitingPage } from '../store/notifications.ts';

export interface ListServices {
  /** What waits among the next `pageItems` of the queue behind a place. */
  readonly waitingPage: (
    userId: string,
    after: NotificationPlace | undefined,
    pageItems: number,
  ) => Promise<WaitingPage>;
}

/** One request reads no more; the cursor goes on behind them. */
const MOST_PAGES = 5;

/**
 * Lists what waits for a user behind a place.
 *
 * @returns at most `limit` notifications; with `next` others may follow behind that place
 */
export async function listWaiting(
  userId: string,
  { after, limit }: { readonly after: NotificationPlace | undefined; readonly limit: number },
  services: ListServices,
): Promise<{ readonly items: readonly Notification[]; readonly next: NotificationPlace | undefined }> {
  const found: Notification[] = [];
  let readTo = after;
  for (let pages = 1; pages <= MOST_PAGES && found.length <= limit; pages++) {
    const page = await services.waitingPage(userId, readTo, limit + 1);
    found.push(...page.items.map(({ notification }) => notification));
    ({ readTo } = page);
    if (readTo === undefined) break;
  }
  const items = found.slice(0, limit);
  return { items, next: found.length > limit ? items.at(-1) : readTo };
}
