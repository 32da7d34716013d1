import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import type { Interceptor } from '../../local/endpoint/index.ts';
import { isJsonObject, type JsonObject } from '../../local/template/template.ts';
import { differenceOf, rawAnswer } from './dynamodb-local/differences.ts';
import { startDynamoDbLocal } from './dynamodb-local/server.ts';
import { describeJudge, type Tally } from './judges/judge.ts';
import { dynamoDbLocalFolder, HOW_TO_INSTALL } from './judges/programs.mjs';

/**
 * Goal: AWS's own engine agrees with what the host's tests of DynamoDB and of the app's conditions expect.
 * Method: those tests run here once more; each call that reaches the endpoint goes to DynamoDB Local as well, one after
 * the other, and what both answer is compared as in dynamodb-local.test.ts.
 */

const SUITES = [
  '../conditions/card-settlement.test.ts',
  '../conditions/chat.test.ts',
  '../local/dynamodb.test.ts',
  '../local/dynamodb-capacity.test.ts',
  '../local/dynamodb-edges.test.ts',
];

const folder = dynamoDbLocalFolder();
const needs = folder === undefined ? HOW_TO_INSTALL : undefined;
let theirs: Awaited<ReturnType<typeof startDynamoDbLocal>> | undefined;
const unlisted: unknown[] = [];
let tally: Tally | undefined;
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
    if (difference === undefined) tally?.agree();
    else if (difference !== 'unlisted') tally?.differ(difference);
    else {
      const { action, request: input } = call;
      unlisted.push({ test: expect.getState().currentTestName, action, input, ours, local });
    }
    return answer;
  });
};

if (folder !== undefined) {
  const engines = await import('../local/dynamodb/engines.ts');
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
  beforeAll(async () => {
    theirs = await startDynamoDbLocal(folder);
  });
  afterAll(() => theirs?.stop());
  for (const suite of SUITES) await import(suite);
}

// Last in the file: it judges what the suites asked.
describeJudge('DynamoDB Local: the tests of DynamoDB', needs, (judged) => {
  tally = judged;
  test('it answers all calls of those tests alike', () => expect(unlisted).toEqual([]));
});
