import type { AwsAnswer, AwsCall, Interceptor } from './endpoint/index.ts';
import { isJsonObject, objectsAt, textAt, type JsonObject } from './template/index.ts';

/** Each in the unit that AWS bills. */
export type UsageUnit =
  | 'dynamodb-write-units'
  | 'dynamodb-read-units'
  /** In steps of 64 KB of payload. */
  | 'sqs-requests'
  /** Billed as requests too, but they come with time and not with messages. */
  | 'sqs-empty-receives'
  | 'lambda-requests'
  /** Time on this machine, and memory in the template. */
  | 'lambda-gigabyte-seconds'
  /** Not billed: the same time without the memory. */
  | 'lambda-milliseconds'
  | 'http-api-requests'
  /** In either direction, in steps of 32 KB. */
  | 'websocket-messages'
  | 'websocket-connection-minutes'
  /** Records that passed the filter and were sent. A pipe reads its stream for free. */
  | 'pipe-requests'
  | 'scheduler-invocations';

export interface UsageRecord {
  readonly unit: UsageUnit;
  /** The physical name, or for an API its name in the template. */
  readonly resource: string;
  /** The index, SQS action, route or message direction; empty for the rest. */
  readonly part: string;
  /** The function or role that called, `operator` for other callers; empty where no call causes it. */
  readonly by: string;
  readonly count: number;
}

export interface Usage {
  readonly takenAt: number;
  readonly records: readonly UsageRecord[];
}

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

/** Leaves out SQS requests that are refused, and counts requests that an HTTP API refuses, as an upper bound. */
export function createUsageMeter(options: {
  readonly now: () => number;
  readonly memoryMegabytesOf: (functionName: string) => number;
  /** The display name for a role's ARN or an API's id. */
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
  /** By API. `minutes` adds up open connections as if each had begun at the epoch. */
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

export function usageBetween(earlier: Usage, later: Usage): readonly UsageRecord[] {
  const keyOf = ({ unit, resource, part, by }: UsageRecord): string => [unit, resource, part, by].join('\n');
  const before = new Map(earlier.records.map((record) => [keyOf(record), record.count]));
  return later.records
    .map((record) => ({ ...record, count: record.count - (before.get(keyOf(record)) ?? 0) }))
    .filter(({ count }) => count > 0);
}

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

/** SQS bills a request by its payload, and an empty receive as one request. */
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
