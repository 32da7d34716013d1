import * as v from 'valibot';
import { type CallApi, describeRefusal } from '../api.ts';
import { eachItem } from '../lists.ts';

const heldSchema = v.looseObject({
  transactionId: v.string(),
  businessDate: v.string(),
  merchantId: v.string(),
  terminalId: v.string(),
  type: v.string(),
  /** Minor units. */
  amount: v.pipe(v.number(), v.integer()),
  currency: v.string(),
  cardToken: v.string(),
  merchantCategoryCode: v.string(),
  occurredAt: v.string(),
  score: v.number(),
  rules: v.array(
    v.object({
      rule: v.string(),
      score: v.number(),
      inputs: v.record(v.string(), v.union([v.string(), v.number()])),
    }),
  ),
});
const heldPageSchema = v.object({ items: v.array(heldSchema), cursor: v.optional(v.string()) });
const dayPageSchema = v.object({
  items: v.array(
    v.object({
      businessDate: v.string(),
      totals: v.record(v.string(), v.object({ held: v.object({ count: v.number() }) })),
    }),
  ),
  cursor: v.optional(v.string()),
});
const decisionSchema = v.looseObject({ decision: v.string(), businessDate: v.string() });

/** A held transaction that nobody has decided on, as the API gives it. */
export type Held = v.InferOutput<typeof heldSchema>;

/** The business dates for which the last run counted held transactions, newest first. */
export async function datesWithHeld(call: CallApi): Promise<string[]> {
  const dates: string[] = [];
  for await (const { businessDate, totals } of eachItem(
    call,
    '/business-days',
    {},
    dayPageSchema,
    'the business days',
  )) {
    if (Object.values(totals).some(({ held }) => held.count > 0)) dates.push(businessDate);
  }
  return dates;
}

/** What waits for review on a date, page by page. */
export function heldOn(call: CallApi, date: string): AsyncGenerator<Held> {
  const query = { status: 'held', businessDate: date };
  return eachItem(call, '/transactions', query, heldPageSchema, `what is held on ${date}`);
}

export type Action = 'release' | 'reject';

/** What became of a decision. */
export type Decided =
  | {
      readonly done: true;
      /** Into whose books it goes. */
      readonly businessDate: string;
      /** As the API gives it. */
      readonly body: Readonly<Record<string, unknown>>;
    }
  | {
      readonly done: false;
      /** In a line for a person. */
      readonly reason: string;
    };

/** Releases or rejects; a refusal is an answer, because somebody else may have decided meanwhile. */
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
  const answer = v.safeParse(decisionSchema, response.body);
  if (response.status !== 200 || !answer.success) return { done: false, reason: describeRefusal(response) };
  return { done: true, businessDate: answer.output.businessDate, body: answer.output };
}
