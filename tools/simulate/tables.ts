import type { JsonObject } from '../../local/index.ts';
import type { TableDescription } from '../../local/testing.ts';

export interface Tables {
  readonly createTable: (request: TableDescription & JsonObject) => Promise<void>;
}

/** @param numbers names of keys that are numbers; others are text */
export function tableOf(
  name: string,
  keys: readonly string[],
  indexKeys: readonly string[] = [],
  numbers: readonly string[] = [],
) {
  return {
    TableName: name,
    BillingMode: 'PAY_PER_REQUEST',
    KeySchema: keySchema(keys),
    AttributeDefinitions: [...new Set([...keys, ...indexKeys])].map((AttributeName) => ({
      AttributeName,
      AttributeType: numbers.includes(AttributeName) ? ('N' as const) : ('S' as const),
    })),
  };
}

export function keySchema(keys: readonly string[]) {
  return keys.map((AttributeName, index) => ({ AttributeName, KeyType: index === 0 ? 'HASH' : 'RANGE' }));
}
