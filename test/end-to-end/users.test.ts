import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { command, type Ended, start, type Started } from './command.ts';

/** Goal: chat users are made, listed and removed alike locally and on AWS. Method: the command, against `npm start`. */

let system: Started;

beforeAll(async () => {
  system = await start(['--stage', 'test']);
});

afterAll(async () => {
  await system.stop();
});

const users = async (...args: readonly string[]): Promise<Ended> =>
  command(['users', ...args, '--outputs', system.outputsFile]);

test('a user is added with a password that is shown once, signs in, and is removed', async () => {
  const { stdout, stderr, exitCode } = await users('add', 'alice', 'bob');
  expect([stderr, exitCode]).toEqual(['', 0]);
  expect(stdout).toMatch(/^alice is added\..*: \S{12}\nbob is added\..*: \S{12}\n$/);
  expect((await users('list')).stdout).toMatch(
    /^alice +\d{4}-\d{2}-\d{2} {2}CONFIRMED\nbob .*CONFIRMED\n2 users\n$/,
  );
  const token = await command(['token', 'user', 'alice', '--outputs', system.outputsFile]);
  expect([token.exitCode, token.stdout]).toEqual([0, expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+\n$/)]);

  const again = await users('add', 'alice');
  expect([again.stdout, again.stderr, again.exitCode]).toEqual(['', 'There is a user alice already.\n', 1]);
  expect((await users('remove', 'alice', 'bob')).exitCode).toBe(0);
  const gone = await users('remove', 'alice');
  expect([gone.stderr, gone.exitCode]).toEqual(['There is no user alice.\n', 1]);
  expect((await users('list')).stdout).toBe('0 users\n');
});

test('a password that the pool refuses leaves no user behind', async () => {
  const { stderr, exitCode } = await users('add', 'carol', '--password', 'tooshort');
  expect([exitCode, stderr]).toEqual([1, expect.stringContaining('Password not long enough')]);
  expect((await users('list')).stdout).not.toContain('carol');
  const given = await users('add', 'carol', '--password', 'Correct-Horse-1');
  expect([given.exitCode, given.stdout]).toEqual([0, 'carol is added, with the password that you gave.\n']);
});

test('latency of a deployment is measured with users of its own, whom it removes', async () => {
  const { stdout, stderr, exitCode } = await command([
    ...['latency', '--outputs', system.outputsFile, '--users', '3', '--rate', '5', '--seconds', '2'],
  ]);
  expect([exitCode, stdout]).toEqual([0, expect.stringContaining('accepted to shown')]);
  expect(stderr).toContain('10 messages, all seen');
  expect((await users('list')).stdout).not.toContain('latency');
});
