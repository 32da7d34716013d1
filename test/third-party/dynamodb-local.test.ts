import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import type { Interceptor } from '../../local/endpoint/index.ts';
import { isJsonObject, type JsonObject } from '../../local/template/template.ts';
import { appExpressions } from './dynamodb-local/app-expressions.ts';
import { answerOf, differenceOf, rawAnswer } from './dynamodb-local/differences.ts';
import { operations, TABLE_REQUEST } from './dynamodb-local/operations.ts';
import { startDynamoDbLocal } from './dynamodb-local/server.ts';
import { describeJudge, type Tally } from './judges/judge.ts';
import { dynamoDbLocalFolder, HOW_TO_INSTALL } from './judges/programs.mjs';

/**
 * Goal: AWS's own engine answers as the host's DynamoDB does, and as its tests and those of the app's conditions expect.
 * Method: each call goes to both, one after the other. First those tests run here once more; then come random calls,
 * half of their expressions the app's own, half odd ones. An answer that differs must be one that differences.ts lists,
 * with its reason.
 *
 * DUOTEMPO_DYNAMODB_CALLS says how many random calls; 1,000 by default, by which eight of the listed differences show, as
 * many as by 4,000.
 */

const SUITES = [
  '../conditions/card-settlement.test.ts',
  '../conditions/chat.test.ts',
  '../local/dynamodb/operations.test.ts',
  '../local/dynamodb/capacity.test.ts',
  '../local/dynamodb/edges.test.ts',
];

const calls = Number(process.env['DUOTEMPO_DYNAMODB_CALLS'] ?? 1000);
const CALLS_OF_A_SEED = 1000;
const SEEDS = Array.from({ length: Math.ceil(calls / CALLS_OF_A_SEED) }, (_, index) => index + 1);

const folder = dynamoDbLocalFolder();
const needs = folder === undefined ? HOW_TO_INSTALL : undefined;
let theirs: Awaited<ReturnType<typeof startDynamoDbLocal>> | undefined;
const unlisted: unknown[] = [];
let suitesTally: Tally | undefined;
const ITEM_ACTIONS = /^(Put|Get|Update|Delete|BatchGet|BatchWrite)Item$|^(Query|Scan)$/;

async function askTheirs(action: string, request: JsonObject) {
  const answer = await fetch(theirs?.url ?? '', {
    method: 'POST',
    headers: {
      'x-amz-target': `DynamoDB_20120810.${action}`,
      'content-type': 'application/x-amz-json-1.0',
      authorization:
        'AWS4-HMAC-SHA256 Credential=operator/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0',
    },
    body: JSON.stringify(request),
  });
  const body: unknown = JSON.parse(await answer.text());
  return rawAnswer(answer.status, isJsonObject(body) ? body : {});
}

let turn: Promise<unknown> = Promise.resolve();
/** Racing calls reach both sides in the same order. */
function inTurn<T>(run: () => Promise<T>): Promise<T> {
  const result = turn.then(run);
  turn = result.catch(() => undefined);
  return result;
}

const mirror: Interceptor = (call, proceed) => {
  if (call.service !== 'dynamodb' || !ITEM_ACTIONS.test(call.action)) return proceed();
  return inTurn(async () => {
    const answer = await proceed();
    const body: unknown = JSON.parse(JSON.stringify(answer.body));
    const ours = rawAnswer(answer.status, isJsonObject(body) ? body : {});
    const local = await askTheirs(call.action, call.request);
    const difference = differenceOf({ action: call.action, input: call.request }, ours, local);
    if (difference === undefined) suitesTally?.agree();
    else if (difference !== 'unlisted') suitesTally?.differ(difference);
    else {
      const { action, request: input } = call;
      unlisted.push({ test: expect.getState().currentTestName, action, input, ours, local });
    }
    return answer;
  });
};

const engines = await import('../local/dynamodb/engines.ts');
if (folder !== undefined) {
  const startMirrored: typeof engines.startEngines = async (options) => {
    const started = await engines.startEngines({ ...options, interceptors: [mirror] });
    const { createTable } = started.dynamoDb;
    const onBoth: typeof createTable = async (request, properties) => {
      await askTheirs('DeleteTable', { TableName: request['TableName'] ?? '' });
      await askTheirs('CreateTable', request);
      await createTable(request, properties);
    };
    return { ...started, dynamoDb: { ...started.dynamoDb, createTable: onBoth } };
  };
  jest.unstable_mockModule('../local/dynamodb/engines.ts', () => ({
    ...engines,
    startEngines: startMirrored,
  }));
  // The suites make their tables while they load.
  theirs = await startDynamoDbLocal(folder);
  afterAll(() => theirs?.stop());
  for (const suite of SUITES) await import(suite);
}

// Behind the suites: it judges what the suites asked.
describeJudge('DynamoDB Local: the tests of DynamoDB', needs, (tally) => {
  suitesTally = tally;
  test('it answers all calls of those tests alike', () => expect(unlisted).toEqual([]));
});

describeJudge('DynamoDB Local: random calls', needs, (tally) => {
  let host: Awaited<ReturnType<typeof engines.startEngines>>;
  beforeAll(async () => {
    host = await engines.startEngines();
  });
  afterAll(() => host.stop());

  test.each(SEEDS)(
    'calls by the seed %i are answered alike',
    async (seed) => {
      if (theirs === undefined) throw new Error('DynamoDB Local does not run.');
      const table = `${TABLE_REQUEST.TableName}${seed}`;
      const sides = [host.dynamoDbClient, theirs.client] as const;
      for (const client of sides) await client.createTable({ ...TABLE_REQUEST, TableName: table });
      const next = operations({ seed, table, app: appExpressions() });
      const unlistedHere: unknown[] = [];
      let refused = 0;
      for (let count = 0; count < CALLS_OF_A_SEED && unlistedHere.length < 10; count += 1) {
        const operation = next();
        const [ours, local] = await Promise.all(sides.map((client) => answerOf(operation, client)));
        if (ours === undefined || local === undefined) throw new Error('A side gave no answer.');
        if (ours.error !== undefined) refused += 1;
        const difference = differenceOf(operation, ours, local);
        if (difference === 'unlisted') {
          unlistedHere.push({ call: count, action: operation.action, input: operation.input, ours, local });
        } else if (difference !== undefined) {
          tally.differ(difference);
        } else {
          tally.agree();
        }
      }
      expect(refused).toBeGreaterThan(CALLS_OF_A_SEED / 10);
      expect(unlistedHere).toEqual([]);
    },
    1_800_000,
  );
});
