import { tables } from '../../lambda/card-settlement/contract.ts';
import type { BusinessDate } from '../../lambda/card-settlement/domain/business-date.ts';
import type { BusinessDay } from '../shared/business-day.ts';
import { CommandError, errorMessage } from '../shared/command-error.ts';
import { datesForRates } from '../shared/fx-rates.ts';
import { awsClientOptions, type Outputs } from '../shared/outputs.ts';

/** The API does not tell, so this reads the table: rates that somebody chose must not be replaced. */
export async function datesWithRates(
  outputs: Outputs,
  oldest: BusinessDate,
): Promise<ReadonlySet<BusinessDate>> {
  const { BusinessDaysTable: TableName } = outputs.DuotempoCardSettlement;
  if (TableName === undefined) {
    throw new CommandError('The outputs do not name the table of business days.', {
      hint: 'They are of an older deployment: run npm run deploy, or name the dates with --date.',
    });
  }
  const { DynamoDBClient, paginateQuery } = await import('@aws-sdk/client-dynamodb');
  const client = new DynamoDBClient(awsClientOptions(outputs));
  const { partitionKey, sortKey } = tables.businessDays;
  const found = new Set<BusinessDate>();
  try {
    const pages = paginateQuery(
      { client },
      {
        TableName,
        ConsistentRead: true,
        KeyConditionExpression: '#scope = :rates AND #date >= :oldest',
        ProjectionExpression: '#date',
        ExpressionAttributeNames: { '#scope': partitionKey, '#date': sortKey },
        ExpressionAttributeValues: { ':rates': { S: 'fx-rates' }, ':oldest': { S: oldest } },
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

export function datesInNeed(
  open: BusinessDate,
  days: ReadonlyMap<BusinessDate, BusinessDay>,
  withRates: ReadonlySet<BusinessDate>,
): BusinessDate[] {
  const waiting = [...days.values()].filter(({ ratesMissing }) => ratesMissing !== undefined);
  const dates = new Set([...datesForRates(open), ...waiting.map(({ businessDate }) => businessDate)]);
  return [...dates]
    .filter((date) => !withRates.has(date) && days.get(date)?.status !== 'balanced')
    .toSorted()
    .toReversed();
}
