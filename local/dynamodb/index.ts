/** Amazon DynamoDB and its streams: tables, items, capacity. */
export { createDynamoDb } from './dynamodb.ts';
export { DYNAMODB_TYPES } from './resources.ts';
export { itemBytes } from './value.ts';
export { createDynalite } from './dynalite.ts';
export { createItemStore, type ItemChange } from './items.ts';
export { runOnItems, type CheckedRequest } from './requests.ts';
export type { TableDescription } from './table.ts';
