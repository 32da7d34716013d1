import { setTimeout as wait } from 'node:timers/promises';
import { errorMessage } from '../../cli/shared/command-error.ts';
import type { HttpClient } from '../../cli/shared/http.ts';
import { type AwsAnswer, type AwsCall, awsError, type Interceptor } from '../../local/testing.ts';
import { isJsonList, isJsonObject, type JsonObject, objectAt } from '../../local/index.ts';
import type { Random } from '../harness/random.ts';
import type { Tally } from './record.ts';

const FAILURES = ['calls throttled', 'calls failed before their effect', 'calls failed after it'] as const;
type Failure = (typeof FAILURES)[number];

/** Each is a probability. */
export interface FaultRates {
  /** A call of the app's roles fails. */
  readonly failed: number;
  /** The failure lasts for longer than the SDK's four attempts. */
  readonly storms: number;
  /** The answer is late, sometimes later than the SDK waits (2 s). */
  readonly heldUp: number;
  /** A request that sends messages is repeated, or its messages are delayed. */
  readonly doubled: number;
  readonly delayed: number;
  /** A request for several items does half of them. */
  readonly halfDone: number;
}

/** Rare enough that the app mostly recovers by trying again. */
const usualRates: FaultRates = {
  failed: 0.03,
  storms: 0.1,
  heldUp: 0.01,
  doubled: 0.15,
  delayed: 0.1,
  halfDone: 0.05,
};
const STORM_MILLISECONDS = [300, 1500] as const;
const HELD_UP_MILLISECONDS = [50, 200, 500, 2200];
const DELAY_SECONDS = [1, 3] as const;
/** The network loses an answer on its way to a client. */
const LOST_RATE = 0.01;
const MESSAGE = 'A fault of the soak.';

export interface FaultOptions {
  readonly random: Random;
  readonly isOn: () => boolean;
  readonly tally: Tally;
  readonly rates?: FaultRates;
}

/** Only calls of the app's roles fail, so that checks see the truth. */
export function createFaults({ random, isOn, tally, rates = usualRates }: FaultOptions): Interceptor {
  const storms = new Map<string, { readonly failure: Failure; readonly until: number }>();

  const failureOf = (roleArn: string, { service, action }: AwsCall): Failure | undefined => {
    const caller = `${roleArn} ${service}:${action}`;
    const storm = storms.get(caller);
    if (storm !== undefined && performance.now() < storm.until) return storm.failure;
    if (!random.chance(rates.failed)) return undefined;
    const failure = random.pick(FAILURES);
    if (random.chance(rates.storms))
      storms.set(caller, { failure, until: performance.now() + random.whole(...STORM_MILLISECONDS) });
    return failure;
  };

  return async (call, proceed) => {
    if (!isOn() || call.caller.kind !== 'role') return proceed();
    if (random.chance(rates.heldUp)) {
      tally.add('calls held up');
      await wait(random.pick(HELD_UP_MILLISECONDS));
    }
    const failure = failureOf(call.caller.roleArn, call);
    if (failure !== undefined) {
      tally.add(failure);
      if (failure === 'calls failed after it') await proceed();
      return failure === 'calls throttled' ? throttled(call) : failed(call);
    }
    const half = random.chance(rates.halfDone) ? halved(call) : undefined;
    if (half !== undefined) {
      tally.add('batches half done');
      return half.merged(await proceed(half.first));
    }
    if (!call.action.startsWith('SendMessage')) return proceed();
    const messages = entriesOf(call.request)?.length ?? 1;
    const isDelayed = random.chance(rates.delayed);
    if (isDelayed) tally.add('messages delayed', messages);
    const request = isDelayed ? delayed(call.request, random.whole(...DELAY_SECONDS)) : call.request;
    const answer = await proceed(request);
    if (answer.status < 300 && random.chance(rates.doubled)) {
      tally.add('messages doubled', messages);
      await proceed(request);
    }
    return answer;
  };
}

function throttled({ service, action }: AwsCall): AwsAnswer {
  if (service === 'execute-api') return restError('LimitExceededException', 429);
  const isItemCall = service === 'dynamodb' && !/Stream|Shard|Records/.test(action);
  return awsError(isItemCall ? 'ProvisionedThroughputExceededException' : 'ThrottlingException', MESSAGE);
}

function failed({ service }: AwsCall): AwsAnswer {
  if (service === 'execute-api') return restError('InternalServerErrorException', 500);
  return awsError('InternalServerError', MESSAGE, 500);
}

/** REST services name an error in a header. */
function restError(name: string, status: number): AwsAnswer {
  return { ...awsError(name, MESSAGE, status), headers: { 'x-amzn-errortype': name } };
}

function entriesOf(request: JsonObject): readonly JsonObject[] | undefined {
  return isJsonList(request['Entries']) ? request['Entries'].filter(isJsonObject) : undefined;
}

/** A delay that the sender chose stays. */
function delayed(request: JsonObject, seconds: number): JsonObject {
  const entries = entriesOf(request);
  return entries === undefined
    ? { DelaySeconds: seconds, ...request }
    : { ...request, Entries: entries.map((entry) => ({ DelaySeconds: seconds, ...entry })) };
}

interface Half {
  readonly first: JsonObject;
  readonly merged: (answer: AwsAnswer) => AwsAnswer;
}

function halved({ action, request }: AwsCall): Half | undefined {
  const half = <T>(
    items: readonly T[],
    withItems: (first: readonly T[]) => JsonObject,
    undone: (rest: readonly T[]) => Readonly<Record<string, unknown>>,
  ): Half | undefined => {
    const middle = Math.ceil(items.length / 2);
    if (middle === items.length) return undefined;
    return {
      first: { ...request, ...withItems(items.slice(0, middle)) },
      merged: (answer) =>
        answer.status < 300 && isJsonObject(answer.body)
          ? { ...answer, body: { ...answer.body, ...undone(items.slice(middle)) } }
          : answer,
    };
  };
  if (action === 'SendMessageBatch') {
    const error = { SenderFault: false, Code: 'InternalError', Message: MESSAGE };
    return half(
      entriesOf(request) ?? [],
      (Entries) => ({ Entries }),
      (rest) => ({ Failed: rest.map(({ Id }) => ({ Id, ...error })) }),
    );
  }
  const [table = '', asked] = Object.entries(objectAt(request, 'RequestItems'))[0] ?? [];
  if (action === 'BatchWriteItem' && isJsonList(asked))
    return half(
      asked,
      (first) => ({ RequestItems: { [table]: first } }),
      (rest) => ({ UnprocessedItems: { [table]: rest } }),
    );
  if (action === 'BatchGetItem' && isJsonObject(asked) && isJsonList(asked['Keys']))
    return half(
      asked['Keys'],
      (Keys) => ({ RequestItems: { [table]: { ...asked, Keys } } }),
      (Keys) => ({ UnprocessedKeys: { [table]: { ...asked, Keys } } }),
    );
  return undefined;
}

/** Its network loses answers. Callers try again, and `retried` counts why. */
export function lossyHttpClient(
  http: HttpClient,
  { random, isOn, tally, retried }: FaultOptions & { readonly retried: Tally },
): HttpClient {
  return {
    ...http,
    send: async (request) => {
      const response = await http.send(request).catch((error: unknown) => {
        retried.add(`no answer: ${errorMessage(error)}`);
        throw error;
      });
      if (response.status >= 500 || response.status === 429) retried.add(`answered ${response.status}`);
      else if (isOn() && random.chance(LOST_RATE)) {
        tally.add('answers lost');
        throw new Error(`The answer was lost: ${MESSAGE}`);
      }
      return response;
    },
  };
}
