import type { DynamoDB } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startEngines } from '../local/dynamodb/engines.ts';
import { appExpressions } from './dynamodb-local/app-expressions.ts';
import { answerOf, differenceOf } from './dynamodb-local/differences.ts';
import { operations, TABLE_REQUEST } from './dynamodb-local/operations.ts';
import { startDynamoDbLocal } from './dynamodb-local/server.ts';
import { describeJudge } from './judges/judge.ts';
import { dynamoDbLocalFolder, HOW_TO_INSTALL } from './judges/programs.mjs';

/**
 * Goal: the host's DynamoDB answers as AWS's own engine does.
 * Method: random calls through the SDK, half of their expressions the app's own, half odd ones, go to the host and to
 * DynamoDB Local one after the other. An answer that differs must be one that differences.ts lists, with its reason.
 *
 * DUOTEMPO_DYNAMODB_CALLS says how many calls; 4,000 by default.
 */

const calls = Number(process.env['DUOTEMPO_DYNAMODB_CALLS'] ?? 4000);
const SEEDS = [1, 2, 3, 4];

const folder = dynamoDbLocalFolder();
const needs = folder === undefined ? HOW_TO_INSTALL : undefined;

let engines: Awaited<ReturnType<typeof startEngines>>;
let theirs: Awaited<ReturnType<typeof startDynamoDbLocal>> | undefined;

beforeAll(async () => {
  engines = await startEngines();
  if (folder !== undefined) theirs = await startDynamoDbLocal(folder);
});
afterAll(async () => {
  await theirs?.stop();
  await engines.stop();
});

async function makeTable(client: DynamoDB, TableName: string): Promise<void> {
  await client.createTable({ ...TABLE_REQUEST, TableName });
}

describeJudge('DynamoDB Local: random calls', needs, (tally) => {
  test.each(SEEDS)(
    'calls by the seed %i are answered alike',
    async (seed) => {
      if (theirs === undefined) throw new Error('DynamoDB Local does not run.');
      const table = `${TABLE_REQUEST.TableName}${seed}`;
      const sides = [engines.dynamoDbClient, theirs.client] as const;
      for (const client of sides) await makeTable(client, table);
      const next = operations({ seed, table, app: appExpressions() });
      const unlisted: unknown[] = [];
      let refused = 0;
      for (let count = 0; count < calls / SEEDS.length && unlisted.length < 10; count += 1) {
        const operation = next();
        const [ours, local] = await Promise.all(sides.map((client) => answerOf(operation, client)));
        if (ours === undefined || local === undefined) throw new Error('A side gave no answer.');
        if (ours.error !== undefined) refused += 1;
        const difference = differenceOf(operation, ours, local);
        if (difference === 'unlisted') {
          unlisted.push({ call: count, action: operation.action, input: operation.input, ours, local });
        } else if (difference !== undefined) {
          tally.differ(difference);
        } else {
          tally.agree();
        }
      }
      expect(refused).toBeGreaterThan(calls / SEEDS.length / 10);
      expect(unlisted).toEqual([]);
    },
    1_800_000,
  );
});
