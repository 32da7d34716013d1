import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DynamoDBClient, ScanCommand } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startEngines } from '../local/dynamodb/engines.ts';

/** A write that is made only under a condition. */
export interface ConditionalWrite {
  readonly file: string;
  /** As DynamoDB is sent it. */
  readonly condition: string;
  /** One of several that `AND` joins. @default the whole condition */
  readonly clause?: string;
}

/** What a scenario has: a table of its own, and a client whose writes go to it. */
export interface Scenario {
  readonly client: DynamoDBClient;
  readonly table: string;
  readonly items: () => Promise<unknown[]>;
  /** Something that happens after what the next call has read, and before its first write. */
  readonly beforeNextWrite: (happens: () => Promise<unknown>) => void;
}

/** Keys of a table; all are texts but for those named as numbers. */
export interface TableKeys {
  readonly partitionKey: string;
  readonly sortKey?: string;
  readonly numeric?: readonly string[];
}

/**
 * A test that a condition protects something: the scenario holds as it stands, and fails when DynamoDB is not told the
 * condition, or one clause of it.
 */
export type Protects = (
  what: string,
  write: ConditionalWrite,
  keys: TableKeys,
  scenario: (scenario: Scenario) => Promise<void>,
) => void;

type Strip = Pick<ConditionalWrite, 'condition' | 'clause'>;
type Input = Readonly<Record<string, unknown>>;

/** Makes DynamoDB for a test file. @returns how its tests are declared */
export function conditionalWrites(): { readonly protects: Protects; readonly declared: ConditionalWrite[] } {
  let engines: Awaited<ReturnType<typeof startEngines>>;
  let tables = 0;
  const declared: ConditionalWrite[] = [];
  beforeAll(async () => {
    engines = await startEngines();
  });
  afterAll(() => engines.stop());

  const run = async (
    keys: TableKeys,
    strip: Strip | undefined,
    scenario: (scenario: Scenario) => Promise<void>,
  ): Promise<ReadonlySet<string>> => {
    const table = await createTable(keys);
    const seen = new Set<string>();
    let happens: (() => Promise<unknown>) | undefined;
    const client = new DynamoDBClient({
      region: 'us-east-1',
      endpoint: engines.endpoint.url,
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
      maxAttempts: 1,
    });
    client.middlewareStack.add(
      (next) => async (args) => {
        const input: Input = { ...args.input };
        if ('Item' in input || 'UpdateExpression' in input) {
          const first = happens;
          happens = undefined;
          await first?.();
        }
        const condition = input['ConditionExpression'];
        if (typeof condition === 'string') seen.add(condition);
        return next({ ...args, input: strip === undefined ? args.input : stripped(input, strip) });
      },
      { step: 'initialize' },
    );
    const items = async () => {
      const scan = new ScanCommand({ TableName: table, ConsistentRead: true });
      const { Items: found = [] } = await client.send(scan);
      return found.map((item) => unmarshall(item));
    };
    try {
      await scenario({ client, table, items, beforeNextWrite: (event) => (happens = event) });
    } finally {
      client.destroy();
    }
    return seen;
  };

  const createTable = async ({ partitionKey, sortKey, numeric = [] }: TableKeys): Promise<string> => {
    const names = [partitionKey, ...(sortKey === undefined ? [] : [sortKey])];
    const TableName = `Table-${(tables += 1)}`;
    await engines.dynamoDb.createTable({
      TableName,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: names.map((name) => ({
        AttributeName: name,
        AttributeType: numeric.includes(name) ? 'N' : 'S',
      })),
      KeySchema: names.map((name, place) => ({
        AttributeName: name,
        KeyType: place === 0 ? 'HASH' : 'RANGE',
      })),
    });
    return TableName;
  };

  return {
    declared,
    protects: (what, write, keys, scenario) => {
      declared.push(write);
      test.each([[what]])('%s', async () => {
        expect(write.condition.split(' AND ')).toContain(write.clause ?? write.condition.split(' AND ')[0]);
        expect([...(await run(keys, undefined, scenario))]).toContain(write.condition);
        const outcome = await run(keys, write, scenario).then(
          () => 'holds all the same',
          (error: unknown) => {
            // Only what the scenario expects may fail, and no call for having become an impossible one.
            if (error instanceof Error && 'matcherResult' in error) return 'breaks';
            throw error;
          },
        );
        expect(outcome).toBe('breaks');
      });
    },
  };
}

/** The conditions of writes below a folder, as the source has them: how many, by file. */
export function conditionsIn(folder: string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of readdirSync(join('lambda', folder), { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.ts')) continue;
    const file = `${folder}/${name.replaceAll('\\', '/')}`;
    const found = readFileSync(join('lambda', file), 'utf8').match(/\bConditionExpression\b/g) ?? [];
    if (found.length > 0) counts[file] = found.length;
  }
  return counts;
}

/** How many conditions of each file are declared, whatever the number of their clauses. */
export function declaredIn(declared: readonly ConditionalWrite[]): Record<string, number> {
  const byFile: Record<string, Set<string>> = {};
  for (const { file, condition } of declared) (byFile[file] ??= new Set()).add(condition);
  return Object.fromEntries(Object.entries(byFile).map(([file, conditions]) => [file, conditions.size]));
}

/** A write without its condition, and without the names and values that only the condition had. */
function stripped(input: Input, { condition, clause }: Strip): Input {
  if (input['ConditionExpression'] !== condition) return input;
  const left = clause === undefined ? [] : condition.split(' AND ').filter((each) => each !== clause);
  const { ConditionExpression: _, ...rest } = input;
  const write: Input = { ...rest, ...(left.length === 0 ? {} : { ConditionExpression: left.join(' AND ') }) };
  const expressions = [write['UpdateExpression'], write['ConditionExpression']].join(' ');
  const used = (holder: unknown): Record<string, unknown> =>
    Object.fromEntries(
      Object.entries(holder ?? {}).filter(([name]) => new RegExp(`${name}\\b`).test(expressions)),
    );
  const { ExpressionAttributeNames, ExpressionAttributeValues, ...bare } = write;
  const [names, values] = [used(ExpressionAttributeNames), used(ExpressionAttributeValues)];
  return {
    ...bare,
    ...(Object.keys(names).length === 0 ? {} : { ExpressionAttributeNames: names }),
    ...(Object.keys(values).length === 0 ? {} : { ExpressionAttributeValues: values }),
  };
}
