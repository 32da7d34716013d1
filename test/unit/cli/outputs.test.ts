import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { seesCredentials } from '../../../cli/deploy/cdk.ts';
import { formatAmount, formatCount } from '../../../cli/shared/money.ts';
import { deploymentOf, findDeployment, outputsIn } from '../../../cli/shared/outputs.ts';
import { removeIfOurs } from '../../../cli/start/host-files.ts';
import { writeAtomically } from '../../../cli/shared/files.ts';

const outputs = {
  DuotempoIdentity: {
    Issuer: 'http://localhost:3000/identity',
    TokenUrl: 'http://localhost:3000/identity/oauth2/token',
    UserPoolId: 'us-east-1_A',
    GatewayClientId: 'g',
    OperatorClientId: 'o',
    ChatClientId: 'c',
  },
  DuotempoCardSettlement: { ApiUrl: 'http://localhost:3000/card-settlement/' },
  DuotempoChat: { ApiUrl: 'http://localhost:3000/chat', WebSocketUrl: 'ws://localhost:3000/chat-live/' },
};
const local = { ...outputs, DuotempoLocal: { AwsEndpoint: 'http://localhost:4566' } };

describe('the outputs file', () => {
  let folder: string;
  let file: string;
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'duotempo-outputs-'));
    file = path.join(folder, 'outputs.json');
  });
  afterEach(async () => rm(folder, { recursive: true }));

  it('reads alike whether the local host or cdk deploy wrote it, without trailing slashes', () => {
    const read = outputsIn(outputs, file);
    expect(read.DuotempoCardSettlement.ApiUrl).toBe('http://localhost:3000/card-settlement');
    expect(read.DuotempoChat.WebSocketUrl).toBe('ws://localhost:3000/chat-live');
    expect(read.DuotempoLocal).toBeUndefined();
    expect(outputsIn(local, file).DuotempoLocal?.AwsEndpoint).toBe('http://localhost:4566');
  });

  it('that is not there, or is something else, is an error that says what to do', async () => {
    const context = { projectFolder: folder, workingFolder: folder };
    await expect(findDeployment({}, context)).rejects.toMatchObject({
      message: 'There is no outputs.json: nothing is running or deployed yet.',
      hint: expect.stringContaining('npm start'),
    });
    expect(() => outputsIn({ DuotempoIdentity: {} }, 'x.json')).toThrow(
      'x.json is not what a deployment of Duotempo writes: DuotempoIdentity.TokenUrl is missing or wrong.',
    );
    expect(() => outputsIn(undefined, 'x.json')).toThrow('its content is missing or wrong');
  });

  it('of a deployment on AWS is told from one of a local host', async () => {
    expect(await deploymentOf(file)).toBeUndefined();
    await writeFile(file, JSON.stringify(outputs));
    expect(await deploymentOf(file)).toBe('aws');
    await writeFile(file, JSON.stringify(local));
    expect(await deploymentOf(file)).toBe('local');
    await writeFile(file, '{"mine": true}');
    expect(await deploymentOf(file)).toBeUndefined();
  });

  it('is written whole, leaves nothing beside it, and is removed only while it is ours', async () => {
    await writeAtomically(file, 'one');
    expect(await readdir(folder)).toEqual(['outputs.json']);
    await removeIfOurs(file, 'another');
    expect(await readFile(file, 'utf8')).toBe('one');
    await removeIfOurs(file, 'one');
    expect(await readdir(folder)).toEqual([]);
  });
});

describe('money on the screen', () => {
  it.each([
    [33_594_557n, 'USD', '335,945.57 USD'],
    [-5n, 'USD', '-0.05 USD'],
    [1_234_567n, 'JPY', '1,234,567 JPY'],
    [1_234_567n, 'KWD', '1,234.567 KWD'],
    [9_007_199_254_740_993n, 'EUR', '90,071,992,547,409.93 EUR'],
  ])('has the digits of its currency: %d %s', (amount, currency, text) => {
    expect(formatAmount(amount, currency)).toBe(text);
  });

  it('groups thousands', () => {
    expect([formatCount(999), formatCount(5039), formatCount(1_234_567n)]).toEqual([
      '999',
      '5,039',
      '1,234,567',
    ]);
  });
});

function nowhere(): boolean {
  return false;
}

describe('AWS credentials', () => {
  it('are seen in variables and in files', () => {
    expect(seesCredentials({}, nowhere)).toBe(false);
    expect(seesCredentials({ AWS_PROFILE: 'sandbox' }, nowhere)).toBe(true);
    expect(seesCredentials({}, (file) => file.endsWith('.aws/config'))).toBe(true);
  });
});
