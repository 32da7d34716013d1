import { beforeEach, describe, expect, it } from '@jest/globals';
import { createFaults, type FaultRates } from '../../../tools/soak/faults.ts';
import { seededRandom, type Random } from '../../../tools/harness/random.ts';
import { createTally } from '../../../tools/soak/record.ts';
import type { AwsCall } from '../../../local/endpoint/index.ts';
import type { JsonObject } from '../../../local/template/template.ts';

/** Goal: each fault does to a call what it says, to the calls of roles only, and counts it. Method: rates of 0 and 1. */

const role = {
  kind: 'role',
  roleArn: 'arn:aws:iam::000000000000:role/worker',
  sessionName: 'worker',
} as const;

function call(action: string, request: JsonObject, changes: Partial<AwsCall> = {}): AwsCall {
  const service = action.startsWith('SendMessage') ? 'sqs' : 'dynamodb';
  return { service, action, request, caller: role, signal: new AbortController().signal, ...changes };
}

const never: FaultRates = { failed: 0, storms: 0, heldUp: 0, doubled: 0, delayed: 0, halfDone: 0 };

/** What is certain happens, and nothing else; of several, the first, unless one is named. */
function certain(picked?: string): Random {
  return {
    next: () => 0,
    whole: (minimum) => minimum,
    chance: (probability) => probability === 1,
    pick: ([first]) => (picked ?? first) as never,
  };
}

let proceeded: (JsonObject | undefined)[];
let tally: ReturnType<typeof createTally>;
beforeEach(() => {
  proceeded = [];
  tally = createTally();
});

async function befall(
  rates: Partial<FaultRates>,
  asked: AwsCall,
  options: { readonly picked?: string; readonly isOn?: boolean; readonly answer?: unknown } = {},
) {
  const { picked, isOn = true, answer = {} } = options;
  const interceptor = createFaults({
    random: certain(picked),
    rates: { ...never, ...rates },
    isOn: () => isOn,
    tally,
  });
  return interceptor(asked, (request) => {
    proceeded.push(request);
    return Promise.resolve({ status: 200, body: answer });
  });
}

const put = call('PutItem', { TableName: 'T' });

describe('a call', () => {
  it('of an operator is left alone, and so is everyone when the faults are over', async () => {
    await befall({ failed: 1 }, { ...put, caller: { kind: 'operator' } });
    await befall({ failed: 1 }, put, { isOn: false });
    expect(proceeded).toEqual([undefined, undefined]);
    expect(tally.counts()).toEqual({});
  });

  it.each([
    ['calls throttled', 400, 'ProvisionedThroughputExceededException', 0],
    ['calls failed before their effect', 500, 'InternalServerError', 0],
    ['calls failed after it', 500, 'InternalServerError', 1],
  ])('is one of the %s', async (failure, status, type, effects) => {
    const answer = await befall({ failed: 1 }, put, { picked: failure });
    expect(answer).toMatchObject({ status, body: { __type: type } });
    expect(proceeded).toHaveLength(effects);
    expect(tally.counts()).toEqual({ [failure]: 1 });
  });

  it('goes on failing in a storm, whatever chance says, and for its own role and action only', async () => {
    const rates = { ...never, failed: 1, storms: 1 };
    let isLucky = false;
    const random = { ...certain(), chance: (probability: number) => !isLucky && probability === 1 };
    const interceptor = createFaults({ random, rates, isOn: () => true, tally });
    const proceed = () => Promise.resolve({ status: 200, body: {} });
    await interceptor(put, proceed);
    isLucky = true;
    expect(await interceptor(put, proceed)).toMatchObject({ status: 400 });
    expect(await interceptor(call('GetItem', {}), proceed)).toMatchObject({ status: 200 });
  });

  it('to the WebSocket API fails as REST services say it', async () => {
    const post = call('ManageConnections', {}, { service: 'execute-api' });
    const answer = await befall({ failed: 1 }, post);
    expect(answer).toMatchObject({ status: 429, headers: { 'x-amzn-errortype': 'LimitExceededException' } });
  });
});

describe('messages', () => {
  const Entries = ['a', 'b', 'c'].map((Id) => ({ Id, MessageBody: Id }));
  const batch = call('SendMessageBatch', { QueueUrl: 'q', Entries });
  const one = call('SendMessage', { QueueUrl: 'q', MessageBody: 'x' });

  it('are sent twice, each counted', async () => {
    await befall({ doubled: 1 }, batch);
    await befall({ doubled: 1 }, one);
    expect(proceeded).toEqual([batch.request, batch.request, one.request, one.request]);
    expect(tally.counts()).toEqual({ 'messages doubled': 4 });
  });

  it('are delayed, unless the sender has delayed them', async () => {
    await befall({ delayed: 1 }, one);
    await befall({ delayed: 1 }, call('SendMessage', { QueueUrl: 'q', MessageBody: 'x', DelaySeconds: 60 }));
    expect(proceeded.map((request) => request?.['DelaySeconds'])).toEqual([1, 60]);
    await befall({ delayed: 1 }, batch);
    expect(proceeded.at(-1)?.['Entries']).toEqual(Entries.map((entry) => ({ ...entry, DelaySeconds: 1 })));
    expect(tally.counts()).toEqual({ 'messages delayed': 5 });
  });

  it('are sent by half: the answer names those that failed', async () => {
    const answer = await befall({ halfDone: 1 }, batch, {
      answer: { Successful: [{ Id: 'a' }, { Id: 'b' }] },
    });
    expect(proceeded).toEqual([{ QueueUrl: 'q', Entries: Entries.slice(0, 2) }]);
    expect(answer.body).toMatchObject({
      Successful: [{ Id: 'a' }, { Id: 'b' }],
      Failed: [{ Id: 'c', SenderFault: false }],
    });
  });
});

describe('a request for several items', () => {
  it('is done by half: what is left comes back as unprocessed', async () => {
    const [one, other] = [{ id: { S: '1' } }, { id: { S: '2' } }];
    const get = call('BatchGetItem', {
      RequestItems: { T: { Keys: [one, other], ConsistentRead: true } },
    });
    const got = await befall({ halfDone: 1 }, get, { answer: { Responses: { T: [one] } } });
    expect(proceeded[0]).toEqual({ RequestItems: { T: { Keys: [one], ConsistentRead: true } } });
    expect(got.body).toEqual({
      Responses: { T: [one] },
      UnprocessedKeys: { T: { Keys: [other], ConsistentRead: true } },
    });
    const writes = [one, other].map((Item) => ({ PutRequest: { Item } }));
    const written = await befall({ halfDone: 1 }, call('BatchWriteItem', { RequestItems: { T: writes } }));
    expect(proceeded[1]).toEqual({ RequestItems: { T: writes.slice(0, 1) } });
    expect(written.body).toEqual({ UnprocessedItems: { T: writes.slice(1) } });
    expect(tally.counts()).toEqual({ 'batches half done': 2 });
  });

  it('that is for one is done whole', async () => {
    const get = call('BatchGetItem', { RequestItems: { T: { Keys: [{ id: { S: '1' } }] } } });
    await befall({ halfDone: 1 }, get);
    expect(proceeded).toEqual([undefined]);
    expect(tally.counts()).toEqual({});
  });
});

it('draws the same for the same seed and purpose, and otherwise another', () => {
  const draws = (seed: number, purpose: string): number[] => {
    const random = seededRandom(seed, purpose);
    return Array.from({ length: 5 }, () => random.whole(1, 1_000_000));
  };
  expect(draws(1, 'sales')).toEqual(draws(1, 'sales'));
  expect(draws(1, 'sales')).not.toEqual(draws(1, 'chat'));
  expect(draws(1, 'sales')).not.toEqual(draws(2, 'sales'));
});
