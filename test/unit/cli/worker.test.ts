import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { SQSRecord } from 'aws-lambda';
import { outputsIn, type Outputs } from '../../../cli/shared/outputs.ts';
import { invoking, type QueueHandler } from '../../../cli/worker/invoke.ts';
import { process as processQueue } from '../../../cli/worker/process.ts';
import { untilStopped } from '../../../cli/worker/until-stopped.ts';
import { variablesOf } from '../../../cli/worker/variables.ts';
import { eventually } from '../../eventually.ts';
import { startEngines } from '../../local/dynamodb/engines.ts';

/** Goal: the loop outside Lambda treats messages as Lambda does. Method: a real queue, and handlers that the test plays. */

let engines: Awaited<ReturnType<typeof startEngines>>;
let queues = 0;
/** The heartbeats, as the queue gets them. */
const extensions: unknown[] = [];

beforeAll(async () => {
  engines = await startEngines({
    interceptors: [
      (call, proceed) => {
        if (call.action === 'ChangeMessageVisibilityBatch') extensions.push(call.request);
        return proceed();
      },
    ],
  });
});

afterAll(async () => engines.stop());

/** A queue with messages, and a worker that is about to work on them. */
async function queueOf(bodies: readonly string[]) {
  queues += 1;
  const { queueUrl } = engines.createQueue(`work-${queues}`);
  for (const body of bodies) await engines.sqsClient.sendMessage({ QueueUrl: queueUrl, MessageBody: body });
  return {
    begin: (handler: QueueHandler, { batchSize = 10, limitSeconds = 30, waitTimeSeconds = 1 } = {}) => {
      const work = invoking({ handler, queueUrl, region: 'us-east-1', limitSeconds });
      const stopping = new AbortController();
      const consumer = processQueue({ queueUrl, sqs: engines.sqsClient, waitTimeSeconds, work }, batchSize);
      const told: string[] = [];
      const ended = untilStopped(consumer, stopping.signal, (text) => told.push(text));
      return { ended, told, stop: () => stopping.abort() };
    },
    /** How many wait, and how many somebody works on. */
    left: async () => {
      const { Attributes = {} } = await engines.sqsClient.getQueueAttributes({
        QueueUrl: queueUrl,
        AttributeNames: ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'],
      });
      return [Attributes.ApproximateNumberOfMessages, Attributes.ApproximateNumberOfMessagesNotVisible];
    },
  };
}

const numbered = (count: number) => Array.from({ length: count }, (_, index) => String(index));

describe('a batch', () => {
  test.each([10, 1])('holds at most %i messages, whose records are those of Lambda', async (batchSize) => {
    const queue = await queueOf(numbered(12));
    const batches: (readonly SQSRecord[])[] = [];
    const { ended, stop } = queue.begin(
      async ({ Records }) => {
        batches.push(Records);
      },
      { batchSize },
    );
    await eventually(() => batches.flat().length === 12);
    stop();
    expect(await ended).toEqual({ done: 12 });
    expect(batches.map(({ length }) => length)).toEqual(
      batchSize === 1 ? numbered(12).map(() => 1) : [10, 2],
    );
    expect(await queue.left()).toEqual(['0', '0']);
    const event = JSON.parse(readFileSync('events/notification-worker.json', 'utf8'));
    const [ofLambda] = (event as { Records: readonly Record<string, unknown>[] }).Records;
    const [record] = batches.flat();
    // The trace header is that of a sender within the app.
    const { AWSTraceHeader: _, ...attributes } = Object(ofLambda?.['attributes']);
    expect(Object.keys(record ?? {}).toSorted()).toEqual(Object.keys(ofLambda ?? {}).toSorted());
    expect(Object.keys(record?.attributes ?? {}).toSorted()).toEqual(Object.keys(attributes).toSorted());
    expect(record?.eventSourceARN).toMatch(/^arn:aws:sqs:us-east-1:000000000000:work-\d+$/);
  });

  test('that fails in part leaves only what failed in the queue, and one that throws everything', async () => {
    const part = await queueOf(numbered(5));
    const partly = part.begin(async ({ Records }) => ({
      batchItemFailures: Records.filter(({ body }) => Number(body) > 2).map(({ messageId }) => ({
        itemIdentifier: messageId,
      })),
    }));
    await eventually(async () => (await part.left())[1] === '2');
    partly.stop();
    expect(await partly.ended).toEqual({ done: 3 });

    const whole = await queueOf(numbered(5));
    let calls = 0;
    const wholly = whole.begin(async () => {
      calls += 1;
      throw new Error('thrown');
    });
    await eventually(() => calls === 1);
    wholly.stop();
    expect([await wholly.ended, await whole.left()]).toEqual([{ done: 0 }, ['0', '5']]);
    expect(wholly.told).toEqual([expect.stringMatching(/^A batch failed, and comes again: .*thrown/)]);
  });

  test('stays invisible to others while somebody works on it, longer than a killed worker would keep it', async () => {
    const queue = await queueOf(['slow']);
    let isWorking = false;
    const { ended, stop } = queue.begin(async () => {
      isWorking = true;
      await eventually(() => extensions.length > 0);
    });
    await eventually(() => isWorking);
    stop();
    expect(await ended).toEqual({ done: 1 });
    expect(extensions).toEqual([
      expect.objectContaining({ Entries: [expect.objectContaining({ VisibilityTimeout: 30 })] }),
    ]);
  });

  test('knows how much time it has left, and fails when that is over', async () => {
    const queue = await queueOf(['stuck']);
    const remaining: number[] = [];
    const { ended, stop } = queue.begin(
      async (_, context) => {
        remaining.push(context.getRemainingTimeInMillis());
        await pause(150);
        remaining.push(context.getRemainingTimeInMillis());
        await new Promise(() => {});
      },
      { limitSeconds: 0.5 },
    );
    await eventually(() => remaining.length === 2);
    stop();
    expect([await ended, await queue.left()]).toEqual([{ done: 0 }, ['0', '1']]);
    const [first = 0, second = 0] = remaining;
    expect(first).toBeLessThanOrEqual(500);
    expect(first - second).toBeGreaterThanOrEqual(140);
  });
});

describe('a stop', () => {
  test('lets the batch in hand end, deletes it, and takes no more', async () => {
    const queue = await queueOf(numbered(4));
    const bodies: string[] = [];
    let release = (): void => undefined;
    const { ended, stop } = queue.begin(
      async ({ Records }) => {
        bodies.push(...Records.map(({ body }) => body));
        await new Promise<void>((resolve) => (release = resolve));
      },
      { batchSize: 1 },
    );
    await eventually(() => bodies.length === 1);
    stop();
    await pause(200);
    release();
    expect(await ended).toEqual({ done: 1 });
    expect(bodies).toHaveLength(1);
    expect(await queue.left()).toEqual(['3', '0']);
  });

  test('cuts a poll short that only waits', async () => {
    const { ended, stop } = (await queueOf([])).begin(async () => undefined, { waitTimeSeconds: 20 });
    await pause(300);
    const startedAt = performance.now();
    stop();
    expect(await ended).toEqual({ done: 0 });
    expect(performance.now() - startedAt).toBeLessThan(10_000);
  });

  test('comes by itself, with the reason, when the queue cannot be reached', async () => {
    const sqs = new SQSClient({
      region: 'us-east-1',
      endpoint: 'http://localhost:1',
      credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
      maxAttempts: 1,
    });
    const queue = { queueUrl: 'http://localhost:1/0/none', sqs, work: async () => new Set<string>() };
    const { signal } = new AbortController();
    const { failure } = await untilStopped(processQueue(queue, 1), signal, () => undefined);
    expect(failure?.message).toContain('ECONNREFUSED');
  });
});

describe('the variables of the function', () => {
  const folder = mkdtempSync(join(tmpdir(), 'duotempo-variables-'));
  const file = join(folder, 'outputs.json');
  const urls = {
    ApiUrl: 'http://localhost/a',
    WebSocketUrl: 'ws://localhost/b',
    TokenUrl: 'http://localhost/c',
  };
  const clients = { UserPoolId: 'us-east-1_A', GatewayClientId: '', OperatorClientId: '', ChatClientId: '' };
  const onAws: Outputs = outputsIn(
    {
      DuotempoIdentity: { ...urls, ...clients },
      DuotempoCardSettlement: urls,
      DuotempoChat: urls,
    },
    file,
  );
  const here: Outputs = { ...onAws, DuotempoLocal: { AwsEndpoint: 'http://localhost:4567' } };
  const read = async (outputs: Outputs, envFile?: string) =>
    variablesOf({ file, stage: 'sandbox', outputs }, 'Drain', 'DrainFunction', envFile);

  afterAll(() => rmSync(folder, { recursive: true }));

  test('are those that the local host wrote, as this machine sees them, with the credentials of the role alone', async () => {
    await expect(read(here)).rejects.toThrow('sam-env.json is missing');
    const variables = (TABLE: string) => ({
      NotificationWorkerFunction1: { TABLE: 'other function' },
      DrainWorkerFunction1: {
        TABLE,
        QUEUE: 'http://host.docker.internal:4567/0/drain',
        AWS_ENDPOINT_URL: 'http://host.docker.internal:4567',
        AWS_ACCESS_KEY_ID: 'ASIADRAIN',
      },
    });
    writeFileSync(join(folder, 'sam-env.json'), JSON.stringify(variables('one stage')));
    expect(await read(here)).toMatchObject({
      TABLE: 'one stage',
      QUEUE: 'http://localhost:4567/0/drain',
      AWS_ENDPOINT_URL: 'http://localhost:4567',
      AWS_ACCESS_KEY_ID: 'ASIADRAIN',
      AWS_PROFILE: '',
    });
    writeFileSync(join(folder, 'sam-env-production.json'), JSON.stringify(variables('other stage')));
    expect(await read(here)).toMatchObject({ TABLE: 'one stage' });
    writeFileSync(join(folder, 'sam-env-test.json'), JSON.stringify(variables('this stage')));
    expect(await read(here)).toMatchObject({ TABLE: 'this stage' });
  });

  test('on AWS are those of a file, and how to write it is said', async () => {
    await expect(read(onAws)).rejects.toMatchObject({
      exitCode: 2,
      hint: expect.stringContaining('--function-name DrainFunction'),
    });
    const envFile = join(folder, 'worker-env.json');
    writeFileSync(envFile, '{"TABLE":1}');
    await expect(read(onAws, envFile)).rejects.toThrow('not a JSON object of texts');
    writeFileSync(envFile, '{"TABLE":"deployed"}');
    expect(await read(onAws, envFile)).toEqual({ TABLE: 'deployed' });
  });
});
