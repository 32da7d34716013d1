import { afterEach, describe, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { HostEvent } from '../../local/events.ts';
import { createFunctionPool } from '../../local/function-pool.ts';
import type { FunctionDefinition, FunctionPool } from '../../local/function-pool.ts';

const folders: string[] = [];
const pools: FunctionPool[] = [];
afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.stop()));
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function aFunction(source: string, overrides: Partial<FunctionDefinition> & { file?: string } = {}) {
  const { file = 'index.mjs', functionName = 'subject', ...rest } = overrides;
  const codeFolder = mkdtempSync(path.join(tmpdir(), 'function-pool-'));
  folders.push(codeFolder);
  writeFileSync(path.join(codeFolder, file), source);
  const definition: FunctionDefinition = {
    logicalId: `Stack/${functionName}`,
    functionName,
    functionArn: `arn:aws:lambda:us-east-1:000000000000:function:${functionName}`,
    codeFolder,
    handler: 'index.handler',
    environment: {},
    timeoutSeconds: 5,
    memoryMegabytes: 128,
    credentials: {
      roleArn: `arn:aws:iam::000000000000:role/${functionName}`,
      accessKeyId: 'AKIDEXAMPLE',
      secretAccessKey: 'secret-of-the-role',
    },
    ...rest,
  };
  return definition;
}

function aPool(definitions: readonly FunctionDefinition[], maxWorkers = 8) {
  const events: HostEvent[] = [];
  const pool = createFunctionPool({
    maxWorkers,
    awsEndpoint: () => 'http://localhost:4566',
    region: 'us-east-1',
    onEvent: (event) => events.push(event),
  });
  pools.push(pool);
  for (const definition of definitions) pool.register(definition);
  const lines = () => events.flatMap((event) => (event.type === 'log' ? [event.line] : []));
  const invocations = () => events.filter((event) => event.type === 'invocation');
  return { pool, events, lines, invocations };
}

async function invokeOnce(definition: FunctionDefinition, event: unknown = {}) {
  const host = aPool([definition]);
  const invocation = await host.pool.invoke(definition.functionArn, event);
  return { ...host, invocation };
}

describe('a handler', () => {
  test('gets the event and answers with JSON, undefined as null and dates as text', async () => {
    const echo = aFunction(
      'export const handler = async (event) => event.none ? undefined : { ...event, at: new Date(0), gone: undefined };',
    );
    const { pool, invocation } = await invokeOnce(echo, { amount: 1, text: 'ünï' });
    expect(invocation).toStrictEqual({
      kind: 'success',
      payload: { amount: 1, text: 'ünï', at: '1970-01-01T00:00:00.000Z' },
    });
    await expect(pool.invoke(echo.functionArn, { none: true })).resolves.toStrictEqual({
      kind: 'success',
      payload: null,
    });
  });
});
