import { Agent } from 'node:http';
import { DynamoDB, type AttributeValue } from '@aws-sdk/client-dynamodb';
import { CommandError } from '../../cli/shared/command-error.ts';
import { forEachConcurrently } from '../../cli/shared/concurrency.ts';
import { awsClientOptions } from '../../cli/shared/outputs.ts';
import type { RunningHost } from './running-host.ts';

/** Without the app in between. */
export interface Tables {
  readonly dynamoDb: DynamoDB;
  /** @param part of the physical name, such as `CardSettlement-Ledger` */
  readonly nameOf: (part: string) => Promise<string>;
  readonly fill: (part: string, items: Iterable<Record<string, AttributeValue>>) => Promise<void>;
}

const BATCH_ITEMS = 25;

export async function withTables<T>(
  { outputs }: Pick<RunningHost, 'outputs'>,
  connections: number,
  work: (tables: Tables) => Promise<T>,
): Promise<T> {
  const httpAgent = new Agent({ keepAlive: true, maxSockets: connections, maxFreeSockets: connections });
  const dynamoDb = new DynamoDB({ ...awsClientOptions(outputs), requestHandler: { httpAgent } });
  const nameOf = async (part: string): Promise<string> => {
    const { TableNames: names = [] } = await dynamoDb.listTables();
    const found = names.find((name) => name.includes(part));
    if (found === undefined) throw new CommandError(`The host has no table ${part}.`);
    return found;
  };
  const fill: Tables['fill'] = async (part, items) => {
    const name = await nameOf(part);
    await forEachConcurrently(chunksOf(items, BATCH_ITEMS), connections, async (chunk) => {
      const RequestItems = { [name]: chunk.map((Item) => ({ PutRequest: { Item } })) };
      const { UnprocessedItems: rest = {} } = await dynamoDb.batchWriteItem({ RequestItems });
      if (Object.keys(rest).length > 0) throw new CommandError(`${name} did not take all items.`);
    });
  };
  try {
    return await work({ dynamoDb, nameOf, fill });
  } finally {
    dynamoDb.destroy();
  }
}

function* chunksOf<Item>(items: Iterable<Item>, size: number): Generator<Item[]> {
  let chunk: Item[] = [];
  for (const item of items) {
    if (chunk.push(item) < size) continue;
    yield chunk;
    chunk = [];
  }
  if (chunk.length > 0) yield chunk;
}
