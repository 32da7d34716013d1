import { setTimeout as wait } from 'node:timers/promises';
import { type AwsAnswer, type AwsCall, awsError, type Interceptor } from '../../local/testing.ts';
import { isJsonList, isJsonObject, type JsonObject, objectAt } from '../../local/index.ts';
import type { Random } from './random.ts';
import type { Tally } from './tally.ts';

/** What fails a call. */
const FAILURES = ['calls throttled', 'calls failed before their effect', 'calls failed after it'] as const;
type Failure = (typeof FAILURES)[number];

/** How often what happens, each from 0 to 1. */
export interface FaultRates {
  /** Of all calls of the app's roles. */
  readonly failed: number;
  /** Of the failures: what goes on for a while, so that the SDK's four attempts are not enough. */
  readonly storms: number;
  /** Of the calls: what is answered late, now and then later than the SDK waits (2 s). */
  readonly heldUp: number;
  /** Of the requests that send messages. */
  readonly doubled: number;
  readonly delayed: number;
  /** Of the requests for several items at once. */
  readonly halfDone: number;
}

/** Rare enough that the app makes progress, and mostly repairs what happens by trying again. */
const usualRates: FaultRates = {
  failed: 0.03,
  storms: 0.1,
  heldUp: 0.01,
  doubled: 0.15,
  delayed: 0.1,
  halfDone: 0.05,
};
const STORM_MILLISECONDS = { minimum: 300, maximum: 1500 };
const HELD_UP_MILLISECONDS = [50, 200, 500, 2200];
const DELAY_SECONDS = { minimum: 1, maximum: 3 };

export interface FaultOptions {
  readonly random: Random;
  readonly isOn: () => boolean;
  readonly tally: Tally;
  readonly now: () => number;
  /** @default usualRates */
  readonly rates?: FaultRates;
}

/**
 * Faults in the calls that the app's roles make: functions, pollers, pipe. Nobody else's: who looks at the app from
 * outside must see it as it is.
 */
export function createFaults({ random, isOn, tally, now, rates = usualRates }: FaultOptions): Interceptor {
  const storms = new Map<string, { readonly failure: Failure; readonly until: number }>();

  const failureOf = (call: AwsCall): Failure | undefined => {
    const who = `${call.caller.kind === 'role' ? call.caller.roleArn : ''} ${call.service}:${call.action}`;
    const storm = storms.get(who);
    if (storm !== undefined && now() < storm.until) return storm.failure;
    if (!random.chance(rates.failed)) return undefined;
    const failure = random.pick(FAILURES);
    if (random.chance(rates.storms)) {
      const lasts = random.whole(STORM_MILLISECONDS.minimum, STORM_MILLISECONDS.maximum);
      storms.set(who, { failure, until: now() + lasts });
    }
    return failure;
  };

  return async (call, proceed) => {
    if (!isOn() || call.caller.kind !== 'role') return proceed();
    if (random.chance(rates.heldUp)) {
      tally.add('calls held up');
      await wait(random.pick(HELD_UP_MILLISECONDS));
    }
    const failure = failureOf(call);
    if (failure !== undefined) {
      tally.add(failure);
      if (failure === 'calls throttled') return throttled(call);
      if (failure === 'calls failed after it') await proceed();
      return failed(call);
    }
    if (call.action.startsWith('SendMessage')) return send(call, proceed);
    const half = random.chance(rates.halfDone) ? halved(call) : undefined;
    if (half === undefined) return proceed();
    tally.add('batches half done');
    return half.merged(await proceed(half.first));
  };

  async function send(
    call: AwsCall,
    proceed: (request?: JsonObject) => Promise<AwsAnswer>,
  ): Promise<AwsAnswer> {
    const half = random.chance(rates.halfDone) ? halved(call) : undefined;
    if (half !== undefined) {
      tally.add('batches half done');
      return half.merged(await proceed(half.first));
    }
    const messages = entriesOf(call.request)?.length ?? 1;
    let request = call.request;
    if (random.chance(rates.delayed)) {
      tally.add('messages delayed', messages);
      request = delayed(request, random.whole(DELAY_SECONDS.minimum, DELAY_SECONDS.maximum));
    }
    const answer = await proceed(request);
    if (answer.status < 300 && random.chance(rates.doubled)) {
      tally.add('messages doubled', messages);
      await proceed(request);
    }
    return answer;
  }
}

function throttled({ service, action }: AwsCall): AwsAnswer {
  if (service === 'execute-api') return restError('LimitExceededException', 429);
  const isItemCall = service === 'dynamodb' && !/Stream|Shard|Records/.test(action);
  return awsError(
    isItemCall ? 'ProvisionedThroughputExceededException' : 'ThrottlingException',
    'Rate exceeded: a fault of the soak.',
  );
}

function failed({ service }: AwsCall): AwsAnswer {
  if (service === 'execute-api') return restError('InternalServerErrorException', 500);
  return awsError('InternalServerError', 'A fault of the soak.', 500);
}

/** REST services name an error in a header. */
function restError(name: string, status: number): AwsAnswer {
  return { ...awsError(name, 'A fault of the soak.', status), headers: { 'x-amzn-errortype': name } };
}

function entriesOf(request: JsonObject): readonly JsonObject[] | undefined {
  return isJsonList(request['Entries']) ? request['Entries'].filter(isJsonObject) : undefined;
}

/** Messages that the sender delays itself keep their delay. */
function delayed(request: JsonObject, seconds: number): JsonObject {
  const entries = entriesOf(request);
  return entries === undefined
    ? { DelaySeconds: seconds, ...request }
    : { ...request, Entries: entries.map((entry) => ({ DelaySeconds: seconds, ...entry })) };
}

/** The first half of a request for several items, and the answer that says that the rest was left undone. */
interface Half {
  readonly first: JsonObject;
  readonly merged: (answer: AwsAnswer) => AwsAnswer;
}

function halved({ action, request }: AwsCall): Half | undefined {
  if (action === 'SendMessageBatch') return halvedEntries(request);
  const [table, asked] = Object.entries(objectAt(request, 'RequestItems'))[0] ?? [];
  if (table === undefined) return undefined;
  if (action === 'BatchWriteItem' && isJsonList(asked)) {
    const [first, rest] = split(asked);
    if (rest.length === 0) return undefined;
    return {
      first: { ...request, RequestItems: { [table]: first } },
      merged: (answer) => withMember(answer, 'UnprocessedItems', { [table]: rest }),
    };
  }
  if (action === 'BatchGetItem' && isJsonObject(asked) && isJsonList(asked['Keys'])) {
    const [first, rest] = split(asked['Keys']);
    if (rest.length === 0) return undefined;
    return {
      first: { ...request, RequestItems: { [table]: { ...asked, Keys: first } } },
      merged: (answer) => withMember(answer, 'UnprocessedKeys', { [table]: { ...asked, Keys: rest } }),
    };
  }
  return undefined;
}

function halvedEntries(request: JsonObject): Half | undefined {
  const [first, rest] = split(entriesOf(request) ?? []);
  if (rest.length === 0) return undefined;
  const Failed = rest.map(({ Id }) => ({
    Id: Id ?? null,
    SenderFault: false,
    Code: 'InternalError',
    Message: 'A fault of the soak.',
  }));
  return {
    first: { ...request, Entries: first },
    merged: (answer) => withMember(answer, 'Failed', Failed),
  };
}

function split<T>(items: readonly T[]): [T[], T[]] {
  const middle = Math.ceil(items.length / 2);
  return [items.slice(0, middle), items.slice(middle)];
}

function withMember(answer: AwsAnswer, name: string, value: unknown): AwsAnswer {
  return answer.status < 300 && isJsonObject(answer.body)
    ? { ...answer, body: { ...answer.body, [name]: value } }
    : answer;
}
