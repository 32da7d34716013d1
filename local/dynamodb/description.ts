import { isJsonList, isJsonObject, objectAt, type Json, type JsonObject } from '../template/index.ts';

/** What an on-demand table can serve at once from the start. Source: recorded on AWS; developer guide, "Warm throughput". */
const ON_DEMAND_UNITS = { ReadUnitsPerSecond: 12_000, WriteUnitsPerSecond: 4000 };

/** What AWS tells of a table that is there and not of one that it makes or deletes. */
const TOLD_OF_EXISTING: readonly string[] = ['DescribeTable', 'UpdateTable'];
/** What AWS leaves out of the description of a table that it deletes. */
const UNTOLD_OF_DELETED: readonly string[] = ['AttributeDefinitions', 'CreationDateTime', 'KeySchema'];

/**
 * The answer of an action on tables, with its table described as AWS does it.
 *
 * @param properties what the template says of the table
 */
export function describedAsAws(action: string, answer: JsonObject, properties: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(answer).map(([name, value]) => {
      const isTable = (name === 'Table' || name === 'TableDescription') && isJsonObject(value);
      return [name, isTable ? { ...description(action, value), ...properties } : value];
    }),
  );
}

function description(action: string, table: JsonObject): JsonObject {
  if (action === 'DeleteTable') {
    return Object.fromEntries(Object.entries(table).filter(([name]) => !UNTOLD_OF_DELETED.includes(name)));
  }
  if (!TOLD_OF_EXISTING.includes(action)) return table;
  const { GlobalSecondaryIndexes: indexes } = table;
  const warm = withWarmThroughput(table);
  if (!isJsonList(indexes)) return warm;
  const warmIndexes = indexes.map((index): Json => (isJsonObject(index) ? withWarmThroughput(index) : index));
  return { ...warm, GlobalSecondaryIndexes: warmIndexes };
}

function withWarmThroughput(tableOrIndex: JsonObject): JsonObject {
  const { ReadCapacityUnits: read, WriteCapacityUnits: write } = objectAt(
    tableOrIndex,
    'ProvisionedThroughput',
  );
  const units =
    read !== undefined && read !== 0 && write !== undefined
      ? { ReadUnitsPerSecond: read, WriteUnitsPerSecond: write }
      : ON_DEMAND_UNITS;
  return { ...tableOrIndex, WarmThroughput: { ...units, Status: 'ACTIVE' } };
}
