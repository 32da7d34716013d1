import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { addDays, businessDateOf } from '../../lambda/card-settlement/domain/business-date.ts';
import { stageConfig } from '../../lib/config.ts';
import { type Ended, shell, start, type Started } from './command.ts';
import { eventName, eventNames, eventText, storyDate } from './recorded-events.ts';
import { environmentOf, functionsOf, invoke, type Answer, type Variables } from './sam-local.ts';

/**
 * Goal: every function runs in a container of `sam local` against `npm start`, with the file it writes and the events of
 * `events/`.
 * Method: all of it but Docker: the command's templates and bundles, the file, and the SAM CLI's rules for variables;
 * a container's network is one in which the machine has another name. The events tell a story, in its order.
 */

let system: Started;
let synthesis: Ended;
let variables: Variables;
let functions: Map<
  string,
  { readonly invoke: (event: unknown) => Promise<Answer>; readonly declared: string[] }
>;
const folder = mkdtempSync(join(tmpdir(), 'duotempo-sam-'));
const stage = 'test';

beforeAll(async () => {
  system = await start(['--stage', stage]);
  const endpoint = '-c awsEndpointUrl=http://host.docker.internal:4566';
  synthesis = await shell(`npx cdk synth -q -c stage=${stage} ${endpoint} -o ${folder}`);
  const file = join(dirname(system.outputsFile), 'sam-env.json');
  variables = JSON.parse(readFileSync(file, 'utf8')) as Variables;
  functions = new Map(
    ['DuotempoCardSettlement', 'DuotempoChat'].flatMap((stackName) =>
      [...functionsOf(join(folder, `${stackName}.template.json`))].map(([logicalId, found]) => {
        const environment = environmentOf(logicalId, found, variables);
        return [
          eventName(logicalId),
          {
            invoke: async (event) => invoke(folder, found, environment, event),
            declared: Object.keys(found.Properties.Environment?.Variables ?? {}),
          },
        ];
      }),
    ),
  );
}, 180_000);

afterAll(async () => {
  if (existsSync(system.outputsFile)) await system.stop();
  rmSync(folder, { recursive: true, force: true });
});

test('the synthesis says where it wrote, and nothing else', () => {
  const { stdout, stderr, exitCode } = synthesis;
  expect(exitCode).toBe(0);
  // CDK says it on standard error, and in CI on standard output.
  expect(`${stdout}${stderr}`.trim().split('\n')).toEqual([
    expect.stringContaining('Successfully synthesized to'),
    expect.stringContaining('Supply a stack id'),
  ]);
});

test('the file has the variables of every function, and each template declares them all', () => {
  const names = Object.keys(variables).map(eventName);
  expect(names.toSorted()).toEqual([...functions.keys()].toSorted());
  for (const [logicalId, found] of Object.entries(variables)) {
    expect([logicalId, functions.get(eventName(logicalId))?.declared.toSorted()]).toEqual([
      logicalId,
      Object.keys(found).toSorted(),
    ]);
  }
});

test('every function signs as its own role', () => {
  const keys = Object.values(variables).map(({ AWS_ACCESS_KEY_ID: key }) => key);
  expect(new Set(keys).size).toBe(keys.length);
});

test('the documentation names a function, a template, an event and a file that are there', () => {
  const [, logicalId = '', options = ''] =
    /^sam local invoke (\w+)((?:.*\\\n)*.*)/m.exec(readFileSync('docs/local-host.md', 'utf8')) ?? [];
  expect(Object.keys(variables)).toContain(logicalId);
  const [, template = ''] = /-t cdk\.out\/(\S+)/.exec(options) ?? [];
  expect([...functionsOf(join(folder, template)).keys()]).toContain(logicalId);
  expect(options).toContain(`-e events/${eventName(logicalId)}.json`);
  expect(options).toContain('--env-vars sam-env.json');
});

describe('a container runs the function with its event', () => {
  const calendar = stageConfig(stage).calendar;
  const date = addDays(businessDateOf(new Date(), calendar), -2);
  const ok = { statusCode: 200 };
  const noContent = { statusCode: 204 };
  const batchDone = { batchItemFailures: [] };

  /** In the order in which they happened, and what is expected of the answer. Others run last and must succeed. */
  const story: Readonly<Record<string, unknown>> = {
    'put-merchant': noContent,
    'put-fx-rates': noContent,
    'accept-transaction': { statusCode: 201, body: { businessDate: date, status: 'staged' } },
    'put-terminal-totals': noContent,
    'request-reconcile': { statusCode: 202, body: { businessDate: date } },
    'reconcile-worker': null,
    'settlement-worker': batchDone,
    'list-transactions': { ...ok, body: { items: [{ status: 'held', amount: 497 }] } },
    'review-transaction': { ...ok, body: { decision: 'release', reason: 'the customer called' } },
    'get-transaction': { ...ok, body: { amount: 497, businessDate: date } },
    'get-business-day': { ...ok, body: { businessDate: date } },
    'get-settlement': { ...ok, body: { businessDate: date } },
    'not-found': { statusCode: 404, body: { status: 404 } },
    'post-message': { statusCode: 201, body: { sequence: 1 } },
    'notification-worker': batchDone,
    'list-notifications': { ...ok, body: { items: [{ text: 'are you there?' }] } },
    'list-messages': { ...ok, body: { items: [{ text: 'are you there?', sequence: 1 }] } },
    hello: ok,
    read: ok,
    ack: ok,
    'unknown-action': { statusCode: 400 },
    disconnect: ok,
    'delete-notification': noContent,
    'unknown-path': { statusCode: 404, body: { status: 404 } },
  };

  const invoked = async (name: string, change: (text: string) => string = (text) => text) => {
    const answer = await functions.get(name)?.invoke(JSON.parse(change(recentEvent(name, date))));
    if (answer === undefined) throw new Error(`There is no function for the event ${name}.`);
    return answer;
  };

  const names = [...Object.keys(story), ...eventNames().filter((name) => !(name in story))];
  test.each(names.filter((name) => name !== 'authorize'))('%s', async (name) => {
    const result = await invoked(name);
    if ('error' in result) throw new Error(result.error);
    const answer = withParsedBody(result.answer);
    if (name in story) expect([answer]).toMatchObject([story[name]]);
    else expect(isSuccess(answer)).toBe(true);

    // A card's second, equal sale a moment later, which is then held: the event of the review is about it.
    if (name === 'accept-transaction') {
      const twin = await invoked(name, (text) =>
        text.replaceAll('sale-1', 'sale-2').replace('12:00:00Z', '12:00:59Z'),
      );
      const { pathParameters } = JSON.parse(eventText('review-transaction')) as {
        pathParameters: { transactionId: string };
      };
      expect('answer' in twin && withParsedBody(twin.answer)).toMatchObject({
        statusCode: 201,
        body: pathParameters,
      });
    }
  });

  test('authorize, which refuses what stands in place of a token', async () => {
    expect(await invoked('authorize')).toEqual({ error: 'Unauthorized' });
  });
});

test('the file goes when npm start stops', async () => {
  await system.stop();
  expect(existsSync(join(dirname(system.outputsFile), 'sam-env.json'))).toBe(false);
});

/** An event with its business date moved to another: sales are taken for 30 days. */
function recentEvent(name: string, date: string): string {
  return eventText(name).replaceAll(storyDate(), date);
}

/** An answer of a function behind an HTTP API, its body parsed. */
function withParsedBody(answer: unknown): unknown {
  if (typeof answer !== 'object' || answer === null || !('body' in answer)) return answer;
  const { body } = answer;
  return { ...answer, body: typeof body === 'string' && body.startsWith('{') ? JSON.parse(body) : body };
}

/** What API Gateway, or the mapping of a queue, takes for success. */
function isSuccess(answer: unknown): boolean {
  if (answer === null) return true;
  if (typeof answer !== 'object') return false;
  if ('batchItemFailures' in answer) return JSON.stringify(answer.batchItemFailures) === '[]';
  return 'statusCode' in answer && Number(answer.statusCode) >= 200 && Number(answer.statusCode) < 300;
}
