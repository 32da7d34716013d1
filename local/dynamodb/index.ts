/** Amazon DynamoDB and its streams: tables, items, capacity. */
export { createDynamoDb } from './dynamodb.ts';
export { DYNAMODB_TYPES } from './resources.ts';
export { itemBytes } from './value.ts';
