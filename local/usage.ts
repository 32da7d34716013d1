import type { AwsAnswer, AwsCall, Interceptor } from './endpoint/index.ts';
import { isJsonObject, objectsAt, textAt, type JsonObject } from './template/index.ts';

/** What is counted, each in the unit that AWS bills. */
export type UsageUnit =
  | 'dynamodb-write-units'
  | 'dynamodb-read-units'
  /** In steps of 64 KB of payload. */
  | 'sqs-requests'
  /** Receives that found nothing: billed as requests, but they come with time and not with messages. */
  | 'sqs-empty-receives'
  | 'lambda-requests'
  /** Of the time that the functions took on this machine, and their memory in the template. */
  | 'lambda-gigabyte-seconds'
  /** Not billed as such: the same time, without the memory. */
  | 'lambda-milliseconds'
  | 'http-api-requests'
  /** In either direction, in steps of 32 KB. */
  | 'websocket-messages'
  | 'websocket-connection-minutes'
  /** Records that passed the filter and were sent. What a pipe reads of a stream is free. */
  | 'pipe-requests'
  | 'scheduler-invocations';

/** A count of one unit on one resource, caused by one caller. */
export interface UsageRecord {
  readonly unit: UsageUnit;
  /** The physical name of the table, queue, function, pipe or schedule; of an API its name in the template. */
  readonly resource: string;
  /** The index, the action of a queue, the route of an API, or the direction of a message; empty for all else. */
  readonly part: string;
  /** The function or role that made the call, `operator` for whoever else did; empty for what no call causes. */
  readonly by: string;
  readonly count: number;
}

/** What was used from the host's start on. */
export interface Usage {
  /** Milliseconds of the epoch. */
  readonly takenAt: number;
  readonly records: readonly UsageRecord[];
}

/** The host's events, as far as they are counted. */
type CountedEvent =
  | {
      readonly type: 'invocation';
      readonly functionName: string;
      readonly outcome: string;
      readonly milliseconds: number;
    }
  | { readonly type: 'http'; readonly apiId: string; readonly routeKey: string | undefined }
  | { readonly type: 'pipe'; readonly pipeName: string; readonly size: number; readonly failed: number }
  | { readonly type: 'schedule'; readonly scheduleName: string }
  | { readonly type: 'access-denied' | 'batch' | 'log' | 'recursion' | 'web-socket' };

/** Units of a table itself and of each index. */
interface ConsumedCapacity {
  readonly kind: 'read' | 'write';
  readonly tableName: string;
  readonly tableUnits: number;
  readonly indexes: readonly { readonly indexName: string; readonly units: number }[];
}

export type UsageMeter = ReturnType<typeof createUsageMeter>;

const SQS_STEP_BYTES = 64 * 1024;
const WEB_SOCKET_STEP_BYTES = 32 * 1024;

type Add = (unit: UsageUnit, resource: string, part: string, by: string, count: number) => void;

/**
 * Counts what AWS would bill, and keeps counts only. Refused calls to SQS are left out; requests that an HTTP API itself
 * refuses are counted, as an upper bound.
 */
export function createUsageMeter(options: {
  /** Milliseconds of the epoch. */
  readonly now: () => number;
  readonly memoryMegabytesOf: (functionName: string) => number;
  /** What people call the holder of a role, by its ARN, or an API, by its id. */
  readonly nameOf: (id: string) => string;
}) {
  const { now, memoryMegabytesOf, nameOf } = options;
  const counts = new Map<string, { -readonly [Field in keyof UsageRecord]: UsageRecord[Field] }>();
  const add: Add = (unit, resource, part, by, count) => {
    const key = [unit, resource, part, by].join('\n');
    const known = counts.get(key);
    if (known === undefined) counts.set(key, { unit, resource, part, by, count });
    else known.count += count;
  };
  const connections = new ConnectionMinutes(now);
  const interceptor: Interceptor = async (call, proceed) => {
    const answer = await proceed();
    if (call.service === 'sqs' && answer.status < 300) {
      const { unit, count } = queueRequest(call, answer);
      const queueName = textAt(call.request, 'QueueUrl')?.split('/').at(-1) ?? '';
      add(unit, queueName, call.action, callerId(call), count);
    }
    return answer;
  };
  return {
    /** Goes innermost: AWS does not bill what an interceptor keeps from a service. */
    interceptor,
    onConsumed: (call: AwsCall, { kind, tableName, tableUnits, indexes }: ConsumedCapacity): void => {
      const unit = `dynamodb-${kind}-units` as const;
      const by = callerId(call);
      if (tableUnits > 0) add(unit, tableName, '', by, tableUnits);
      for (const { indexName, units } of indexes) add(unit, tableName, indexName, by, units);
    },
    onEvent: (event: CountedEvent): void => addEvent(event, add, memoryMegabytesOf),
    webSockets: {
      connected: (apiId: string): void => connections.change(apiId, 1),
      disconnected: (apiId: string): void => connections.change(apiId, -1),
      message: (apiId: string, direction: 'in' | 'out', bytes: number): void => {
        add('websocket-messages', apiId, direction, '', steps(bytes, WEB_SOCKET_STEP_BYTES));
      },
    },
    usage: (): Usage => {
      const takenAt = now();
      const records = [...counts.values(), ...connections.records(takenAt)].map((record) => ({
        ...record,
        resource: nameOf(record.resource),
        by: nameOf(record.by),
      }));
      return { takenAt, records };
    },
  };
}

function addEvent(event: CountedEvent, add: Add, memoryMegabytesOf: (functionName: string) => number): void {
  switch (event.type) {
    case 'invocation': {
      if (event.outcome === 'throttled') return;
      const { functionName } = event;
      const milliseconds = Math.ceil(event.milliseconds);
      const gigabytes = memoryMegabytesOf(functionName) / 1024;
      add('lambda-requests', functionName, '', functionName, 1);
      add('lambda-milliseconds', functionName, '', functionName, milliseconds);
      return add(
        'lambda-gigabyte-seconds',
        functionName,
        '',
        functionName,
        (milliseconds / 1000) * gigabytes,
      );
    }
    case 'http':
      return add('http-api-requests', event.apiId, event.routeKey ?? '', '', 1);
    case 'pipe': {
      const sent = event.size - event.failed;
      if (sent > 0) add('pipe-requests', event.pipeName, '', '', sent);
      return;
    }
    case 'schedule':
      return add('scheduler-invocations', event.scheduleName, '', '', 1);
    case 'access-denied':
    case 'batch':
    case 'log':
    case 'recursion':
    case 'web-socket':
  }
}

class ConnectionMinutes {
  readonly #now: () => number;
  /** Of each API: connections that are open, and the sum of all their minutes as if they had begun at the epoch. */
  readonly #apis = new Map<string, { readonly open: number; readonly minutes: number }>();

  constructor(now: () => number) {
    this.#now = now;
  }

  change(apiId: string, change: 1 | -1): void {
    const { open, minutes } = this.#apis.get(apiId) ?? { open: 0, minutes: 0 };
    this.#apis.set(apiId, { open: open + change, minutes: minutes - (change * this.#now()) / 60_000 });
  }

  records(takenAt: number): readonly UsageRecord[] {
    return [...this.#apis].map(([apiId, { open, minutes }]) => ({
      unit: 'websocket-connection-minutes',
      resource: apiId,
      part: '',
      by: '',
      count: minutes + (open * takenAt) / 60_000,
    }));
  }
}

/** What was used between two looks at the same host. */
export function usageBetween(earlier: Usage, later: Usage): readonly UsageRecord[] {
  const keyOf = ({ unit, resource, part, by }: UsageRecord): string => [unit, resource, part, by].join('\n');
  const before = new Map(earlier.records.map((record) => [keyOf(record), record.count]));
  return later.records
    .map((record) => ({ ...record, count: record.count - (before.get(keyOf(record)) ?? 0) }))
    .filter(({ count }) => count > 0);
}

/** How much of a unit there is in records, all of them or those that a test lets pass. */
export function unitsIn(
  records: readonly UsageRecord[],
  unit: UsageUnit,
  isWanted: (record: UsageRecord) => boolean = () => true,
): number {
  return sum(records.filter((record) => record.unit === unit && isWanted(record)).map(({ count }) => count));
}

function callerId({ caller }: AwsCall): string {
  return caller.kind === 'role' ? caller.roleArn : 'operator';
}

/** How SQS bills a request: by its payload, and an empty receive as one. */
function queueRequest(
  { action, request }: AwsCall,
  { body }: AwsAnswer,
): { readonly unit: 'sqs-requests' | 'sqs-empty-receives'; readonly count: number } {
  if (action !== 'ReceiveMessage') {
    const entries = request['Entries'] === undefined ? [request] : objectsAt(request, 'Entries');
    return { unit: 'sqs-requests', count: steps(sum(entries.map(messageBytes)), SQS_STEP_BYTES) };
  }
  const answered = isJsonObject(body) ? objectsAt(body, 'Messages') : [];
  if (answered.length === 0) return { unit: 'sqs-empty-receives', count: 1 };
  const bytes = sum(answered.map(messageBytes));
  return { unit: 'sqs-requests', count: steps(bytes, SQS_STEP_BYTES) };
}

/** A message's payload: its body, and what attributes it has. */
function messageBytes(message: JsonObject): number {
  const body = textAt(message, 'MessageBody') ?? textAt(message, 'Body') ?? '';
  const attributes = message['MessageAttributes'];
  return Buffer.byteLength(body) + (attributes === undefined ? 0 : JSON.stringify(attributes).length);
}

function steps(bytes: number, stepBytes: number): number {
  return Math.max(1, Math.ceil(bytes / stepBytes));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}
