import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

const launcher = path.resolve('cli/launch.mjs');

/** Runs a command as npm does, from an empty folder. */
async function launch(
  ...argv: string[]
): Promise<{ exitCode: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [launcher, ...argv], {
    cwd: folder,
    env: { ...process.env, NODE_OPTIONS: '', npm_lifecycle_event: '' },
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const exitCode = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { exitCode, stdout, stderr };
}

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'duotempo-launch-'));
});
afterEach(async () => rm(folder, { recursive: true }));

const names = [
  'start',
  'token',
  'replay',
  'demo',
  'review',
  'smoke',
  'rates',
  'users',
  'chat',
  'compare',
  'cost',
  'latency',
  'bench',
  'soak',
  'openapi',
  'deploy',
  'destroy',
];

describe('the commands', () => {
  it('are listed where there is none of that name', async () => {
    const { exitCode, stdout, stderr } = await launch('strat');
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toContain('There is no command strat.');
    for (const name of names) {
      expect(stderr).toContain(`npm run ${name}`);
    }
  });

  it.each(names)('explain themselves: %s --help', async (name) => {
    const { exitCode, stdout } = await launch(name, '--help');
    expect(exitCode).toBe(0);
    expect(stdout).toContain('Options:');
  });

  it.each([
    [['token', 'nobody'], 'Allowed choices are gateway, operator, user'],
    [['token', 'user'], 'Which user?'],
    [['token', 'gateway', 'ada'], 'has no name'],
    [['token', 'user', 'Ada'], 'A chat user is called'],
    [['chat', 'ada'], "missing required argument 'other'"],
    [['chat', 'ada', 'ada'], 'Nobody chats with themselves'],
    [['token'], 'missing required argument'],
    [['start', '--port', '65536'], 'whole number from 0 to 65535'],
    [['start', '--stage', 'moon'], 'Allowed choices are sandbox, production, test'],
    [['rates', '--date', '2026-02-30'], 'a date such as 2026-01-31'],
    [['rates', '--file', 'none.json'], 'cannot be read (ENOENT)'],
    [['users', 'rename', 'ada'], 'Allowed choices are add, remove, list'],
    [['users', 'add'], 'Which user?'],
    [['users', 'add', 'Ada'], 'A chat user is called'],
    [['users', 'list', 'ada'], 'name none'],
    [['users', 'add', 'ada', 'bob', '--password', 'x'], 'One password is for one user'],
    [['compare', '--rate', '7'], 'It is one of 0.1, 1, 10, 100, 1000'],
    [['cost', '--batch-size', '101'], 'whole number from 1 to 100'],
    [['cost', '--per-month', 'many'], 'It is a number of sales, or of sales and messages'],
    [['soak', '--minutes', '0'], 'whole number from 1 to 1440'],
    [['replay'], 'missing required argument'],
    [['replay', 'x.csv', '--concurrency', '257'], 'whole number from 1 to 256'],
    [['replay', 'x.csv', '--colour'], 'unknown option'],
    [['replay', 'x.csv'], 'There is no file x.csv.'],
    [['demo', '--transactions', '199'], 'whole number from 200 to 100000'],
    [['demo', '--seed', 'one'], 'whole number from 0'],
    [['review', '--date', '2026-02-30'], 'a date such as 2026-01-31'],
    [['review', '--release', 'a', '--reject', 'a', '--reason', 'x'], 'released or rejected'],
    [['review', '--release', 'a'], 'needs a reason'],
    [['review', '--reject', 'a', '--reason', ' '], '1 to 200 characters'],
    [['review', '--reason', 'x'], '--reason belongs to'],
    [['review', '--list', '--release', 'a', '--reason', 'x'], 'do not go with a decision'],
  ])('end with 2 and say why when they are called wrongly: %j', async (argv, said) => {
    const { exitCode, stdout, stderr } = await launch(...argv);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toContain(said);
  });

  it('say what to do where nothing runs, without a stack', async () => {
    const { exitCode, stdout, stderr } = await launch('token', 'gateway', '--outputs', 'none.json');
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
    expect(stderr).toMatch(/^There is no none\.json: .*\nRun npm start .*\n$/);
  });

  it('do not replay a file that is empty or lacks columns', async () => {
    await writeFile(path.join(folder, 'empty.csv'), '');
    await writeFile(path.join(folder, 'odd.csv'), 'transaction_id,currency\n1,USD\n');
    expect((await launch('replay', 'empty.csv')).stderr).toBe('empty.csv is empty.\n');
    const odd = await launch('replay', 'odd.csv');
    expect(odd.exitCode).toBe(1);
    expect(odd.stderr).toContain(
      'odd.csv lacks the columns occurred_at, card_token, merchant_id, merchant_category_code, amount_minor.',
    );
  });

  it('write a demo day as files, though nothing runs, and name the command that plays them', async () => {
    const { exitCode, stdout } = await launch('demo', '--transactions', '200', '--write', 'day');
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^200 transactions and \d+ merchants are written\..*\nnpm run replay -- day\//);
    const transactions = await readFile(path.join(folder, 'day', 'transactions.csv'), 'utf8');
    expect(transactions.split('\r\n')).toHaveLength(202);
    expect(transactions).toMatch(/^transaction_id,occurred_at,.*,is_fraud\r\n/);
    const merchants = await readFile(path.join(folder, 'day', 'merchants.csv'), 'utf8');
    expect(merchants).toContain('"Canal Camera, Inc."');
  });

  it('do not write a demo day over files that are of no demo day', async () => {
    const day = ['demo', '--transactions', '200', '--write', 'day'];
    expect((await launch(...day)).exitCode).toBe(0);
    expect((await launch(...day, '--seed', '2')).exitCode).toBe(0);
    for (const name of ['merchants.csv', 'transactions.csv']) {
      const file = path.join(folder, 'day', name);
      const written = await readFile(file, 'utf8');
      await writeFile(file, `${written}mine,1,2\r\n`);
      const { exitCode, stderr } = await launch(...day);
      expect([exitCode, stderr]).toEqual([1, expect.stringContaining(`${name} is not of a demo day`)]);
      expect(await readFile(file, 'utf8')).toBe(`${written}mine,1,2\r\n`);
      await writeFile(file, written);
    }
  });

  it('do not measure with what is no Node.js', async () => {
    for (const node of ['/nope/node', '/bin/sh']) {
      const { exitCode, stderr } = await launch('bench', '--node', node);
      expect([exitCode, stderr]).toEqual([2, expect.stringContaining(`${node} is no Node.js`)]);
    }
  });

  it('do not write the outputs of a local host over those of AWS', async () => {
    await writeFile(path.join(folder, 'aws.json'), '{"DuotempoIdentity":{}}');
    const { exitCode, stderr } = await launch('start', '--outputs', 'aws.json');
    expect(exitCode).toBe(1);
    expect(stderr).toContain('tells of a deployment on AWS');
  });
});
