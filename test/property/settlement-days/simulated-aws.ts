import { AsyncLocalStorage } from 'node:async_hooks';
import { ConditionalCheckFailedException, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SQSClient } from '@aws-sdk/client-sqs';
import * as v from 'valibot';
import type { AwsAnswer } from '../../../local/testing.ts';
import { createDynamoDb } from '../../../local/dynamodb/dynamodb.ts';
import type { JsonObject } from '../../../local/index.ts';
import type { Draw } from '../draw.ts';

/** What happens at one write of an invocation. */
export interface Fault {
  /** Which of its writes, from 0. */
  readonly atWrite: number;
  /** `before`, `after`: it fails, without or with its effect. `again`: its answer is lost, and the SDK sends it again. */
  readonly effect: 'before' | 'after' | 'again';
  /** True if the function ends there: it calls nothing more, and what it answers reaches nobody. */
  readonly dies: boolean;
}

/** How an invocation ended. */
export type Ended<T> =
  | { readonly outcome: 'answered'; readonly value: T }
  | { readonly outcome: 'failed'; readonly error: unknown; readonly died: boolean };

export interface SentMessage {
  readonly queueUrl: string;
  readonly body: string;
  readonly delaySeconds: number;
  /** How many functions in a row have sent it on, the last included. @default none */
  readonly hops?: number;
}

interface Invocation {
  readonly hops: number;
  readonly fault: Fault | undefined;
  writes: number;
  dead: boolean;
}

/** One for all worlds: Node 20 walks over every storage ever made whenever a promise is made. */
const invocations = new AsyncLocalStorage<Invocation>();

/** Nobody aborts a call of a simulation. */
const { signal } = new AbortController();

const WRITES = new Set(['PutItem', 'UpdateItem', 'BatchWriteItem', 'SendMessage', 'SendMessageBatch']);

const Sent = v.object({
  QueueUrl: v.string(),
  MessageBody: v.optional(v.string(), ''),
  DelaySeconds: v.optional(v.number(), 0),
  Entries: v.exactOptional(v.array(v.object({ Id: v.string(), MessageBody: v.string() }))),
});

const Asked = v.object({
  KeyConditionExpression: v.string(),
  ExpressionAttributeValues: v.record(v.string(), v.record(v.string(), v.unknown())),
});

const Refusal = v.object({ __type: v.string(), message: v.optional(v.string(), '') });

/**
 * DynamoDB and SQS for functions that run in this process. Their calls go to the real engine, one at a time; where
 * several functions have called, `choose` says whose call is next, and so it alone decides how they interleave.
 *
 * @param onSend gets the messages that are sent
 * @param waiting tells how many messages a queue has
 * @param onCall hears of each call before it has its effect
 */
export function simulatedAws(
  choose: Draw,
  onSend: (message: SentMessage) => void,
  waiting: (queueUrl: string) => number,
  onCall: () => void = () => undefined,
) {
  const dynamoDb = createDynamoDb({ accountId: '000000000000', region: 'us-east-1' });
  const unwritten = unwrittenPartitions();
  const turn = turnstile(choose);

  async function effectOf(
    service: string,
    action: string,
    request: JsonObject,
    hops: number,
  ): Promise<AwsAnswer> {
    if (action === 'GetQueueAttributes') {
      const count = waiting(v.parse(Sent, request).QueueUrl);
      return { status: 200, body: { Attributes: { ApproximateNumberOfMessages: String(count) } } };
    }
    if (service === 'sqs')
      return { status: 200, body: send(request, (message) => onSend({ ...message, hops })) };
    if (WRITES.has(action)) unwritten.note(request);
    else if (action === 'Query' && unwritten.covers(request))
      return { status: 200, body: { Items: [], Count: 0, ScannedCount: 0 } };
    return dynamoDb.handle({ service, action, request, caller: { kind: 'operator' }, signal });
  }

  async function call(
    service: string,
    action: string,
    request: JsonObject,
    invocation: Invocation | undefined,
  ): Promise<AwsAnswer> {
    if (invocation?.dead === true) throw new Error('The function has ended.');
    onCall();
    const hops = invocation === undefined ? 0 : invocation.hops + 1;
    if (invocation === undefined || !WRITES.has(action)) return effectOf(service, action, request, hops);
    const { fault } = invocation;
    const isHit = fault?.atWrite === invocation.writes;
    invocation.writes += 1;
    if (fault === undefined || !isHit) return effectOf(service, action, request, hops);
    invocation.dead = fault.dies;
    if (fault.effect === 'before') throw new Error(`${action} failed without its effect.`);
    const answer = await effectOf(service, action, request, hops);
    if (fault.effect === 'again') return effectOf(service, action, request, hops);
    throw new Error(`${action} failed with its effect, and had answered ${answer.status}.`);
  }

  /** Requests skip the wire: a command's input is the JSON that the SDK would send, and its output what it would parse. */
  function simulated<Client extends { send: unknown }>(service: string, client: Client): Client {
    client.send = async (command: { readonly input: object }): Promise<unknown> => {
      const action = command.constructor.name.replace(/Command$/, '');
      const request: JsonObject = JSON.parse(JSON.stringify(command.input));
      // Whoever lets the call through may be another function: whose call it is shows here.
      const invocation = invocations.getStore();
      const answer = await turn(() => call(service, action, request, invocation));
      if (answer.status === 200) return answer.body;
      const { __type, message } = v.parse(Refusal, answer.body);
      const name = __type.split('#').at(-1);
      if (name === 'ConditionalCheckFailedException')
        throw new ConditionalCheckFailedException({ message, $metadata: {} });
      throw Object.assign(new Error(message), { name });
    };
    return client;
  }

  return {
    dynamoDb,
    client: simulated('dynamodb', new DynamoDBClient({ region: 'us-east-1' })),
    sqs: simulated('sqs', new SQSClient({ region: 'us-east-1' })),
    /** Runs a function once, as Lambda does. @returns how it ended, and how many writes it had begun */
    invoke: async <T>(
      run: () => Promise<T>,
      fault?: Fault,
      /** Of the message that invokes it. */
      hops = 0,
    ): Promise<Ended<T> & { readonly writes: number }> => {
      const invocation: Invocation = { hops, fault, writes: 0, dead: false };
      try {
        const value = await invocations.run(invocation, run);
        const { writes } = invocation;
        if (!invocation.dead) return { outcome: 'answered', value, writes };
        return { outcome: 'failed', error: new Error('The function has ended.'), died: true, writes };
      } catch (error) {
        return { outcome: 'failed', error, died: invocation.dead, writes: invocation.writes };
      }
    },
  };
}

function send(request: JsonObject, onSend: (message: SentMessage) => void): JsonObject {
  const {
    QueueUrl: queueUrl,
    MessageBody: body,
    DelaySeconds: delaySeconds,
    Entries: entries,
  } = v.parse(Sent, request);
  if (entries === undefined) {
    onSend({ queueUrl, body, delaySeconds });
    return { MessageId: 'simulated' };
  }
  for (const entry of entries) onSend({ queueUrl, body: entry.MessageBody, delaySeconds });
  return { Successful: entries.map(({ Id }) => ({ Id })) };
}

/**
 * A walk of the books asks 32 partitions, and the small books of a simulation fill few of them: the engine is not asked
 * for a partition whose key was never written to any attribute of any item.
 */
function unwrittenPartitions() {
  const written = new Set<string>();
  function note(value: unknown): void {
    if (typeof value === 'string') written.add(value);
    else if (typeof value === 'object' && value !== null) for (const each of Object.values(value)) note(each);
  }
  return {
    note,
    covers: (query: JsonObject): boolean => {
      const { KeyConditionExpression: condition, ExpressionAttributeValues: values } = v.parse(Asked, query);
      const partition = values[/= (:\w+)/.exec(condition)?.[1] ?? '']?.['S'];
      return typeof partition === 'string' && !written.has(partition);
    },
  };
}

/** Lets calls through one at a time. All that are on their way have arrived before the next is chosen. */
function turnstile(choose: Draw): <T>(call: () => Promise<T>) => Promise<T> {
  const waiting: (() => Promise<void>)[] = [];
  let isOpen = false;

  async function letThrough(): Promise<void> {
    isOpen = true;
    while (waiting.length > 0) {
      await new Promise((resolve) => setImmediate(resolve));
      const [next] = waiting.splice(waiting.length === 1 ? 0 : choose(waiting.length), 1);
      await next?.();
    }
    isOpen = false;
  }

  return (call) =>
    new Promise((resolve, reject) => {
      waiting.push(() => call().then(resolve, reject));
      if (!isOpen) void letThrough();
    });
}
