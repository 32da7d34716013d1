import { type ChildProcess, spawn } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { synthesized } from '../stack/templates.ts';
import { command, type Ended, shell } from './command.ts';

/**
 * Goal: hosts of one checkout live side by side, and none writes or removes what is not its own.
 * Method: a copy of the project, whose folder belongs to nobody else, and real hosts in it.
 */

const project = mkdtempSync(join(tmpdir(), 'duotempo-hosts-'));
const running = new Set<ChildProcess>();

const SOURCES = [
  'bin',
  'cli',
  'lambda',
  'lib',
  'local',
  'cdk.json',
  'package.json',
  'package-lock.json',
  'tsconfig.json',
];

beforeAll(async () => {
  for (const source of SOURCES) cpSync(source, join(project, source), { recursive: true });
  symlinkSync(join(process.cwd(), 'node_modules'), join(project, 'node_modules'), 'dir');
  // Both hosts synthesize at the same moment, as far as they know: it takes a copy's time.
  const [from, to] = [JSON.stringify(await synthesized('sandbox')), 'process.env.CDK_OUTDIR'];
  const synthesis = `import { cpSync } from 'node:fs';\ncpSync(${from}, ${to}, { recursive: true });\n`;
  writeFileSync(join(project, 'bin', 'build.mjs'), synthesis);
});

afterAll(() => {
  for (const child of running) child.kill('SIGKILL');
  rmSync(project, { recursive: true, force: true });
});

interface Host {
  readonly port: string;
  readonly screen: string;
  readonly kill: (signal: NodeJS.Signals) => Promise<void>;
}

/** `npm start` in the copy, on free ports, without a word on where its outputs go. */
async function startHost(): Promise<Host> {
  const { NODE_OPTIONS: _, ...env } = process.env;
  const child = spawn(process.execPath, ['cli/launch.mjs', 'start', '--port', '0', '--aws-port', '0'], {
    cwd: project,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  let screen = '';
  await new Promise<void>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        screen += text;
        if (/or a chat/.test(screen)) resolve();
      });
    }
    child.once('close', () => reject(new Error(`The host ended:\n${screen}`)));
  });
  return {
    port: /http:\/\/localhost:(\d+)\/card-settlement/.exec(screen)?.[1] ?? '',
    screen,
    kill: async (signal) => {
      child.kill(signal);
      await ended;
      running.delete(child);
    },
  };
}

const files = () =>
  readdirSync(project)
    .filter((name) => /^(outputs|sam-env)/.test(name))
    .toSorted();
const token = async (...more: readonly string[]): Promise<Ended> =>
  shell(`cd ${project} && node cli/launch.mjs token gateway ${more.join(' ')}`);
const portOf = (file: string) =>
  new URL(
    (JSON.parse(readFileSync(join(project, file), 'utf8')) as { DuotempoChat: { ApiUrl: string } })
      .DuotempoChat.ApiUrl,
  ).port;

test('two that start at the same moment each have their own outputs and SAM variables, and remove only these', async () => {
  const hosts = await Promise.all([startHost(), startHost()]);
  const first = hosts.find(({ port }) => port === portOf('outputs.json'));
  const second = hosts.find((host) => host !== first);
  const own = `outputs-${second?.port}.json`;
  expect(files()).toEqual([own, 'outputs.json', `sam-env-${second?.port}.json`, 'sam-env.json'].toSorted());
  expect(second?.screen).toContain(`npm run -s token -- gateway --outputs ${own}`);
  expect(first?.screen).not.toContain('--outputs');

  const several = await token();
  expect([several.stdout, several.exitCode]).toEqual(['', 2]);
  expect(several.stderr).toContain('There is more than one system:');
  expect(several.stderr).toContain(`${own} of http://localhost:${second?.port}`);
  expect((await token('--outputs', own)).exitCode).toBe(0);

  // Nor does one that is told where take the place of another.
  const usurper = await command(['start', '--port', '0', '--aws-port', '0', '--outputs', join(project, own)]);
  expect([usurper.exitCode, usurper.stderr]).toEqual([1, expect.stringContaining('a local host that runs')]);

  await first?.kill('SIGINT');
  expect(files()).toEqual([own, `sam-env-${second?.port}.json`]);
  expect((await token()).exitCode).toBe(0);
  await second?.kill('SIGINT');
  expect(files()).toEqual([]);
});

test('what a killed host left is taken over, and stands in nobody’s way', async () => {
  await (await startHost()).kill('SIGKILL');
  expect(files()).toEqual(['outputs.json', 'sam-env.json']);
  const next = await startHost();
  expect([files(), portOf('outputs.json')]).toEqual([['outputs.json', 'sam-env.json'], next.port]);
  // Beside a file that tells of a host which is gone, the one that runs is found.
  writeFileSync(
    join(project, 'outputs-1.json'),
    readFileSync(join(project, 'outputs.json'), 'utf8').replaceAll(/us-east-1_\w+/g, 'us-east-1_gone'),
  );
  expect((await token()).exitCode).toBe(0);
  await next.kill('SIGINT');
  expect(files()).toEqual(['outputs-1.json']);
});

describe('npm start --outputs', () => {
  const folder = mkdtempSync(join(tmpdir(), 'duotempo-files-'));
  const mine = join(folder, 'mine.json');
  afterAll(() => rmSync(folder, { recursive: true }));
  const startAt = async (file: string): Promise<Ended> =>
    command(['start', '--port', '0', '--aws-port', '0', '--outputs', file]);

  test.each([
    ['a file of somebody else', '{"mine": true}'],
    ['an empty file', ''],
    ['the outputs of a deployment on AWS', '{"DuotempoIdentity": {}}'],
  ])('refuses %s, and leaves it as it is', async (_name, content) => {
    writeFileSync(mine, content);
    const { stdout, stderr, exitCode } = await startAt(mine);
    expect([stdout, exitCode, readFileSync(mine, 'utf8')]).toEqual(['', 1, content]);
    expect(stderr).toContain(`${mine} `);
    expect(stderr).toContain('would be overwritten');
  });

  test('refuses a device, and names the file that can not be written, not another one', async () => {
    expect((await startAt('/dev/null')).stderr).toContain('/dev/null is no ordinary file');
    expect(existsSync('/dev/null')).toBe(true);
    const { stderr, exitCode } = await startAt('/nope/o.json');
    expect([stderr.split('\n')[0], exitCode]).toEqual([
      '/nope/o.json cannot be written: there is no folder /nope.',
      1,
    ]);
  });

  test('does not write SAM variables over a file of that name that is no such thing', async () => {
    rmSync(mine);
    writeFileSync(join(folder, 'mine.sam-env.json'), '[1]');
    const { stderr, exitCode } = await startAt(mine);
    expect([exitCode, existsSync(mine)]).toEqual([1, false]);
    expect(stderr).toContain('is not what npm start writes for SAM');
    expect(readFileSync(join(folder, 'mine.sam-env.json'), 'utf8')).toBe('[1]');
  });
});
