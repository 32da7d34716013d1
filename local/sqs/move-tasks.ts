import { randomUUID } from 'node:crypto';
import { jsonObjectIn, textAt, type JsonObject } from '../template/index.ts';
import { SqsError } from './errors.ts';
import { noteOf, SqsStore, type SqsQueue } from './fauxqs.ts';
import { redriveOf } from './receive.ts';
import { invalidValue, isWholeNumber } from './requests.ts';

export interface MoveTasks {
  readonly start: (request: JsonObject) => JsonObject;
  readonly list: (request: JsonObject) => JsonObject;
  readonly cancel: (request: JsonObject) => JsonObject;
  readonly stop: () => void;
}

interface Task {
  readonly taskId: string;
  readonly source: SqsQueue;
  /** @default each message goes back to the queue it came from */
  readonly destination: SqsQueue | undefined;
  readonly messagesPerSecond: number | undefined;
  readonly startedAt: number;
  readonly toMove: number;
  moved: number;
  status: 'RUNNING' | 'COMPLETED' | 'CANCELLED' | 'FAILED';
  failureReason?: string;
  timer?: NodeJS.Timeout;
}

const TICK_MILLISECONDS = 50;
const MAXIMUM_MESSAGES_PER_SECOND = 500;
const MAXIMUM_RESULTS = 10;

/** Source: SQS API reference, StartMessageMoveTask, ListMessageMoveTasks and CancelMessageMoveTask. */
export function createMoveTasks(store: SqsStore): MoveTasks {
  let tasks: readonly Task[] = [];

  return {
    start: (request) => {
      const source = sourceAt(store, request);
      const destination = queueAt(store, request, 'DestinationArn');
      const messagesPerSecond = rateAt(request);
      checkSource(store, source, tasks);
      source.processTimers();
      const task: Task = {
        taskId: randomUUID(),
        source,
        destination,
        messagesPerSecond,
        startedAt: Date.now(),
        toMove: source.messages.length,
        moved: 0,
        status: 'RUNNING',
      };
      const others = tasks.filter((other) => other.source !== source);
      const same = tasks.filter((other) => other.source === source).slice(0, MAXIMUM_RESULTS - 1);
      tasks = [task, ...same, ...others];
      task.timer = setTimeout(() => move(store, task), 0);
      return { TaskHandle: handleOf(task) };
    },
    list: (request) => {
      const source = sourceAt(store, request);
      const count = Number(request['MaxResults'] ?? 1);
      if (!isWholeNumber(count, 1, MAXIMUM_RESULTS)) {
        throw invalidValue(`MaxResults must be between 1 and ${MAXIMUM_RESULTS}.`);
      }
      const listed = tasks.filter((task) => task.source === source).slice(0, count);
      return { Results: listed.map(described) };
    },
    cancel: (request) => {
      const handle = textAt(request, 'TaskHandle');
      const sourceArn = sourceOfTask(handle);
      if (sourceArn === undefined) throw invalidValue('Value for parameter TaskHandle is invalid.');
      queueAt(store, { SourceArn: sourceArn }, 'SourceArn');
      const task = tasks.find((each) => handleOf(each) === handle);
      if (task === undefined) throw new SqsError('ResourceNotFoundException', 'Task does not exist.');
      if (task.status !== 'RUNNING') {
        throw new SqsError('UnsupportedOperation', 'Only active tasks can be cancelled.');
      }
      end(task, 'CANCELLED');
      return { ApproximateNumberOfMessagesMoved: task.moved };
    },
    stop: () => {
      for (const { timer } of tasks) clearTimeout(timer);
    },
  };
}

function checkSource(store: SqsStore, source: SqsQueue, tasks: readonly Task[]): void {
  if (!store.listQueues().some((queue) => redriveOf(store, queue)?.deadLetterQueue === source)) {
    throw invalidValue('Source queue must be configured as a Dead Letter Queue.');
  }
  if (tasks.some((task) => task.source === source && task.status === 'RUNNING')) {
    throw invalidValue(
      'There is already a task running. Only one active task is allowed for a source queue arn at a given time.',
    );
  }
}

function move(store: SqsStore, task: Task): void {
  const seconds = (Date.now() - task.startedAt) / 1000;
  const due =
    task.messagesPerSecond === undefined ? Infinity : 1 + Math.floor(seconds * task.messagesPerSecond);
  task.source.processTimers();
  while (task.status === 'RUNNING' && task.moved < due) moveOne(store, task);
  if (task.status === 'RUNNING') task.timer = setTimeout(() => move(store, task), TICK_MILLISECONDS);
}

function moveOne(store: SqsStore, task: Task): void {
  const message = task.source.messages.shift();
  if (message === undefined) return end(task, 'COMPLETED');
  const destination = task.destination ?? store.getQueueByArn(noteOf(message).sourceArn ?? '');
  if (destination === undefined) {
    // A pipe or a schedule sent this message directly to the dead-letter queue.
    task.source.messages.unshift(message);
    return end(task, 'FAILED', 'CouldNotDetermineMessageSource');
  }
  destination.enqueue(SqsStore.createMessage(message.body, message.messageAttributes));
  task.moved += 1;
}

function end(task: Task, status: Task['status'], failureReason?: string): void {
  task.status = status;
  if (failureReason !== undefined) task.failureReason = failureReason;
  clearTimeout(task.timer);
}

function queueAt(store: SqsStore, request: JsonObject, name: string): SqsQueue | undefined {
  const arn = textAt(request, name);
  if (arn === undefined) return undefined;
  const queue = store.getQueueByArn(arn);
  if (queue !== undefined) return queue;
  throw new SqsError(
    'ResourceNotFoundException',
    `The resource that you specified for the ${name} parameter doesn't exist.`,
  );
}

function sourceAt(store: SqsStore, request: JsonObject): SqsQueue {
  const source = queueAt(store, request, 'SourceArn');
  if (source !== undefined) return source;
  throw new SqsError('MissingParameter', 'The request must contain the parameter SourceArn.');
}

/** The source queue's ARN. @param taskHandle the answer of `StartMessageMoveTask` */
export function sourceOfTask(taskHandle = ''): string | undefined {
  const task = jsonObjectIn(Buffer.from(taskHandle, 'base64').toString('utf8'));
  return task && textAt(task, 'sourceArn');
}

function handleOf({ taskId, source }: Task): string {
  return Buffer.from(JSON.stringify({ taskId, sourceArn: source.arn })).toString('base64');
}

function described(task: Task): JsonObject {
  return {
    Status: task.status,
    ...(task.status === 'RUNNING' ? { TaskHandle: handleOf(task) } : {}),
    SourceArn: task.source.arn,
    ...(task.destination === undefined ? {} : { DestinationArn: task.destination.arn }),
    ...(task.messagesPerSecond === undefined ? {} : { MaxNumberOfMessagesPerSecond: task.messagesPerSecond }),
    ApproximateNumberOfMessagesMoved: task.moved,
    ApproximateNumberOfMessagesToMove: task.toMove,
    ...(task.failureReason === undefined ? {} : { FailureReason: task.failureReason }),
    StartedTimestamp: task.startedAt,
  };
}

function rateAt(request: JsonObject): number | undefined {
  const rate = request['MaxNumberOfMessagesPerSecond'];
  if (rate === undefined || rate === null) return undefined;
  if (isWholeNumber(rate, 1, MAXIMUM_MESSAGES_PER_SECOND)) return rate;
  throw invalidValue(
    `Value ${JSON.stringify(rate)} for parameter MaxNumberOfMessagesPerSecond is invalid. Reason: Must be between 1 and ${MAXIMUM_MESSAGES_PER_SECOND}.`,
  );
}
