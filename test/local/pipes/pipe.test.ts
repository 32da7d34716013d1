import { afterAll, afterEach, expect, test } from '@jest/globals';
import type { HostEvent } from '../../../local/services.ts';
import { compileEventPattern } from '../../../local/patterns/event-pattern.ts';
import { createPipe } from '../../../local/pipes/pipe.ts';
import type { Pipe, PipeOptions } from '../../../local/pipes/pipe.ts';
import { isJsonObject, objectAt, textAt } from '../../../local/template/template.ts';
import type { Json } from '../../../local/template/template.ts';
import { startEngines } from '../dynamodb/engines.ts';
import { eventually } from '../../eventually.ts';

// A pipe from a stream on the endpoint to a target that the test plays. Each test has a table of its own.

const engines = await startEngines();
afterAll(() => engines.stop());

const pipes: Pipe[] = [];
afterEach(async () => {
  await Promise.all(pipes.splice(0).map((pipe) => pipe.stop()));
});

let tables = 0;

/** What a body says of the record it was made of. */
const textOf = (event: Json): string => {
  const image = objectAt(objectAt(isJsonObject(event) ? event : {}, 'dynamodb'), 'NewImage');
  return textAt(objectAt(image, 'text'), 'S') ?? '';
};

async function aPipe(options: Partial<PipeOptions> = {}) {
  tables += 1;
  const TableName = `Piped${tables}`;
  await engines.dynamoDb.createTable({
    TableName,
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
    KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
  });
  const { streams } = engines.dynamoDb;
  const streamArn = streams.enable({ tableName: TableName, keyNames: ['id'], viewType: 'NEW_IMAGE' });
  const sent: string[][] = [];
  const deadLetters: unknown[] = [];
  const events: (HostEvent & { type: 'pipe' })[] = [];
  /** What the target refuses, and how often it does. */
  const refusals = new Map<string, number>();
  const polls: number[] = [];
  const pipe = createPipe({
    callAws: engines.endpoint.callAs('arn:aws:iam::000000000000:role/pipe', 'test'),
    pipeName: 'aPipe',
    pipeArn: 'arn:aws:pipes:us-east-1:000000000000:pipe/aPipe',
    streamArn,
    startingPosition: 'TRIM_HORIZON',
    hasRecordAfter: (sequenceNumber) => streams.hasRecordAfter(streamArn, sequenceNumber),
    batchSize: 10,
    windowSeconds: 0,
    patterns: [],
    template: textOf,
    send: (bodies) => {
      sent.push([...bodies]);
      polls.push(Date.now());
      const failed = bodies.flatMap((body, index) => {
        const left = refusals.get(body) ?? 0;
        refusals.set(body, left - 1);
        return left > 0 ? [index] : [];
      });
      return Promise.resolve(new Set(failed));
    },
    giveUp: (body) => {
      deadLetters.push(JSON.parse(body));
      return Promise.resolve();
    },
    writtenAt: (sequenceNumber) => streams.writtenAt(streamArn, sequenceNumber),
    onEvent: (event) => {
      if (event.type === 'pipe') events.push(event);
    },
    ...options,
  });
  pipes.push(pipe);
  return {
    pipe,
    sent,
    events,
    deadLetters,
    refusals,
    polls,
    streamArn,
    put: (...texts: string[]) => putAll(TableName, texts),
  };
}

async function putAll(TableName: string, texts: readonly string[]): Promise<void> {
  for (const text of texts) {
    const Item = { id: { S: text }, text: { S: text } };
    await engines.dynamoDbClient.putItem({ TableName, Item });
  }
}

const numbered = (count: number, from = 0): string[] =>
  Array.from({ length: count }, (_, index) => `r${String(from + index).padStart(3, '0')}`);

test('records come in order, in batches of the size at most, each as its own message', async () => {
  const { pipe, put, sent } = await aPipe({ batchSize: 4 });
  await put(...numbered(10));
  pipe.start();
  await eventually(() => sent.flat().length === 10);
  expect(sent).toEqual([numbered(4), numbered(4, 4), numbered(2, 8)]);
});

test('TRIM_HORIZON begins with what was written before the pipe; LATEST does not', async () => {
  const oldest = await aPipe();
  const latest = await aPipe({ startingPosition: 'LATEST' });
  for (const { put, pipe } of [oldest, latest]) {
    await put('before');
    pipe.start();
  }
  await eventually(() => oldest.sent.length === 1);
  // Once it polls, it has its place.
  await eventually(async () => {
    await latest.put(`after${Date.now()}`);
    return latest.sent.length > 0;
  });
  expect(latest.sent.flat()).not.toContain('before');
});

test('it polls four times a second', async () => {
  const { pipe, put, sent, polls } = await aPipe();
  pipe.start();
  const stopping = new AbortController();
  const writing = (async () => {
    for (let index = 0; !stopping.signal.aborted; index += 1) await put(`r${index}`);
  })();
  await eventually(() => sent.length > 0 && Date.now() - (polls[0] ?? 0) > 2000);
  stopping.abort();
  await writing;
  // A poll may find several batches; those of one poll come close together.
  const starts = polls.filter((at, index) => at - (polls[index - 1] ?? 0) > 100);
  expect(starts.length).toBeLessThanOrEqual(10);
  // On average: a poll that a busy machine holds up is followed the sooner by the next.
  const seconds = ((starts.at(-1) ?? 0) - (starts[0] ?? 0)) / 1000;
  expect((starts.length - 1) / seconds).toBeLessThanOrEqual(4.5);
});

test('a filter drops records silently, and the pipe goes on behind them', async () => {
  const pattern = compileEventPattern({ dynamodb: { NewImage: { text: { S: [{ prefix: 'keep' }] } } } });
  const { pipe, put, sent, events } = await aPipe({ patterns: [pattern] });
  await put('drop1', 'keep1', 'drop2');
  pipe.start();
  await eventually(() => sent.length === 1);
  await pipe.stop();
  await put('drop3', 'keep2');
  pipe.start();
  await eventually(() => sent.length === 2);
  expect(sent).toEqual([['keep1'], ['keep2']]);
  expect(events.every(({ failed }) => failed === 0)).toBe(true);
});

test('a record is sent if one of several filters matches', async () => {
  const pattern = (text: string) => compileEventPattern({ dynamodb: { NewImage: { text: { S: [text] } } } });
  const { pipe, put, sent } = await aPipe({ patterns: [pattern('a'), pattern('c')] });
  await put('a', 'b', 'c');
  pipe.start();
  await eventually(() => sent.length === 1);
  expect(sent).toEqual([['a', 'c']]);
});

test('only failed entries are tried again, before anything behind them', async () => {
  const { pipe, put, sent, refusals, events } = await aPipe({ batchSize: 3 });
  refusals.set('r001', 2);
  await put(...numbered(5));
  pipe.start();
  await eventually(() => sent.flat().includes('r004'));
  expect(sent).toEqual([['r000', 'r001', 'r002'], ['r001'], ['r001'], ['r003', 'r004']]);
  expect(events.map(({ size, failed }) => [size, failed])).toEqual([
    [3, 1],
    [1, 1],
    [1, 0],
    [2, 0],
  ]);
});

test('a target that can not be reached gets the whole batch again', async () => {
  let down = 2;
  const got: (readonly string[])[] = [];
  const { pipe, put, events } = await aPipe({
    send: (bodies) => {
      down -= 1;
      if (down >= 0) return Promise.reject(new Error('no such queue'));
      got.push(bodies);
      return Promise.resolve(new Set<number>());
    },
  });
  await put('a', 'b');
  pipe.start();
  await eventually(() => got.length === 1);
  expect(got).toEqual([['a', 'b']]);
  expect(events[0]).toMatchObject({ size: 2, failed: 2, errorMessage: 'no such queue' });
});

test('after MaximumRetryAttempts the dead-letter queue learns where the records stand, and the pipe goes on', async () => {
  const { pipe, put, sent, refusals, deadLetters, streamArn } = await aPipe({ maximumRetryAttempts: 1 });
  refusals.set('poison', Infinity);
  await put('a', 'poison', 'b');
  pipe.start();
  await eventually(() => deadLetters.length === 1);
  await put('c');
  await eventually(() => sent.flat().includes('c'));
  expect(sent).toEqual([['a', 'poison', 'b'], ['poison'], ['c']]);
  expect(deadLetters).toEqual([
    {
      context: {
        partnerResourceArn: 'arn:aws:pipes:us-east-1:000000000000:pipe/aPipe',
        condition: 'RetryAttemptsExhausted',
      },
      version: '1.0',
      timestamp: expect.stringMatching(/Z$/),
      DDBStreamBatchInfo: {
        shardId: expect.stringMatching(/^shardId-/),
        startSequenceNumber: expect.stringMatching(/^\d+$/),
        endSequenceNumber: expect.stringMatching(/^\d+$/),
        approximateArrivalOfFirstRecord: expect.stringMatching(/T\d\d:\d\d:\d\dZ$/),
        approximateArrivalOfLastRecord: expect.stringMatching(/T\d\d:\d\d:\d\dZ$/),
        batchSize: 1,
        streamArn,
      },
    },
  ]);
});

test('a record older than MaximumRecordAge is given up', async () => {
  const { pipe, put, refusals, deadLetters, sent } = await aPipe({ maximumRecordAgeSeconds: 4 });
  refusals.set('a', Infinity);
  await put('a');
  pipe.start();
  await eventually(() => deadLetters.length === 1);
  expect(deadLetters[0]).toMatchObject({ context: { condition: 'MaximumRecordAgeExceeded' } });
  expect(sent.length).toBeGreaterThan(1);
});

test('a window gathers records until it is over, or the batch is full', async () => {
  const { pipe, put, sent, polls } = await aPipe({ windowSeconds: 2, batchSize: 3 });
  pipe.start();
  const startedAt = Date.now();
  await put(...numbered(4));
  await eventually(() => sent.length === 1);
  expect(Date.now() - startedAt).toBeLessThan(2000);
  await eventually(() => sent.length === 2);
  expect(sent).toEqual([numbered(3), numbered(1, 3)]);
  expect((polls[1] ?? 0) - (polls[0] ?? 0)).toBeGreaterThanOrEqual(1900);
});

test('a pipe that is stopped and started loses nothing', async () => {
  const { pipe, put, sent } = await aPipe();
  await put('a');
  pipe.start();
  await eventually(() => sent.length === 1);
  await pipe.stop();
  await put('b');
  pipe.start();
  await eventually(() => sent.length === 2);
  expect(sent).toEqual([['a'], ['b']]);
});

test('a pipe that stops before its checkpoint delivers again: at least once', async () => {
  const { pipe, put, sent, refusals } = await aPipe();
  refusals.set('b', 1);
  await put('a', 'b');
  pipe.start();
  // The batch was sent, one entry of it failed: there is no checkpoint before all of it succeeded.
  await eventually(() => sent.length === 1);
  await pipe.stop();
  pipe.start();
  await eventually(() => sent.length === 2);
  expect(sent).toEqual([
    ['a', 'b'],
    ['a', 'b'],
  ]);
});

test('on demand every batch is delivered twice', async () => {
  const { pipe, put, sent } = await aPipe();
  pipe.deliverTwice(true);
  await put('a');
  pipe.start();
  await eventually(() => sent.length === 2);
  pipe.deliverTwice(false);
  await put('b');
  await eventually(() => sent.length === 3);
  expect(sent).toEqual([['a'], ['a'], ['b']]);
});

test('it says how long each record waited', async () => {
  const { pipe, put, events } = await aPipe();
  pipe.start();
  await put('a', 'b');
  await eventually(() => events.flatMap(({ waitedMilliseconds }) => waitedMilliseconds).length === 2);
  for (const waited of events.flatMap(({ waitedMilliseconds }) => waitedMilliseconds)) {
    expect(waited).toBeGreaterThanOrEqual(0);
    expect(waited).toBeLessThan(5000);
  }
});

test('it reads and sends as its role: without the grant it says so, and goes on when it has it', async () => {
  let allowed = false;
  const guarded = await startEngines({
    authorize: ({ action, caller }) =>
      allowed || caller.kind === 'operator' || action !== 'GetRecords'
        ? { allowed: true }
        : { allowed: false, message: 'not authorized to perform: dynamodb:GetRecords' },
  });
  try {
    const { pipe, put, sent, events } = await aPipe({
      callAws: guarded.endpoint.callAs('arn:aws:iam::000000000000:role/pipe', 'test'),
      streamArn: guarded.dynamoDb.streams.enable({
        tableName: 'Guarded',
        keyNames: ['id'],
        viewType: 'NEW_IMAGE',
      }),
    });
    await put('elsewhere');
    guarded.dynamoDb.streams.append({
      tableName: 'Guarded',
      before: undefined,
      after: { id: { S: 'a' }, text: { S: 'a' } },
    });
    pipe.start();
    await eventually(() => events.length === 1);
    expect(events[0]).toMatchObject({
      size: 0,
      errorMessage: 'not authorized to perform: dynamodb:GetRecords',
    });
    allowed = true;
    await eventually(() => sent.length === 1);
    expect(sent).toEqual([['a']]);
    await pipe.stop();
  } finally {
    await guarded.stop();
  }
});
