import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { addDays, businessDateOf } from '../../../lambda/card-settlement/domain/business-date.ts';
import { stageConfig } from '../../../lib/config.ts';
import { command, start, type Ended, type Started } from '../command.ts';

/**
 * Goal: a clock that is moved is the same for the host, its functions and every command.
 * Method: the real processes, on a host that starts two days ahead of this machine.
 */

const DAY_MILLISECONDS = 86_400_000;
const { calendar } = stageConfig('test');

let system: Started;
let startAt: Date;

beforeAll(async () => {
  startAt = new Date(Date.now() + 2 * DAY_MILLISECONDS);
  system = await start(['--stage', 'test', '--at', startAt.toISOString()]);
});

afterAll(async () => {
  await system?.stop();
});

const clock = async (...args: string[]): Promise<Ended> =>
  command(['clock', ...args, '--outputs', system.outputsFile]);

async function timeAfter(...args: string[]): Promise<{ now: Date; aheadSeconds: number }> {
  const { stdout, stderr, exitCode } = await clock(...args, '--json');
  expect([stderr, exitCode]).toEqual(['', 0]);
  const { now, aheadSeconds } = JSON.parse(stdout) as { now: string; aheadSeconds: number };
  return { now: new Date(now), aheadSeconds };
}

test('npm start says what its clock says, and how to move it', () => {
  expect(system.screen()).toContain(
    `or move the clock, which is ${startAt.toISOString()}: npm run clock -- to`,
  );
  expect(system.screen()).toContain(`\\"occurredAt\\":\\"${startAt.toISOString()}\\"`);
  expect(system.screen()).toContain(`/business-days/${businessDateOf(startAt, calendar)}/reconcile`);
});

test('the clock advances, goes to a time of the business, and tells both', async () => {
  const before = await timeAfter('show');
  const after = await timeAfter('advance', '1h30m');
  expect(after.aheadSeconds - before.aheadSeconds).toBeGreaterThanOrEqual(5390);
  expect(after.aheadSeconds - before.aheadSeconds).toBeLessThanOrEqual(5400);
  const { stdout } = await clock('to', '17:00');
  expect(stdout).toMatch(
    /^\d{4}-\d\d-\d\d 17:00:0\d in New York \(\d{4}-\d\d-\d\dT2[12]:00:0\dZ\), \d d(?: \d+ (?:h|min|s))? ahead of this machine\n$/,
  );
});

test('a command of another process lives in the time of the host', async () => {
  const { now } = await timeAfter('show');
  const files = [
    'test/end-to-end/fixtures/transactions.csv',
    '--merchants',
    'test/end-to-end/fixtures/merchants.csv',
  ];
  const { stdout, stderr, exitCode } = await command([
    ...['replay', ...files, '--shift-to-today', '--settle', '--json', '--outputs', system.outputsFile],
  ]);
  expect([stderr, exitCode]).toEqual(['', 0]);
  const { dates } = JSON.parse(stdout) as { dates: { businessDate: string; status: string }[] };
  expect(dates.at(-1)).toMatchObject({
    businessDate: addDays(businessDateOf(now, calendar), -1),
    status: 'balanced',
  });
}, 240_000);

test.each([
  [
    ['advance', '2x'],
    'How far? A duration is missing, or is none.\nFor example: npm run clock -- advance 2h\n',
    2,
  ],
  [
    ['to', '25:00'],
    'Until when? A time is missing, or is none.\nFor example: npm run clock -- to 17:00\n',
    2,
  ],
  [
    ['to', '2020-01-01T00:00:00Z'],
    expect.stringMatching(/^The clock stays: It is .*, and no clock goes back\.\n$/),
    1,
  ],
] as const)('npm run clock -- %j says what is wrong', async (args, message, exitCode) => {
  const ended = await clock(...args);
  expect([ended.stderr, ended.stdout, ended.exitCode]).toEqual([message, '', exitCode]);
});

test('the clock becomes that of the machine again', async () => {
  expect((await timeAfter('real')).aheadSeconds).toBe(0);
  expect((await clock('show')).stdout).toContain('this machine’s time');
});
