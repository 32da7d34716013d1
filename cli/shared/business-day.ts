import { responses } from '../../lambda/card-settlement/api.ts';
import type { BusinessCalendar } from '../../lambda/card-settlement/domain/business-date.ts';
import type { Body } from '../../lambda/shared/api.ts';
import { stageConfig } from '../../lib/config.ts';
import { bodyOf, describeRefusal, eachItem, type CallApi } from './api.ts';
import { CommandError } from './command-error.ts';

export const businessCalendar: BusinessCalendar = stageConfig('sandbox').calendar;

/** Amounts are decimal text of minor units. */
export type BusinessDay = Body<typeof responses.BusinessDay>;
export type Break = BusinessDay['breaks'][number];

/** Every accepted transaction reaches exactly one of these. */
export const outcomes = ['settled', 'held', 'reversed', 'rejected'] as const;

/** As of its last run; undefined if the API does not know the day yet. */
export async function readBusinessDay(call: CallApi, date: string): Promise<BusinessDay | undefined> {
  const response = await call({ method: 'GET', path: `/business-days/${date}` });
  if (response.status === 404) return undefined;
  return bodyOf(response, responses.BusinessDay, `the business day ${date}`);
}

export function businessDays(call: CallApi): AsyncGenerator<BusinessDay> {
  return eachItem(call, '/business-days', responses.BusinessDayPage, 'the business days');
}

export async function daysSince(call: CallApi, oldest: string): Promise<Map<string, BusinessDay>> {
  const days = new Map<string, BusinessDay>();
  for await (const day of businessDays(call)) {
    if (day.businessDate < oldest) break;
    days.set(day.businessDate, day);
  }
  return days;
}

export async function requestReconcile(call: CallApi, date: string): Promise<void> {
  const response = await call({ method: 'POST', path: `/business-days/${date}/reconcile` });
  if (response.status < 300) return;
  throw new CommandError(`The business day ${date} is not reconciled: ${describeRefusal(response)}.`);
}

/** Minor units per settlement currency. */
export async function readNets(call: CallApi, date: string): Promise<Map<string, bigint>> {
  const nets = new Map<string, bigint>();
  const what = `the settlement of ${date}`;
  const items = eachItem(call, `/settlements/${date}`, responses.SettlementPage, what, {
    mayBeMissing: true,
  });
  for await (const { currency, net } of items) nets.set(currency, (nets.get(currency) ?? 0n) + BigInt(net));
  return nets;
}

export function missingCount(day: BusinessDay): number {
  return Object.values(day.totals).reduce(
    (missing, totals) =>
      missing + totals.staged.count - outcomes.reduce((sum, outcome) => sum + totals[outcome].count, 0),
    0,
  );
}

export function addsUp(day: BusinessDay): boolean {
  return Object.values(day.totals).every(
    (totals) =>
      totals.staged.count === outcomes.reduce((sum, outcome) => sum + totals[outcome].count, 0) &&
      BigInt(totals.staged.amount) ===
        outcomes.reduce((sum, outcome) => sum + BigInt(totals[outcome].amount), 0n),
  );
}

export function stagedCount(day: BusinessDay): number {
  return Object.values(day.totals).reduce((sum, totals) => sum + totals.staged.count, 0);
}
