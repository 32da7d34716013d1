import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { eventually } from '../eventually.ts';
import { type Ended, shell, start, type Started } from '../end-to-end/command.ts';
import { eventName, eventNames } from '../end-to-end/recorded-events.ts';
import { freePort } from './judges/free-port.ts';
import { describeJudge } from './judges/judge.ts';
import { pythonFolder } from './judges/programs.mjs';
import { bridgeAddress, containersOf, lambdaImage, removeContainers, samNeeds } from './sam/docker.ts';
import {
  environmentOf,
  functionsOf,
  invokeInThread,
  type SamFunction,
  type Variables,
} from './sam/stand-in.ts';
import { aliceToken, type Answer, checkAnswer, containerStory } from './sam/story.ts';

/**
 * Goal: every function runs in a container of AWS's SAM CLI against `npm start`, with the file it writes and the events
 * of `events/`.
 * Method: the commands of docs/local-host.md, with other ports and folders and with the functions of both stacks in one
 * template. The events tell a story, in its order. Where this machine lacks SAM or Docker, a thread stands in for the
 * container. SAM exits with 0 when a function throws: what counts is each answer.
 */

const stage = 'test';
const page = readFileSync('docs/local-host.md', 'utf8');
const needs = samNeeds();
const steps = containerStory(stage);
const titled = steps.map((step) => [step.title, step] as const);

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'duotempo-sam-')));
const assembly = join(folder, 'cdk.out');
let system: Started;
let synthesis: Ended;
let variables: Variables;
let functions: readonly (readonly [logicalId: string, found: SamFunction])[];
let token: string;

beforeAll(async () => {
  const address = needs === undefined ? bridgeAddress() : undefined;
  system = await start(['--stage', stage, ...(address === undefined ? [] : ['--aws-host', address])]);
  synthesis = await shell(`${shown('npx cdk synth')} -c stage=${stage} -o ${assembly}`);
  variables = JSON.parse(readFileSync(variablesFile(), 'utf8')) as Variables;
  functions = ['DuotempoCardSettlement', 'DuotempoChat'].flatMap((stackName) => [
    ...functionsOf(join(assembly, `${stackName}.template.json`)),
  ]);
  token = await aliceToken(system);
}, 600_000);

afterAll(async () => {
  if (existsSync(system.outputsFile)) await system.stop();
  rmSync(folder, { recursive: true, force: true });
});

const variablesFile = (): string => join(dirname(system.outputsFile), 'sam-env.json');

/** The page's command that begins so, to its last line, with the folders of this test. */
function shown(beginning: string): string {
  const [command] = new RegExp(`^${beginning}(?:.*[\\\\|]\\n)*.*`, 'm').exec(page) ?? [];
  if (command === undefined) throw new Error(`The page shows no command that begins with ${beginning}.`);
  return command
    .replace('cdk.out', assembly)
    .replace('sam-env.json', variablesFile())
    .replace('-s token --', `-s token -- --outputs ${system.outputsFile}`);
}

test('the synthesis says where it wrote, and nothing else', () => {
  const { stdout, stderr, exitCode } = synthesis;
  expect(exitCode).toBe(0);
  // CDK says it on standard error, and in CI on standard output.
  expect(`${stdout}${stderr}`.trim().split('\n')).toEqual([
    expect.stringContaining('Successfully synthesized to'),
    expect.stringContaining('Supply a stack id'),
  ]);
});

test('the story asks every function of the templates that has an event, and each has one', () => {
  const asked = [...new Set(steps.map(({ name }) => name))].toSorted();
  expect(asked).toEqual(eventNames());
  expect(functions.map(([logicalId]) => eventName(logicalId)).toSorted()).toEqual(asked);
});

test('the file has the variables of every function, and each template declares them all', () => {
  expect(Object.keys(variables).toSorted()).toEqual(functions.map(([logicalId]) => logicalId).toSorted());
  for (const [logicalId, { Properties }] of functions) {
    const declared = Object.keys(Properties.Environment?.Variables ?? {});
    // The time zone is the same everywhere: the template's own.
    const written = [...Object.keys(variables[logicalId] ?? {}), 'TZ'];
    expect([logicalId, declared.toSorted()]).toEqual([logicalId, written.toSorted()]);
  }
});

test('every function signs as its own role', () => {
  const keys = Object.values(variables).map(({ AWS_ACCESS_KEY_ID: key }) => key);
  expect(new Set(keys).size).toBe(keys.length);
});

test('the documentation names functions, templates, events and a file that are there', () => {
  const named = (pattern: RegExp): string[] => [...page.matchAll(pattern)].map(([, name = '']) => name);
  const ids = named(/\b([A-Z]\w+Function[0-9A-F]{8})\b/g);
  expect(ids.length).toBeGreaterThan(1);
  expect(Object.keys(variables)).toEqual(expect.arrayContaining(ids));
  for (const file of named(/cdk\.out\/(\S+)/g))
    expect(functionsOf(join(assembly, file)).size).toBeGreaterThan(0);
  expect(eventNames()).toEqual(expect.arrayContaining(named(/events\/(\S+)\.json/g)));
  expect(page).toContain('--env-vars sam-env.json');
});

describeJudge('AWS SAM CLI', needs, (tally) => {
  let image: string;
  let port: number;
  let log = '';
  let service: ChildProcess;

  beforeAll(async () => {
    image = lambdaImage();
    port = await freePort();
    // The test stage's functions may take two seconds, and a container on a busy machine takes longer to start.
    const patient = functions.map(([logicalId, { Properties, ...rest }]) => [
      logicalId,
      { ...rest, Properties: { ...Properties, Timeout: 60 } },
    ]);
    const template = JSON.stringify({ Resources: Object.fromEntries(patient) });
    writeFileSync(join(assembly, 'functions.template.json'), template);
    const command = ofImage('sam local start-lambda').replace('DuotempoCardSettlement', 'functions');
    const script = withPrograms(`exec ${command} --port ${port}`);
    service = spawn('bash', ['-c', script], { stdio: ['ignore', 'ignore', 'pipe'] });
    service.stderr?.on('data', (chunk) => (log += String(chunk)));
    await eventually(
      async () =>
        service.exitCode !== null ||
        fetch(`http://127.0.0.1:${port}`).then(
          () => true,
          () => false,
        ),
      'start-lambda answers',
      90,
    );
    if (service.exitCode !== null) throw new Error(`start-lambda ended:\n${log}`);
  }, 240_000);

  afterAll(async () => {
    // Left to itself, SAM waits ten seconds for them.
    removeContainers(containersOf(folder));
    service.kill('SIGTERM');
    if (service.exitCode === null && service.signalCode === null) await once(service, 'exit');
  }, 60_000);

  test.each(titled)(
    '%s',
    async (_, step) => {
      checkAnswer(step, await invoke(step.name, step.event(token)));
      tally.agree();
    },
    60_000,
  );

  test('no function warns of anything', () => {
    expect(log).toContain('START RequestId');
    const warnings = log.split('\n').filter((line) => /warn/i.test(line));
    expect(warnings).toEqual([expect.stringContaining('development server')]);
  });

  test('the AWS CLI invokes a function, as the page shows', async () => {
    const { stdout } = await succeed(`${shown('aws lambda invoke').replace(':3001', `:${port}`)} | cat`);
    expect(stdout).toMatch(/"statusCode": \d{3}/);
    expect(stdout).not.toContain('FunctionError');
    tally.agree();
  }, 60_000);

  test('`sam local invoke` lets in who brings a token, as the page shows, and warns of nothing', async () => {
    const { stdout, stderr } = await succeed(ofImage('sed '));
    expect(JSON.parse(stdout)).toMatchObject({ principalId: 'alice', context: { userId: 'alice' } });
    expect(stderr).not.toMatch(/warn|cannot/i);
    expect(stderr.trim().split('\n').length).toBeLessThan(20);
    tally.agree();
  }, 60_000);

  function ofImage(beginning: string): string {
    const command = shown(beginning);
    return command.replace('--env-vars', `--skip-pull-image --invoke-image ${image} --env-vars`);
  }

  async function succeed(script: string): Promise<Ended> {
    const ended = await shell(withPrograms(script));
    if (ended.exitCode !== 0) throw new Error(`${script}\n${ended.stdout}${ended.stderr}`);
    return ended;
  }

  /** A script that finds the judges' programs, which keep to the folder of this test and call nobody. */
  function withPrograms(script: string): string {
    const programs = (['aws-sam-cli', 'awscli'] as const).map((name) => join(pythonFolder(name), 'bin'));
    return [
      `export PATH="${programs.join(':')}:$PATH"`,
      'export SAM_CLI_TELEMETRY=0 AWS_EC2_METADATA_DISABLED=true',
      `export __SAM_CLI_APP_DIR="${folder}" SAM_LAYER_CACHE_BASEDIR="${folder}/layers"`,
      script,
    ].join('\n');
  }

  async function invoke(name: string, event: unknown): Promise<Answer> {
    const [logicalId] = functionNamed(name);
    const url = `http://127.0.0.1:${port}/2015-03-31/functions/${logicalId}/invocations`;
    const response = await fetch(url, { method: 'POST', body: JSON.stringify(event) });
    expect(response.status).toBe(200);
    const answer: unknown = await response.json();
    return response.headers.has('x-amz-function-error')
      ? { error: (answer as { errorMessage: string }).errorMessage }
      : { answer };
  }
});

if (needs !== undefined) {
  describe('a thread in place of a container', () => {
    test.each(titled)('%s', async (_, step) => {
      const [logicalId, found] = functionNamed(step.name);
      const environment = environmentOf(logicalId, found, variables);
      checkAnswer(step, await invokeInThread(assembly, found, environment, step.event(token)));
    });
  });
}

test('the file goes when npm start stops', async () => {
  const file = variablesFile();
  await system.stop();
  expect(existsSync(file)).toBe(false);
});

function functionNamed(name: string): readonly [logicalId: string, found: SamFunction] {
  const found = functions.find(([logicalId]) => eventName(logicalId) === name);
  if (found === undefined) throw new Error(`There is no function for the event ${name}.`);
  return found;
}
