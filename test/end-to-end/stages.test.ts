import { readFileSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { outputsIn } from '../../cli/shared/outputs.ts';
import type { DeployableStage } from '../../lib/stage-names.ts';
import { command, start, type Started } from './command.ts';
import { sale, textOf } from './system.ts';

/** Goal: stages live side by side and share nothing. Method: one `npm start` with two of them, and the commands. */

let system: Started;

beforeAll(async () => {
  system = await start(['--stage', 'sandbox', '--stage', 'production']);
});

afterAll(async () => {
  await system.stop();
});

const outputsOf = (stage: DeployableStage) =>
  outputsIn(JSON.parse(readFileSync(system.outputsFile, 'utf8')), system.outputsFile, stage);
const token = async (stage: DeployableStage, ...who: readonly string[]) =>
  (await command(['token', ...who, '--outputs', system.outputsFile, '--stage', stage])).stdout.trim();

test('the screen and the outputs tell of both', () => {
  for (const stage of ['sandbox', 'production'] as const) {
    expect(system.screen()).toContain(`stage ${stage}`);
    expect(system.screen()).toContain(outputsOf(stage).DuotempoCardSettlement.ApiUrl);
  }
  const names = Object.keys(JSON.parse(readFileSync(system.outputsFile, 'utf8')) as object);
  expect(names).toEqual(
    expect.arrayContaining(['DuotempoIdentity', 'DuotempoProductionIdentity', 'DuotempoLocal']),
  );
});

test('a sale of one stage is not in the other, whose tokens open nothing either', async () => {
  const [sandbox, production] = [outputsOf('sandbox'), outputsOf('production')];
  const url = `${sandbox.DuotempoCardSettlement.ApiUrl}/transactions`;
  const otherUrl = `${production.DuotempoCardSettlement.ApiUrl}/transactions`;
  expect(otherUrl).not.toBe(url);
  const [here, there] = [await token('sandbox', 'gateway'), await token('production', 'gateway')];
  const authorization = (bearer: string) => ({ authorization: `Bearer ${bearer}` });
  const taken = await fetch(url, {
    method: 'POST',
    headers: { ...authorization(here), 'idempotency-key': randomUUID() },
    body: JSON.stringify(sale()),
  });
  expect(taken.status).toBe(201);
  const id = textOf(await taken.json(), 'transactionId');

  expect((await fetch(`${url}/${id}`, { headers: authorization(here) })).status).toBe(200);
  expect((await fetch(`${otherUrl}/${id}`, { headers: authorization(there) })).status).toBe(404);
  expect((await fetch(`${otherUrl}/${id}`, { headers: authorization(here) })).status).toBe(401);
  const days = await fetch(`${production.DuotempoCardSettlement.ApiUrl}/business-days`, {
    headers: authorization(there),
  });
  expect(await days.json()).toEqual({ items: [] });
});

test('a message of one stage waits for nobody in the other', async () => {
  const [sandbox, production] = [outputsOf('sandbox'), outputsOf('production')];
  const posted = await fetch(`${sandbox.DuotempoChat.ApiUrl}/messages`, {
    method: 'POST',
    headers: { authorization: `Bearer ${await token('sandbox', 'user', 'alice')}` },
    body: JSON.stringify({ to: 'bob', text: 'hi', clientMessageId: 'm1' }),
  });
  expect(posted.status).toBe(201);
  const waiting = await fetch(`${production.DuotempoChat.ApiUrl}/notifications`, {
    headers: { authorization: `Bearer ${await token('production', 'user', 'bob')}` },
  });
  expect([waiting.status, await waiting.json()]).toEqual([200, { items: [] }]);
});

test('a command that is not told which stage asks for it', async () => {
  const { stderr, stdout, exitCode } = await command(['token', 'gateway', '--outputs', system.outputsFile]);
  expect([stdout, exitCode]).toEqual(['', 2]);
  expect(stderr).toMatch(/tells of sandbox and production\.\nSay which one with --stage/);
});
