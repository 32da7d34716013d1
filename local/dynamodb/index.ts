/** Amazon DynamoDB and its streams: tables, items, capacity. */
export type { ConsumedCapacity } from './capacity.ts';
export { createDynamoDb } from './dynamodb.ts';
export { DYNAMODB_TYPES } from './resources.ts';
export { itemBytes } from './value.ts';
