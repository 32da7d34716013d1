import * as v from 'valibot';
import { tables } from '../../lambda/card-settlement/contract.ts';
import type { BusinessDate } from '../../lambda/card-settlement/domain/business-date.ts';
import { describeRefusal, type CallApi } from '../shared/api.ts';
import { awsClientOptions, type Outputs } from '../shared/outputs.ts';
import { CommandError, errorMessage } from '../shared/command-error.ts';
import { datesForRates } from '../shared/fx-rates.ts';

/** A business day, as far as rates go. */
const daySchema = v.object({
  businessDate: v.string(),
  status: v.string(),
  ratesMissing: v.optional(v.array(v.string())),
});
type Day = v.InferOutput<typeof daySchema>;

const pageSchema = v.object({ items: v.array(daySchema), cursor: v.optional(v.string()) });

/** The days that there are, of these dates. */
export async function daysOf(call: CallApi, dates: readonly BusinessDate[]): Promise<Map<BusinessDate, Day>> {
  const days = new Map<BusinessDate, Day>();
  const oldest = dates.toSorted()[0] ?? '';
  let cursor: string | undefined;
  do {
    const query = new URLSearchParams({ limit: '100', ...(cursor === undefined ? {} : { cursor }) });
    const response = await call({ method: 'GET', path: `/business-days?${query.toString()}` });
    const page = v.safeParse(pageSchema, response.body);
    if (response.status !== 200 || !page.success) {
      throw new CommandError(`The business days cannot be read: ${describeRefusal(response)}.`);
    }
    for (const day of page.output.items) days.set(day.businessDate, day);
    // The newest come first.
    const last = page.output.items.at(-1)?.businessDate ?? '';
    cursor = last > oldest ? page.output.cursor : undefined;
  } while (cursor !== undefined);
  return days;
}

/**
 * The dates that have rates already. The API does not tell, and rates that somebody chose must not be replaced: so the
 * table is read, with whatever AWS credentials are at hand.
 */
export async function datesWithRates(
  outputs: Outputs,
  dates: readonly BusinessDate[],
): Promise<Set<BusinessDate>> {
  const { BusinessDaysTable: TableName } = outputs.DuotempoCardSettlement;
  if (TableName === undefined) {
    throw new CommandError('The outputs do not name the table of business days.', {
      hint: 'They are of an older deployment: run npm run deploy, or name the dates with --date.',
    });
  }
  const { DynamoDBClient, paginateQuery } = await import('@aws-sdk/client-dynamodb');
  const client = new DynamoDBClient(awsClientOptions(outputs));
  const { partitionKey, sortKey } = tables.businessDays;
  const inOrder = dates.toSorted();
  const found = new Set<BusinessDate>();
  try {
    const pages = paginateQuery(
      { client },
      {
        TableName,
        ConsistentRead: true,
        KeyConditionExpression: '#scope = :rates AND #date BETWEEN :first AND :last',
        ProjectionExpression: '#date',
        ExpressionAttributeNames: { '#scope': partitionKey, '#date': sortKey },
        ExpressionAttributeValues: {
          ':rates': { S: 'fx-rates' },
          ':first': { S: inOrder[0] ?? '' },
          ':last': { S: inOrder.at(-1) ?? '' },
        },
      },
    );
    for await (const { Items: items = [] } of pages) {
      for (const item of items) found.add(item[sortKey]?.S ?? '');
    }
    return found;
  } catch (error) {
    throw new CommandError(`The rates that there are could not be read: ${errorMessage(error)}`, {
      hint: 'Reading them needs AWS credentials that allow dynamodb:Query; or name the dates with --date.',
      cause: error,
    });
  } finally {
    client.destroy();
  }
}

/**
 * The dates that want rates: none stand, and the day may still need them. As far back as a transaction may lie.
 *
 * @param open the business date that is open now
 */
export function datesInNeed(
  open: BusinessDate,
  days: ReadonlyMap<BusinessDate, Day>,
  withRates: ReadonlySet<BusinessDate>,
): BusinessDate[] {
  const waiting = [...days.values()].filter(({ ratesMissing }) => ratesMissing !== undefined);
  const dates = new Set([...datesForRates(open), ...waiting.map(({ businessDate }) => businessDate)]);
  return [...dates]
    .filter((date) => !withRates.has(date) && days.get(date)?.status !== 'balanced')
    .toSorted()
    .toReversed();
}
