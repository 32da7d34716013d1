import {
  BatchGetItemCommand,
  BatchWriteItemCommand,
  DeleteItemCommand,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  UpdateItemCommand,
  type DynamoDBClient,
  type PutItemCommandInput,
  type QueryCommandInput,
  type UpdateItemCommandInput,
  type WriteRequest,
} from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import type * as v from 'valibot';
import { parseWritten } from './parse.ts';
import { queryPages } from './query-pages.ts';

export type Item = Readonly<Record<string, unknown>>;

/** As DynamoDB's API has it, but with plain `values`, and without the names of table and item. */
type Request<Input> = Omit<Input, 'TableName' | 'Key' | 'Item' | 'ExpressionAttributeValues'> & {
  readonly values?: Item;
};

export type Query = Request<QueryCommandInput>;
export type Update = Request<UpdateItemCommandInput>;

/** Plain objects instead of DynamoDB's attribute values. Single items are read consistently. */
export function itemTable(client: DynamoDBClient, name: string) {
  function request<Input extends { readonly values?: Item }>({ values, ...rest }: Input) {
    return {
      TableName: name,
      ...rest,
      ...(values === undefined ? {} : { ExpressionAttributeValues: marshall(values) }),
    };
  }

  return {
    get: async <S extends v.GenericSchema>(key: Item, schema: S): Promise<v.InferOutput<S> | undefined> => {
      const { Item: item } = await client.send(
        new GetItemCommand({ TableName: name, Key: marshall(key), ConsistentRead: true }),
      );
      return item === undefined ? undefined : parseWritten(schema, unmarshall(item));
    },

    /** Consistently. */
    getLast: async <S extends v.GenericSchema>(
      query: Query,
      schema: S,
    ): Promise<v.InferOutput<S> | undefined> => {
      const { Items: [item] = [] } = await client.send(
        new QueryCommand({ ...request(query), ConsistentRead: true, ScanIndexForward: false, Limit: 1 }),
      );
      return item === undefined ? undefined : parseWritten(schema, unmarshall(item));
    },

    /** @returns false if the condition does not hold */
    put: async (item: Item, write: Request<PutItemCommandInput> = {}): Promise<boolean> => {
      const command = new PutItemCommand({ ...request(write), Item: marshalled(item) });
      return (await ifConditionHolds(client.send(command))) !== undefined;
    },

    /** @returns what `ReturnValues` asks for; undefined if the condition does not hold */
    update: async (key: Item, write: Update): Promise<Record<string, unknown> | undefined> => {
      const command = new UpdateItemCommand({ ...request(write), Key: marshall(key) });
      const output = await ifConditionHolds(client.send(command));
      return output && unmarshall(output.Attributes ?? {});
    },

    delete: async (key: Item): Promise<void> => {
      await client.send(new DeleteItemCommand({ TableName: name, Key: marshall(key) }));
    },

    /** Consistently. */
    page: async <S extends v.GenericSchema>(
      query: Query,
      schema: S,
    ): Promise<{ readonly items: readonly v.InferOutput<S>[]; readonly isLast: boolean }> => {
      const { Items: items = [], LastEvaluatedKey: lastKey } = await client.send(
        new QueryCommand({ ...request(query), ConsistentRead: true }),
      );
      return {
        items: items.map((item) => parseWritten(schema, unmarshall(item))),
        isLast: lastKey === undefined,
      };
    },

    /** At most 100 items, consistently, in any order, without those that do not exist. */
    getMany: async <S extends v.GenericSchema>(
      keys: readonly Item[],
      schema: S,
    ): Promise<v.InferOutput<S>[]> => {
      const found: v.InferOutput<S>[] = [];
      await untilProcessed(
        keys.map((key) => marshall(key)),
        async (Keys) => {
          const { Responses: responses, UnprocessedKeys: left } = await client.send(
            new BatchGetItemCommand({ RequestItems: { [name]: { Keys, ConsistentRead: true } } }),
          );
          for (const item of responses?.[name] ?? []) found.push(parseWritten(schema, unmarshall(item)));
          return left?.[name]?.Keys;
        },
      );
      return found;
    },

    /** At most 25 items. */
    putMany: async (items: readonly Item[]): Promise<void> =>
      untilProcessed(
        items.map((item): WriteRequest => ({ PutRequest: { Item: marshalled(item) } })),
        async (requests) => {
          const { UnprocessedItems: left } = await client.send(
            new BatchWriteItemCommand({ RequestItems: { [name]: requests } }),
          );
          return left?.[name];
        },
      ),

    pages: <T>(query: Query, parse: (item: unknown) => T) => queryPages(client, request(query), parse),
  };
}

export function marshalled(item: Item) {
  return marshall(item, { removeUndefinedValues: true });
}

export function projection(attributes: readonly string[]) {
  return {
    expression: attributes.map((_, number) => `#a${number}`).join(', '),
    names: Object.fromEntries(attributes.map((attribute, number) => [`#a${number}`, attribute])),
  };
}

const MOST_ATTEMPTS = 11;

/** Under throttling, DynamoDB normally leaves some of a batch unprocessed. */
async function untilProcessed<T>(
  wanted: T[],
  send: (wanted: T[]) => Promise<T[] | undefined>,
): Promise<void> {
  let left = wanted;
  for (let attempt = 0; left.length > 0; attempt++) {
    if (attempt === MOST_ATTEMPTS)
      throw new Error('DynamoDB left a batch unprocessed eleven times in a row.');
    if (attempt > 0) await new Promise((resolve) => setTimeout(resolve, 25 * 2 ** Math.min(attempt, 6)));
    left = (await send(left)) ?? [];
  }
}

/** @returns undefined if the condition did not hold, so that nothing was written */
async function ifConditionHolds<T>(write: Promise<T>): Promise<T | undefined> {
  try {
    return await write;
  } catch (error) {
    if (error instanceof Error && error.name === 'ConditionalCheckFailedException') return undefined;
    throw error;
  }
}
