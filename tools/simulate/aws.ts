import { AsyncLocalStorage } from 'node:async_hooks';
import { ConditionalCheckFailedException, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SQSClient } from '@aws-sdk/client-sqs';
import * as v from 'valibot';
import type { JsonObject } from '../../local/index.ts';
import {
  createDynalite,
  createItemStore,
  runOnItems,
  type AwsAnswer,
  type CheckedRequest,
  type ItemChange,
  type TableDescription,
} from '../../local/testing.ts';
import type { Draw } from './draw.ts';
import { createLog, type Log } from './log.ts';

export interface Fault {
  readonly atWrite: number;
  /** `before`, `after`: it fails, without or with its effect. `again`: its answer is lost, and the SDK sends it again. */
  readonly effect: 'before' | 'after' | 'again';
  /** True if the function ends there: it calls nothing more, and what it answers reaches nobody. */
  readonly dies: boolean;
}

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

export interface InvocationOptions {
  /** For the log. */
  readonly name?: string;
  readonly fault?: Fault | undefined;
  /** Of the message that invokes it. @default 0 */
  readonly hops?: number;
}

/** Whose call it is. */
export interface Caller {
  readonly name: string;
  /** How many calls there had been. */
  readonly startedAt: number;
}

interface Invocation extends Caller {
  readonly hops: number;
  readonly fault: Fault | undefined;
  writes: number;
  dead: boolean;
}

/** One for all worlds: Node 20 walks over every storage ever made whenever a promise is made. */
const invocations = new AsyncLocalStorage<Invocation>();

const WRITES = new Set([
  'PutItem',
  'UpdateItem',
  'DeleteItem',
  'BatchWriteItem',
  'SendMessage',
  'SendMessageBatch',
]);

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
const Refused = v.object({ statusCode: v.number(), body: v.looseObject({}) });

interface Request {
  readonly service: string;
  readonly action: string;
  readonly text: string;
  readonly json: JsonObject;
  readonly partition: string | undefined;
  checked?: CheckedRequest;
}

/** To read a request takes longer than to carry it out, and the days that a test repeats ask the same again and again. */
const requests = new Map<string, Request>();
const MOST_REQUESTS = 20_000;

function requestOf(service: string, action: string, input: object): Request {
  const text = JSON.stringify(input);
  const known = requests.get(action + text);
  if (known !== undefined) return known;
  const json: JsonObject = JSON.parse(text);
  const request = {
    service,
    action,
    text,
    json,
    partition: action === 'Query' ? partitionOf(json) : undefined,
  };
  if (requests.size === MOST_REQUESTS) requests.clear();
  requests.set(action + text, request);
  return request;
}

function partitionOf(query: JsonObject): string | undefined {
  const { KeyConditionExpression: condition, ExpressionAttributeValues: values } = v.parse(Asked, query);
  const partition = values[/= (:\w+)/.exec(condition)?.[1] ?? '']?.['S'];
  return typeof partition === 'string' ? partition : undefined;
}

/** What reads requests looks at no table. */
const dynalite = createDynalite(
  { accountId: '000000000000', region: 'us-east-1' },
  { define: () => undefined, drop: () => undefined },
);

/**
 * DynamoDB and SQS for functions that run in this process. Their calls go to the real engine, one at a time; where
 * several functions have called, `choose` says whose call is next, and so it alone decides how they interleave.
 *
 * @param onSend gets the messages that are sent
 * @param waiting tells how many messages a queue has
 * @param onCall hears of each call before it has its effect
 * @param onChange hears of each change of an item
 */
export function simulatedAws(
  choose: Draw,
  onSend: (message: SentMessage) => void,
  waiting: (queueUrl: string) => number,
  {
    onCall = () => undefined,
    onChange = () => undefined,
    log = createLog(),
  }: {
    readonly onCall?: () => void;
    readonly onChange?: (change: ItemChange) => void;
    readonly log?: Log;
  } = {},
) {
  const items = createItemStore(onChange);
  const unwritten = unwrittenPartitions();
  const turn = turnstile(choose);
  let callCount = 0;

  function effectOf(request: Request, hops: number): AwsAnswer {
    const { service, action, json } = request;
    if (action === 'GetQueueAttributes') {
      const count = waiting(v.parse(Sent, json).QueueUrl);
      return { status: 200, body: { Attributes: { ApproximateNumberOfMessages: String(count) } } };
    }
    if (service === 'sqs')
      return { status: 200, body: send(json, (message) => onSend({ ...message, hops })) };
    if (WRITES.has(action)) unwritten.note(json);
    else if (unwritten.has(request.partition))
      return { status: 200, body: { Items: [], Count: 0, ScannedCount: 0 } };
    try {
      request.checked ??= dynalite.check(action, json);
      return { status: 200, body: runOnItems(action, request.checked, items, () => undefined) };
    } catch (error) {
      if (!v.is(Refused, error)) throw error;
      return { status: error.statusCode, body: error.body };
    }
  }

  /** A call of an invocation, which may fail of it. @param effect may be had twice, where an answer is lost */
  function call<T>(invocation: Invocation | undefined, name: string, isWrite: boolean, effect: () => T): T {
    if (invocation?.dead === true) throw new Error('The function has ended.');
    onCall();
    callCount += 1;
    log.count('calls');
    log.line(`${invocation?.name ?? 'world'} ${name}`);
    if (invocation === undefined || !isWrite) return effect();
    const { fault } = invocation;
    const isHit = fault?.atWrite === invocation.writes;
    invocation.writes += 1;
    if (fault === undefined || !isHit) return effect();
    invocation.dead = fault.dies;
    const kind = fault.dies ? 'crashes' : fault.effect === 'before' ? 'throttles' : 'lost answers';
    log.count(kind);
    log.line(`  ${kind}, ${fault.effect}`);
    if (fault.effect === 'before') throw new Error(`${name} failed without its effect.`);
    const answer = effect();
    if (fault.effect === 'again') return effect();
    throw new Error(`${name} failed with its effect, and had answered ${JSON.stringify(answer)}.`);
  }

  /** Requests skip the wire: a command's input is the JSON that the SDK would send, and its output what it would parse. */
  function simulated<Client extends { send: unknown }>(service: string, client: Client): Client {
    client.send = async (command: { readonly input: object }): Promise<unknown> => {
      const action = command.constructor.name.replace(/Command$/, '');
      const request = requestOf(service, action, command.input);
      // Whoever lets the call through may be another function: whose call it is shows here.
      const invocation = invocations.getStore();
      const hops = invocation === undefined ? 0 : invocation.hops + 1;
      const answer = await turn(() =>
        call(invocation, `${action} ${request.text}`, WRITES.has(action), () => effectOf(request, hops)),
      );
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
    createTable: async (description: TableDescription): Promise<void> => items.define(description),
    client: simulated('dynamodb', new DynamoDBClient({ region: 'us-east-1' })),
    sqs: simulated('sqs', new SQSClient({ region: 'us-east-1' })),
    /** How many calls there have been: an order of what happens. */
    callCount: () => callCount,
    /** A write to something else than tables and queues, by the invocation that runs. */
    write: async <T>(name: string, effect: (caller: Caller) => T): Promise<T> => {
      const invocation = invocations.getStore();
      const caller = invocation ?? { name: 'world', startedAt: callCount };
      return turn(() => call(invocation, name, true, () => effect(caller)));
    },
    /** Runs a function once, as Lambda does. @returns how it ended, and how many writes it had begun */
    invoke: async <T>(
      run: () => Promise<T>,
      { name = 'function', fault, hops = 0 }: InvocationOptions = {},
    ): Promise<Ended<T> & { readonly writes: number }> => {
      const invocation: Invocation = { name, startedAt: callCount, hops, fault, writes: 0, dead: false };
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
    has: (partition: string | undefined): boolean => partition !== undefined && !written.has(partition),
  };
}

/** Lets calls through one at a time. All that are on their way have arrived before the next is chosen. */
function turnstile(choose: Draw): <T>(call: () => T) => Promise<T> {
  const waiting: (() => void)[] = [];
  let isOpen = false;

  async function letThrough(): Promise<void> {
    isOpen = true;
    while (waiting.length > 0) {
      await new Promise((resolve) => setImmediate(resolve));
      const [next] = waiting.splice(waiting.length === 1 ? 0 : choose(waiting.length), 1);
      next?.();
    }
    isOpen = false;
  }

  return (call) =>
    new Promise((resolve, reject) => {
      waiting.push(() => {
        try {
          resolve(call());
        } catch (error) {
          reject(error);
        }
      });
      if (!isOpen) void letThrough();
    });
}
