import * as v from 'valibot';
import { type CallApi, describeRefusal } from '../api.ts';
import { CommandError } from '../command-error.ts';

const whole = v.pipe(v.number(), v.integer());

/** An integer of minor units: decimal text, because totals may exceed 2^53. */
const minorUnits = v.pipe(
  v.union([v.pipe(v.string(), v.regex(/^-?\d+$/)), whole]),
  v.transform((amount) => BigInt(amount)),
);
/** A decision moves its transaction, so that a date that has only the decision may count less than none. */
const figures = v.object({ count: whole, amount: minorUnits });
const totalsSchema = v.object({
  staged: figures,
  settled: figures,
  held: figures,
  reversed: figures,
  rejected: figures,
});
const dayStatuses = ['open', 'sealed', 'blocked', 'balanced'] as const;

/** What one side of a comparison of terminal totals says. */
const totalsLine = v.object({
  type: v.string(),
  currency: v.string(),
  count: whole,
  amount: minorUnits,
});
const breakSchema = v.object({
  kind: v.string(),
  /** A business date or, of terminal totals, a terminal. */
  subject: v.string(),
  count: v.optional(whole),
  ids: v.optional(v.array(v.string())),
  /** What the terminal reported, where that differs from what was staged: `actual`. */
  expected: v.optional(v.array(totalsLine)),
  actual: v.optional(v.array(totalsLine)),
});

const daySchema = v.object({
  businessDate: v.string(),
  status: v.picklist(dayStatuses),
  asOf: v.nullish(v.string()),
  /** Per currency of the transactions. */
  totals: v.optional(v.record(v.string(), totalsSchema), {}),
  breaks: v.optional(v.array(breakSchema), []),
});
const settlementPageSchema = v.object({
  items: v.array(v.object({ currency: v.string(), net: minorUnits })),
  cursor: v.optional(v.string()),
});

export type BusinessDay = v.InferOutput<typeof daySchema>;
export type Break = v.InferOutput<typeof breakSchema>;

/** Every accepted transaction reaches exactly one of these. */
export const outcomes = ['settled', 'held', 'reversed', 'rejected'] as const;

/** The day as of its last pass; undefined if the API knows nothing of it yet. */
export async function readBusinessDay(call: CallApi, date: string): Promise<BusinessDay | undefined> {
  const response = await call({ method: 'GET', path: `/business-days/${date}` });
  if (response.status === 404) return undefined;
  if (response.status !== 200)
    throw new CommandError(`The business day ${date} cannot be read: ${describeRefusal(response)}.`);
  const day = v.safeParse(daySchema, response.body);
  if (day.success) return day.output;
  throw new CommandError(
    `The API's answer on the business day ${date} is not understood: ${day.issues[0].message}`,
  );
}

/** Asks the app to reconcile the date. */
export async function requestReconcile(call: CallApi, date: string): Promise<void> {
  const response = await call({ method: 'POST', path: `/business-days/${date}/reconcile` });
  if (response.status < 300) return;
  throw new CommandError(`The business day ${date} is not reconciled: ${describeRefusal(response)}.`);
}

/** The net of all merchants, in minor units per settlement currency. */
export async function readNets(call: CallApi, date: string): Promise<Map<string, bigint>> {
  const nets = new Map<string, bigint>();
  let cursor: string | undefined;
  do {
    const query = new URLSearchParams({ limit: '100', ...(cursor === undefined ? {} : { cursor }) });
    const response = await call({ method: 'GET', path: `/settlements/${date}?${query.toString()}` });
    if (response.status === 404) return nets;
    if (response.status !== 200)
      throw new CommandError(`The settlement of ${date} cannot be read: ${describeRefusal(response)}.`);
    const page = v.safeParse(settlementPageSchema, response.body);
    if (!page.success) {
      throw new CommandError(
        `The API's answer on the settlement of ${date} is not understood: ${page.issues[0].message}`,
      );
    }
    for (const { currency, net } of page.output.items) nets.set(currency, (nets.get(currency) ?? 0n) + net);
    cursor = page.output.cursor;
  } while (cursor !== undefined);
  return nets;
}

/** How many of the day's transactions have reached no outcome. */
export function missingCount(day: BusinessDay): number {
  return Object.values(day.totals).reduce(
    (missing, totals) =>
      missing + totals.staged.count - outcomes.reduce((sum, outcome) => sum + totals[outcome].count, 0),
    0,
  );
}

/** Whether staged = settled + held + reversed + rejected, in count and amount, in every currency. */
export function addsUp(day: BusinessDay): boolean {
  return Object.values(day.totals).every(
    (totals) =>
      totals.staged.count === outcomes.reduce((sum, outcome) => sum + totals[outcome].count, 0) &&
      totals.staged.amount === outcomes.reduce((sum, outcome) => sum + totals[outcome].amount, 0n),
  );
}

export function stagedCount(day: BusinessDay): number {
  return Object.values(day.totals).reduce((sum, totals) => sum + totals.staged.count, 0);
}
