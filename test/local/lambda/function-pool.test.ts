import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, describe, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { HostEvent } from '../../../local/services.ts';
import { FunctionPool, type FunctionDefinition } from '../../../local/lambda/index.ts';
import { invocationsInChain } from '../../../local/lambda/trace.ts';

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
    stackName: 'Stack',
    logicalId: functionName,
    functionName,
    functionArn: `arn:aws:lambda:us-east-1:000000000000:function:${functionName}`,
    codeFolder,
    handler: 'index.handler',
    environment: {},
    timeoutSeconds: 5,
    memoryMegabytes: 128,
    credentials: {
      roleArn: `arn:aws:iam::000000000000:role/${functionName}`,
      sessionName: functionName,
      accessKeyId: 'AKIDEXAMPLE',
      secretAccessKey: 'secret-of-the-role',
    },
    ...rest,
  };
  return definition;
}

function aPool(definitions: readonly FunctionDefinition[], maxWorkers = 8, accountConcurrency?: number) {
  const events: HostEvent[] = [];
  const pool = new FunctionPool({
    maxWorkers,
    ...(accountConcurrency === undefined ? {} : { accountConcurrency }),
    awsEndpoint: 'http://localhost:4566',
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

/** Waits for an event instead of for luck. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) {
    // oxlint-disable-next-line no-await-in-loop -- polling
    await pause(2);
  }
}

const waits = 'await new Promise((resolve) => setTimeout(resolve, event.milliseconds ?? 0));';

describe('a handler', () => {
  test('finds the trace header of its invocation in its environment', async () => {
    const subject = aFunction('export const handler = async () => process.env._X_AMZN_TRACE_ID;');
    const { pool } = aPool([subject]);
    const headers: (string | undefined)[] = [];
    for (let invocation = 0; invocation < 3; invocation++) {
      const answer = await pool.invoke(subject.functionArn, {}, headers.at(-1));
      if (answer.kind === 'success') headers.push(String(answer.payload));
    }
    expect(headers.map((header) => invocationsInChain(header, subject.functionArn))).toEqual([1, 2, 3]);
    await expect(pool.invoke(subject.functionArn, {})).resolves.toMatchObject({
      payload: expect.stringMatching(/;Lineage=[0-9a-f]{8}:0$/),
    });
  });

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

  test.each([
    ['index.mjs', 'export const handler = async () => "esm"'],
    ['index.js', 'exports.handler = async () => "cjs"'],
    ['index.cjs', 'module.exports = { handler: async () => "cjs" }'],
  ])('is found in %s', async (file, source) => {
    const { invocation } = await invokeOnce(aFunction(source, { file }));
    expect(invocation).toMatchObject({ kind: 'success' });
  });

  test('gets the context of Lambda', async () => {
    const source = `export const handler = async (event, context) =>
      ({ ...context, remaining: context.getRemainingTimeInMillis() });`;
    const { invocation } = await invokeOnce(aFunction(source, { timeoutSeconds: 3 }));
    expect(invocation).toMatchObject({
      payload: {
        functionName: 'subject',
        functionVersion: '$LATEST',
        invokedFunctionArn: 'arn:aws:lambda:us-east-1:000000000000:function:subject',
        memoryLimitInMB: '128',
        logGroupName: '/aws/lambda/subject',
        logStreamName: expect.stringContaining('[$LATEST]'),
        awsRequestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      },
    });
    const remaining = Number(Object(invocation.kind === 'success' && invocation.payload).remaining);
    expect(remaining).toBeGreaterThan(2000);
    expect(remaining).toBeLessThanOrEqual(3000);
  });

  test('keeps its module between invocations, and sees the cold start reported once', async () => {
    const counter = aFunction('let count = 0; export const handler = async () => ++count;');
    const { pool, invocations } = aPool([counter]);
    await pool.invoke(counter.functionArn, {});
    await expect(pool.invoke(counter.functionArn, {})).resolves.toStrictEqual({
      kind: 'success',
      payload: 2,
    });
    expect(invocations().map(({ coldStart }) => coldStart)).toStrictEqual([true, false]);
  });

  test('with a callback works before Node.js 24 and is refused from then on', async () => {
    const source = 'exports.handler = (event, context, callback) => callback(null, "called back");';
    const { invocation: before } = await invokeOnce(
      aFunction(source, { file: 'index.js', runtime: 'nodejs22.x' }),
    );
    expect(before).toStrictEqual({ kind: 'success', payload: 'called back' });
    const { invocation: since } = await invokeOnce(aFunction(source, { file: 'index.js' }));
    expect(since).toMatchObject({ kind: 'error', errorType: 'Runtime.CallbackHandlerDeprecated' });
  });
});

describe('the environment', () => {
  test("is the template's, Lambda's and the role's, and nothing of the host's", async () => {
    process.env['SECRET_OF_THE_HOST'] = 'x';
    const source = 'export const handler = async () => process.env;';
    const { invocation } = await invokeOnce(
      aFunction(source, { environment: { TABLE: 'Ledger', AWS_REGION: 'reserved' } }),
    );
    delete process.env['SECRET_OF_THE_HOST'];
    expect(invocation).toMatchObject({
      payload: {
        TABLE: 'Ledger',
        AWS_REGION: 'us-east-1',
        AWS_LAMBDA_FUNCTION_NAME: 'subject',
        AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '128',
        AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
        AWS_SECRET_ACCESS_KEY: 'secret-of-the-role',
        AWS_ENDPOINT_URL: 'http://localhost:4566',
        _HANDLER: 'index.handler',
      },
    });
    const payload = invocation.kind === 'success' ? invocation.payload : {};
    expect(Object.keys(Object(payload))).not.toEqual(
      expect.arrayContaining([expect.stringMatching(/^(SECRET_OF_THE_HOST|HOME|NODE_OPTIONS)$/)]),
    );
  });

  test('hands on what is written, line by line, and cuts a line at 256 KB', async () => {
    const source = `export const handler = async () => {
      console.log('one\\ntwo'); console.error('three'); process.stdout.write('x'.repeat(300 * 1024) + '\\n');
      process.stdout.write('without its newline');
    };`;
    const { lines } = await invokeOnce(aFunction(source));
    expect(lines().map((line) => (line.length > 100 ? line.length : line))).toStrictEqual([
      'one',
      'two',
      'three',
      256 * 1024,
      'without its newline',
    ]);
  });
});

describe('a function that logs JSON', () => {
  const logFormat = 'JSON';
  const logged = async (statement: string, changes: Partial<FunctionDefinition> = {}): Promise<unknown> => {
    const source = `export const handler = async () => { ${statement} };`;
    const { lines } = await invokeOnce(aFunction(source, { logFormat, ...changes }));
    const [line = ''] = lines();
    return JSON.parse(line);
  };
  const common = {
    timestamp: expect.stringMatching(/Z$/),
    requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
  };

  test.each([
    ['console.log("hi")', 'INFO', 'hi'],
    ['console.warn({ count: 1 })', 'WARN', { count: 1 }],
    ['console.error("of %d", 2, [3])', 'ERROR', 'of 2 [ 3 ]'],
    ['console.info({ count: 1n })', 'INFO', '{ count: 1n }'],
  ])('%s', async (statement, level, message) => {
    expect(await logged(statement)).toEqual({ ...common, level, message });
  });

  test('has an error that it throws in a line, with all that the error holds', async () => {
    const statement = 'throw Object.assign(new RangeError("too far"), { limit: 5 })';
    expect(await logged(statement)).toEqual({
      ...common,
      level: 'ERROR',
      message: {
        errorType: 'RangeError',
        errorMessage: 'too far',
        stackTrace: expect.arrayContaining(['RangeError: too far']),
        limit: 5,
      },
    });
  });

  test.each([
    ['throw "text"', 'text'],
    [
      'setImmediate(() => { throw new TypeError("late") }); await new Promise(() => {})',
      { errorMessage: 'late' },
    ],
    [
      'Promise.reject(new Error("nobody looks")); await new Promise(() => {})',
      { errorMessage: 'nobody looks' },
    ],
  ])('%s is in a line, too', async (statement, message) => {
    const line = await logged(statement);
    expect(line).toMatchObject({ ...common, level: 'ERROR', message });
  });

  test('writes to its own streams as it likes', async () => {
    expect(await logged('process.stdout.write(`{"own":1}\n`)')).toEqual({ own: 1 });
  });
});

describe('a failure is an outcome, never a rejection', () => {
  test('an exception gives its name and message, and the worker lives on', async () => {
    const source = `let count = 0; export const handler = async (event) => {
      count += 1; if (event.fail) throw new RangeError('too far'); return count; };`;
    const subject = aFunction(source);
    const { pool, lines } = aPool([subject]);
    await expect(pool.invoke(subject.functionArn, { fail: true })).resolves.toStrictEqual({
      kind: 'error',
      errorType: 'RangeError',
      errorMessage: 'too far',
    });
    await expect(pool.invoke(subject.functionArn, {})).resolves.toMatchObject({ payload: 2 });
    expect(lines().join('\n')).toContain('Invoke Error');
  });

  test.each([
    ['process.exit(3)', 'Runtime.ExitError', /exit status 3/],
    ['process.exit(0); await new Promise(() => {})', 'Runtime.ExitError', /without providing a reason/],
    ['setImmediate(() => { throw new TypeError("late") }); await new Promise(() => {})', 'TypeError', /late/],
    [
      'Promise.reject(new Error("nobody looks")); await new Promise(() => {})',
      'Runtime.UnhandledPromiseRejection',
      /nobody looks/,
    ],
    ['const all = []; for (;;) all.push(new Array(1e5).fill(event))', 'Runtime.ExitError', /signal: killed/],
  ])('%s ends the worker; the next invocation gets a fresh one', async (statement, errorType, message) => {
    const source = `let count = 0; export const handler = async (event) => {
      count += 1; if (event.fail) { ${statement} } return count; };`;
    const subject = aFunction(source, { timeoutSeconds: 30 });
    const { pool } = aPool([subject]);
    await pool.invoke(subject.functionArn, {});
    const [failed, next] = await Promise.all([
      pool.invoke(subject.functionArn, { fail: true }),
      pool.invoke(subject.functionArn, {}),
    ]);
    expect(failed).toStrictEqual({ kind: 'error', errorType, errorMessage: expect.stringMatching(message) });
    expect(next).toStrictEqual({ kind: 'success', payload: 1 });
  });

  test.each(['await new Promise(() => {})', 'for (;;);'])('%s is ended at the timeout', async (statement) => {
    const subject = aFunction(
      `export const handler = async (event) => { if (event.hang) { ${statement} } return 'fine'; };`,
      { timeoutSeconds: 0.3 },
    );
    const { pool } = aPool([subject]);
    await expect(pool.invoke(subject.functionArn, { hang: true })).resolves.toStrictEqual({
      kind: 'error',
      errorType: 'Sandbox.Timedout',
      errorMessage: expect.stringMatching(/Task timed out after 0\.30 seconds$/),
    });
    await expect(pool.invoke(subject.functionArn, {})).resolves.toMatchObject({ payload: 'fine' });
  });

  test('initialization does not count in the timeout', async () => {
    const source = `await new Promise((resolve) => setTimeout(resolve, 400)); export const handler = async () => 'ready';`;
    const { invocation } = await invokeOnce(aFunction(source, { timeoutSeconds: 0.2 }));
    expect(invocation).toStrictEqual({ kind: 'success', payload: 'ready' });
  });

  test.each([
    ['throw new EvalError("at import")', 'EvalError'],
    ['import "no-such-module"', 'Runtime.ImportModuleError'],
    ['this is not code', 'Runtime.UserCodeSyntaxError'],
    ['export const other = 1', 'Runtime.HandlerNotFound'],
  ])('a bundle that says `%s` fails with %s, for all that wait', async (source, errorType) => {
    const subject = aFunction(source);
    const { pool } = aPool([subject]);
    const invocations = await Promise.all(
      [1, 2].map(async (event) => pool.invoke(subject.functionArn, event)),
    );
    expect(invocations).toMatchObject([
      { kind: 'error', errorType },
      { kind: 'error', errorType },
    ]);
  });

  test('a response that is not JSON, or over 6 MB, is an error', async () => {
    const { pool, invocation } = await invokeOnce(
      aFunction('export const handler = async (event) => event.big ? "x".repeat(6291456) : 10n;'),
    );
    expect(invocation).toMatchObject({ kind: 'error', errorMessage: 'Unable to stringify response body' });
    const arn = 'arn:aws:lambda:us-east-1:000000000000:function:subject';
    await expect(pool.invoke(arn, { big: true })).resolves.toMatchObject({
      errorType: 'Function.ResponseSizeTooLarge',
    });
    await expect(pool.invoke(arn, 'x'.repeat(6291456))).resolves.toMatchObject({
      errorType: 'RequestTooLargeException',
    });
  });

  test('only an ARN that nobody registered rejects', async () => {
    await expect(aPool([]).pool.invoke('arn:unknown', {})).rejects.toThrow('arn:unknown');
  });
});

describe('concurrency', () => {
  test('of an account is shared by all functions, and what is beyond it is throttled', async () => {
    const source = `export const handler = async (event) => { ${waits} };`;
    const [one, other] = [
      aFunction(source, { functionName: 'one' }),
      aFunction(source, { functionName: 'other' }),
    ];
    const { pool, invocations } = aPool([one, other], 8, 3);
    const kinds = async (arns: readonly string[]): Promise<readonly string[]> =>
      (await Promise.all(arns.map((arn) => pool.invoke(arn, { milliseconds: 20 })))).map(({ kind }) => kind);
    const [a, b] = [one.functionArn, other.functionArn];
    const full = ['success', 'success', 'success', 'throttled', 'throttled'];
    expect(await kinds([a, b, a, b, a])).toEqual(full);
    // What has ended makes room, and a throttled invocation takes none.
    expect(await kinds([b, b, a, a, b])).toEqual(full);
    expect(invocations().filter(({ outcome }) => outcome === 'throttled')).toHaveLength(4);
  });

  test('that a function reserves is not the others’, and may not be all that an account has', async () => {
    const source = `export const handler = async (event) => { ${waits} };`;
    const reserved = aFunction(source, { functionName: 'reserved', reservedConcurrency: 1 });
    const other = aFunction(source, { functionName: 'other' });
    const { pool } = aPool([reserved, other], 8, 102);
    const others = Array.from({ length: 102 }, async () => pool.invoke(other.functionArn, {}));
    const own = pool.invoke(reserved.functionArn, {});
    const throttled = (await Promise.all(others)).filter(({ kind }) => kind === 'throttled');
    expect([throttled.length, (await own).kind]).toEqual([1, 'success']);
    expect(() => aPool([reserved], 8, 10)).toThrow('below its minimum value of [10]');
    expect(() => aPool([{ ...reserved, reservedConcurrency: 3 }], 8, 102)).toThrow('minimum value of [100]');
    expect(() => aPool([{ ...reserved, reservedConcurrency: 2 }], 8, 102)).not.toThrow();
  });

  test('reserved concurrency throttles what is beyond it; 0 throttles all', async () => {
    const source = `export const handler = async (event) => { ${waits} };`;
    const one = aFunction(source, { functionName: 'one', reservedConcurrency: 1 });
    const none = aFunction(source, { functionName: 'none', reservedConcurrency: 0 });
    const { pool } = aPool([one, none]);
    const [first, second, third] = await Promise.all([
      pool.invoke(one.functionArn, { milliseconds: 50 }),
      pool.invoke(one.functionArn, {}),
      pool.invoke(none.functionArn, {}),
    ]);
    expect(first).toMatchObject({ kind: 'success' });
    expect(second).toStrictEqual({ kind: 'throttled' });
    expect(third).toStrictEqual({ kind: 'throttled' });
    await expect(pool.invoke(one.functionArn, {})).resolves.toMatchObject({ kind: 'success' });
  });

  test('a worker runs one invocation at a time, in the order they came', async () => {
    const source = `let running = 0; const order = []; export const handler = async (event) => {
      running += 1; const most = running; ${waits} running -= 1; order.push(event.id); return { most, order }; };`;
    const subject = aFunction(source);
    const { pool } = aPool([subject], 1);
    const invocations = await Promise.all(
      [0, 1, 2, 3].map(async (id) => pool.invoke(subject.functionArn, { id, milliseconds: 5 })),
    );
    expect(invocations.at(-1)).toMatchObject({ payload: { most: 1, order: [0, 1, 2, 3] } });
  });

  test('more workers start when invocations wait, but no more than there may be', async () => {
    const source = `import { threadId } from 'node:worker_threads';
      export const handler = async (event) => { ${waits} return threadId; };`;
    const subject = aFunction(source);
    const { pool } = aPool([subject], 3);
    const invocations = await Promise.all(
      Array.from({ length: 12 }, async () => pool.invoke(subject.functionArn, { milliseconds: 400 })),
    );
    const threads = new Set(
      invocations.map((invocation) => invocation.kind === 'success' && invocation.payload),
    );
    expect(threads.size).toBe(3);
  });

  test('quick invocations one after the other share one worker', async () => {
    const subject = aFunction(
      `import { threadId } from 'node:worker_threads'; export const handler = async () => threadId;`,
    );
    const { pool, invocations } = aPool([subject]);
    for (let count = 0; count < 20; count += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other is the point
      await pool.invoke(subject.functionArn, {});
    }
    expect(invocations().filter(({ coldStart }) => coldStart)).toHaveLength(1);
  });

  test('a flood on all workers does not starve another function', async () => {
    const source = `export const handler = async (event) => { ${waits} };`;
    const [flooded, other, third] = ['flooded', 'other', 'third'].map((functionName) =>
      aFunction(source, { functionName, timeoutSeconds: 30 }),
    );
    if (!flooded || !other || !third) throw new Error('unreachable');
    const { pool, invocations } = aPool([flooded, other, third], 2);
    const flood = Promise.all(
      [flooded, other].flatMap((definition) =>
        Array.from({ length: 40 }, async () => pool.invoke(definition.functionArn, { milliseconds: 25 })),
      ),
    );
    await until(() => invocations().length > 4);
    await pool.invoke(third.functionArn, {});
    const before = invocations().filter(({ functionName }) => functionName !== 'third').length;
    expect(before).toBeLessThan(60);
    await flood;
  });

  test('more functions than workers take turns, the least recently used going first', async () => {
    const definitions = ['a', 'b', 'c'].map((functionName) =>
      aFunction('export const handler = async (event) => event;', { functionName }),
    );
    const { pool, invocations } = aPool(definitions, 2);
    for (const name of ['a', 'b', 'a', 'c', 'a', 'b']) {
      // oxlint-disable-next-line no-await-in-loop -- the order is the point
      await pool.invoke(`arn:aws:lambda:us-east-1:000000000000:function:${name}`, {});
    }
    expect(invocations().map(({ functionName, coldStart }) => [functionName, coldStart])).toStrictEqual([
      ['a', true],
      ['b', true],
      ['a', false],
      ['c', true],
      ['a', false],
      ['b', true],
    ]);
  });
});

describe('control', () => {
  const hangs = `export const handler = async (event) => { console.log('begun'); if (event.hang) await new Promise(() => {}); };`;

  test('kill ends the workers that run the function now, and only those', async () => {
    const subject = aFunction(hangs);
    const { pool, lines } = aPool([subject]);
    expect(pool.kill(subject.functionArn)).toBe(0);
    const pending = pool.invoke(subject.functionArn, { hang: true });
    await until(() => lines().includes('begun'));
    expect(pool.kill(subject.functionArn)).toBe(1);
    await expect(pending).resolves.toMatchObject({ kind: 'error', errorType: 'Runtime.ExitError' });
    await expect(pool.invoke(subject.functionArn, {})).resolves.toMatchObject({ kind: 'success' });
  });

  test('warm starts a worker, so that the first invocation finds it initialized', async () => {
    const subject = aFunction(`console.log('initialized'); export const handler = async () => {};`);
    const { pool, lines } = aPool([subject]);
    await Promise.all([pool.warm(subject.functionArn), pool.warm(subject.functionArn)]);
    await pool.invoke(subject.functionArn, {});
    expect(lines()).toStrictEqual(['initialized']);
  });

  test('warming a bundle that fails resolves; the invocation tells', async () => {
    const subject = aFunction('throw new Error("broken")');
    const { pool } = aPool([subject]);
    await pool.warm(subject.functionArn);
    await expect(pool.invoke(subject.functionArn, {})).resolves.toMatchObject({ errorMessage: 'broken' });
  });

  test('stop ends everything at once; what was pending resolves as an error', async () => {
    const subject = aFunction(hangs);
    const { pool, lines } = aPool([subject], 1);
    const pending = [1, 2].map(async () => pool.invoke(subject.functionArn, { hang: true }));
    await until(() => lines().includes('begun'));
    await pool.stop();
    await expect(Promise.all(pending)).resolves.toMatchObject([{ kind: 'error' }, { kind: 'error' }]);
    await expect(pool.invoke(subject.functionArn, {})).resolves.toMatchObject({ kind: 'error' });
  });
});
