import * as v from 'valibot';
import { responses } from '../../lambda/card-settlement/api.ts';
import type { Body } from '../../lambda/shared/api.ts';
import { describeRefusal, eachItem, type CallApi } from '../shared/api.ts';
import { businessDays } from '../shared/business-day.ts';

export type Held = Body<typeof responses.HeldTransaction>;

export async function allHeld(call: CallApi, date: string | undefined): Promise<Held[]> {
  const items: Held[] = [];
  for (const each of date === undefined ? await datesWithHeld(call) : [date]) {
    const ofDate: Held[] = [];
    const query = { status: 'held', businessDate: each };
    const page = responses.HeldTransactionPage;
    for await (const held of eachItem(call, '/transactions', page, `what is held on ${each}`, { query }))
      ofDate.push(held);
    items.push(...ofDate.toSorted((one, other) => Date.parse(one.occurredAt) - Date.parse(other.occurredAt)));
  }
  return items;
}

async function datesWithHeld(call: CallApi): Promise<string[]> {
  const dates: string[] = [];
  for await (const { businessDate, totals } of businessDays(call)) {
    if (Object.values(totals).some(({ held }) => held.count > 0)) dates.push(businessDate);
  }
  return dates;
}

export type Action = 'release' | 'reject';

/** A refusal is no error: somebody else may have decided meanwhile. */
export type Decided =
  | {
      readonly done: true;
      readonly businessDate: string;
      readonly body: unknown;
    }
  | { readonly done: false; readonly reason: string };

export async function decide(
  call: CallApi,
  transactionId: string,
  action: Action,
  reason: string,
): Promise<Decided> {
  const response = await call({
    method: 'POST',
    path: `/transactions/${encodeURIComponent(transactionId)}/${action}`,
    body: { reason },
  });
  const { status, body } = response;
  if (status !== 200 || !v.is(responses.Reviewed, body))
    return { done: false, reason: describeRefusal(response) };
  return { done: true, businessDate: body.businessDate, body };
}
