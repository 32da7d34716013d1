import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Ended, shell, start, type Started } from './command.ts';
import { aliceToken, type Answer, checkAnswer, containerStory } from './container-story.ts';
import { eventName, eventNames } from './recorded-events.ts';
import { environmentOf, functionsOf, invoke, type Variables } from './sam-local.ts';

/**
 * Goal: every function runs in a container of `sam local` against `npm start`, with the file it writes and the events of
 * `events/`.
 * Method: all of it but Docker: the command's templates and bundles, the file, and the SAM CLI's rules for variables;
 * a container's network is one in which the machine has another name. The events tell a story, in its order.
 */

let system: Started;
let synthesis: Ended;
let variables: Variables;
let token: string;
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
  token = await aliceToken(system);
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
      // The time zone is the same everywhere: the template's own.
      [...Object.keys(found), 'TZ'].toSorted(),
    ]);
  }
});

test('every function signs as its own role', () => {
  const keys = Object.values(variables).map(({ AWS_ACCESS_KEY_ID: key }) => key);
  expect(new Set(keys).size).toBe(keys.length);
});

test('the documentation names functions, templates, events and a file that are there', () => {
  const page = readFileSync('docs/local-host.md', 'utf8');
  const named = (pattern: RegExp): string[] => [...page.matchAll(pattern)].map(([, name = '']) => name);
  const ids = named(/\b([A-Z]\w+Function[0-9A-F]{8})\b/g);
  expect(ids.length).toBeGreaterThan(1);
  expect(Object.keys(variables)).toEqual(expect.arrayContaining(ids));
  for (const file of named(/cdk\.out\/(\S+)/g))
    expect(functionsOf(join(folder, file)).size).toBeGreaterThan(0);
  expect(eventNames()).toEqual(expect.arrayContaining(named(/events\/(\S+)\.json/g)));
  expect(page).toContain('--env-vars sam-env.json');
});

describe('a container runs', () => {
  const steps = containerStory(stage);

  test('every function that has an event', () => {
    expect([...new Set(steps.map(({ name }) => name))].toSorted()).toEqual(eventNames());
  });

  test.each(steps.map((step) => [step.title, step] as const))('%s', async (_, step) => {
    const found = functions.get(step.name);
    if (found === undefined) throw new Error(`There is no function for the event ${step.name}.`);
    checkAnswer(step, await found.invoke(step.event(token)));
  });
});

test('the file goes when npm start stops', async () => {
  await system.stop();
  expect(existsSync(join(dirname(system.outputsFile), 'sam-env.json'))).toBe(false);
});
