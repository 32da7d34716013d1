import * as v from 'valibot';
import { parseWritten } from '../../shared/parse.ts';
import { tables } from '../contract.ts';
import type { BusinessDate } from '../domain/business-date.ts';
import { BREAK_KINDS, NOTHING_ASKED, sealOf, TRIGGERS, type BusinessDay } from '../domain/business-day.ts';
import type { ControlTotals } from '../domain/totals.ts';
import { StoredLines, StoredTotals } from './stored.ts';

/** Intake writes a day's record once, then the run that holds its lease, and settlement when it finds rates missing. */
export const DAY_SCOPE = 'day';
const keys = tables.businessDays;

const StoredDay = v.object({
  itemKey: v.string(),
  revision: v.number(),
  firstStagedAt: v.exactOptional(v.string()),
  sealedAt: v.exactOptional(v.string()),
  balancedAt: v.exactOptional(v.string()),
  ratesMissing: v.exactOptional(v.array(v.string())),
  sealSeenAt: v.exactOptional(v.string()),
  lastMessage: v.exactOptional(v.string()),
  handedOn: v.exactOptional(v.picklist([...TRIGGERS, NOTHING_ASKED])),
  sentFrom: v.exactOptional(v.string()),
  allSentFrom: v.exactOptional(v.string()),
  resendAt: v.exactOptional(v.string()),
  overdueBefore: v.exactOptional(v.string()),
  progress: v.exactOptional(
    v.object({
      missing: v.number(),
      waiting: v.exactOptional(v.number()),
      since: v.string(),
      fewSince: v.exactOptional(v.string()),
    }),
  ),
  asOf: v.exactOptional(v.string()),
  totals: v.optional(StoredTotals, {}),
  breaks: v.optional(
    v.array(
      v.object({
        kind: v.picklist(BREAK_KINDS),
        subject: v.string(),
        count: v.exactOptional(v.number()),
        ids: v.exactOptional(v.array(v.string())),
        expected: v.exactOptional(StoredLines),
        actual: v.exactOptional(StoredLines),
      }),
    ),
    [],
  ),
});

export function dayKey(businessDate: BusinessDate) {
  return { [keys.partitionKey]: DAY_SCOPE, [keys.sortKey]: businessDate };
}

export function parseDay(item: unknown): BusinessDay {
  const stored = parseWritten(StoredDay, item);
  const { sealedAt, sealSeenAt, balancedAt, ratesMissing, sentFrom, allSentFrom, resendAt } = stored;
  const { lastMessage: messageId, handedOn } = stored;
  const isSent = sentFrom !== undefined && allSentFrom !== undefined && resendAt !== undefined;
  const day = {
    businessDate: stored.itemKey,
    revision: stored.revision,
    firstStagedAt: stored.firstStagedAt,
    sending: isSent ? { sentFrom, allSentFrom, resendAt } : undefined,
    overdueBefore: stored.overdueBefore,
    progress: stored.progress,
    lastRun: messageId === undefined ? undefined : { messageId, handedOn },
    asOf: stored.asOf,
    totals: stored.totals,
    breaks: stored.breaks,
  };
  const seal = sealedAt === undefined ? undefined : { at: sealedAt, seenAt: sealSeenAt };
  if (seal !== undefined && balancedAt !== undefined) return { ...day, status: 'balanced', seal, balancedAt };
  if (ratesMissing !== undefined) return { ...day, status: 'blocked', seal, ratesMissing };
  return seal === undefined ? { ...day, status: 'open' } : { ...day, status: 'sealed', seal };
}

/** Undefined removes an attribute. The seal is written with the lease. */
export function runAttributes(day: BusinessDay) {
  return {
    revision: day.revision,
    sealSeenAt: sealOf(day)?.seenAt,
    balancedAt: day.status === 'balanced' ? day.balancedAt : undefined,
    sentFrom: day.sending?.sentFrom,
    allSentFrom: day.sending?.allSentFrom,
    resendAt: day.sending?.resendAt,
    overdueBefore: day.overdueBefore,
    progress: day.progress,
    asOf: day.asOf,
    totals: storedTotals(day.totals),
    breaks: day.breaks,
    // Settlement may have marked rates as missing since the run began. Only a run that balances removes the mark.
    ...(day.status === 'balanced' ? { ratesMissing: undefined } : {}),
  };
}

/** Leaves empty sides out, so that the record stays within one write unit. */
function storedTotals(totals: Readonly<Record<string, ControlTotals>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(totals).map(([currency, sides]) => [
      currency,
      Object.fromEntries(
        Object.entries(sides)
          .filter(([, { count, amount }]) => count !== 0 || amount !== 0n)
          .map(([side, { count, amount }]) => [side, { count, amount: String(amount) }]),
      ),
    ]),
  );
}
