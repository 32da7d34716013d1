import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Ended, shell, start, type Started } from '../end-to-end/command.ts';
import { aliceToken, type Answer, checkAnswer, containerStory } from '../end-to-end/container-story.ts';
import { eventName } from '../end-to-end/recorded-events.ts';
import { functionsOf } from '../end-to-end/sam-local.ts';
import { describeJudge } from './judges/judge.ts';
import { pythonFolder } from './judges/programs.mjs';
import { bridgeAddress, containersOf, lambdaImage, removeContainers, samNeeds } from './sam/docker.ts';

/**
 * Goal: every function answers its event in a container of AWS's SAM CLI, run by AWS's own client, against `npm start`.
 * Method: the commands of docs/local-host.md, with other ports and folders and with the functions of both stacks in one template.
 * SAM exits with 0 when a function throws: what counts is each answer.
 */

const stage = 'test';
const page = readFileSync('docs/local-host.md', 'utf8');

describeJudge('AWS SAM CLI', samNeeds(), (tally) => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'duotempo-sam-')));
  const assembly = join(folder, 'cdk.out');
  const steps = containerStory(stage);
  let system: Started;
  let token: string;
  let image: string;
  let logicalIds: Map<string, string>;
  let port: number;
  let log = '';
  const undo: (() => unknown)[] = [];

  beforeAll(async () => {
    image = lambdaImage();
    port = await freePort();
    const address = bridgeAddress();
    system = await start(['--stage', stage, ...(address === undefined ? [] : ['--aws-host', address])]);
    undo.push(system.stop);
    token = await aliceToken(system);
    await succeed(`${shown('npx cdk synth')} -c stage=${stage} -o ${assembly}`);
    const functions = ['DuotempoCardSettlement', 'DuotempoChat'].flatMap((stackName) => [
      ...functionsOf(join(assembly, `${stackName}.template.json`)),
    ]);
    logicalIds = new Map(functions.map(([logicalId]) => [eventName(logicalId), logicalId]));
    writeFileSync(
      join(assembly, 'functions.template.json'),
      JSON.stringify({ Resources: Object.fromEntries(functions) }),
    );
    const command = shown('sam local start-lambda').replace('DuotempoCardSettlement', 'functions');
    const script = withPrograms(`exec ${command} --port ${port}`);
    const service = spawn('bash', ['-c', script], { stdio: ['ignore', 'ignore', 'pipe'] });
    service.stderr.on('data', (chunk) => (log += String(chunk)));
    undo.push(async () => {
      // Left to itself, SAM waits ten seconds for them.
      removeContainers(containersOf(folder));
      service.kill('SIGTERM');
      if (service.exitCode === null && service.signalCode === null) await once(service, 'exit');
    });
    await serving(service, port);
  }, 240_000);

  afterAll(async () => {
    for (const end of undo.toReversed()) await end();
    rmSync(folder, { recursive: true, force: true });
  }, 60_000);

  test('every function of the templates is asked', () => {
    const asked = new Set(steps.map(({ name }) => name));
    expect([...logicalIds.keys()].toSorted()).toEqual([...asked].toSorted());
  });

  test.each(steps.map((step) => [step.title, step] as const))(
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
    const { stdout, stderr } = await succeed(shown('sed '));
    expect(JSON.parse(stdout)).toMatchObject({ principalId: 'alice', context: { userId: 'alice' } });
    expect(stderr).not.toMatch(/warn|cannot/i);
    expect(stderr.trim().split('\n').length).toBeLessThan(20);
    tally.agree();
  }, 60_000);

  /** The page's command that begins so, to its last line, with the folders and the image of this test. */
  function shown(beginning: string): string {
    const [command] = new RegExp(`^${beginning}(?:.*[\\\\|]\\n)*.*`, 'm').exec(page) ?? [];
    if (command === undefined) throw new Error(`The page shows no command that begins with ${beginning}.`);
    return command
      .replace('cdk.out', assembly)
      .replace('sam-env.json', join(dirname(system.outputsFile), 'sam-env.json'))
      .replace('-s token --', `-s token -- --outputs ${system.outputsFile}`)
      .replace('--env-vars', `--skip-pull-image --invoke-image ${image} --env-vars`);
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
    const url = `http://127.0.0.1:${port}/2015-03-31/functions/${logicalIds.get(name)}/invocations`;
    const response = await fetch(url, { method: 'POST', body: JSON.stringify(event) });
    expect(response.status).toBe(200);
    const answer: unknown = await response.json();
    return response.headers.has('x-amz-function-error')
      ? { error: (answer as { errorMessage: string }).errorMessage }
      : { answer };
  }
});

/** Waits until a service answers anything at all. */
async function serving(service: ChildProcess, port: number): Promise<void> {
  const deadline = Date.now() + 90_000;
  while (!(await fetch(`http://127.0.0.1:${port}`).catch(() => undefined))) {
    if (service.exitCode !== null || Date.now() > deadline)
      throw new Error('start-lambda did not get ready.');
    await pause(100);
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  if (address === null || typeof address === 'string') throw new Error('No port is free.');
  return address.port;
}
