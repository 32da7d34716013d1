import { randomUUID } from 'node:crypto';
import { isJsonObject, textAt, type JsonObject } from '../template/index.ts';
import type { Fauxqs, SqsMessage, SqsQueue } from './fauxqs.ts';

/** Redrives of dead-letter queues. Each refusal is thrown as fauxqs throws its own: with `code` and `statusCode`. */
export interface MoveTasks {
  readonly start: (request: JsonObject) => JsonObject;
  readonly list: (request: JsonObject) => JsonObject;
  readonly cancel: (request: JsonObject) => JsonObject;
  readonly stop: () => void;
}

export interface MoveTasksOptions extends Fauxqs {
  readonly deadLetterArnOf: (queue: SqsQueue) => string | undefined;
  /** The queue whose redrive policy put a message where it is. */
  readonly sourceOf: (message: SqsMessage) => string | undefined;
}

interface Task {
  readonly taskId: string;
  readonly source: SqsQueue;
  /** @default each message goes back to the queue it came from */
  readonly destination: SqsQueue | undefined;
  /** @default as fast as it goes */
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
/** As many tasks of a queue are listed at most. */
const MAXIMUM_RESULTS = 10;

/** Source: SQS API reference, StartMessageMoveTask, ListMessageMoveTasks and CancelMessageMoveTask. */
export function createMoveTasks(options: MoveTasksOptions): MoveTasks {
  /** The newest first. */
  let tasks: readonly Task[] = [];

  const queueAt = (request: JsonObject, name: string): SqsQueue | undefined => {
    const arn = textAt(request, name);
    if (arn === undefined) return undefined;
    const queue = options.store.getQueueByArn(arn);
    if (queue !== undefined) return queue;
    throw refusal(
      'ResourceNotFoundException',
      `The resource that you specified for the ${name} parameter doesn't exist.`,
      404,
    );
  };

  const sourceAt = (request: JsonObject): SqsQueue => {
    const source = queueAt(request, 'SourceArn');
    if (source === undefined) {
      throw refusal('MissingParameter', 'The request must contain the parameter SourceArn.');
    }
    return source;
  };

  const end = (task: Task, status: Task['status'], failureReason?: string): void => {
    task.status = status;
    if (failureReason !== undefined) task.failureReason = failureReason;
    clearTimeout(task.timer);
  };

  const moveOne = (task: Task): void => {
    const message = task.source.messages.shift();
    if (message === undefined) return end(task, 'COMPLETED');
    const destination = task.destination ?? options.store.getQueueByArn(options.sourceOf(message) ?? '');
    if (destination === undefined) {
      // A pipe or a schedule sent this message to the dead-letter queue directly.
      task.source.messages.unshift(message);
      return end(task, 'FAILED', 'CouldNotDetermineMessageSource');
    }
    destination.enqueue(options.copyOf(message));
    task.moved += 1;
  };

  const move = (task: Task): void => {
    const seconds = (Date.now() - task.startedAt) / 1000;
    const due =
      task.messagesPerSecond === undefined ? Infinity : 1 + Math.floor(seconds * task.messagesPerSecond);
    task.source.processTimers();
    while (task.status === 'RUNNING' && task.moved < due) moveOne(task);
    if (task.status === 'RUNNING') task.timer = setTimeout(() => move(task), TICK_MILLISECONDS);
  };

  return {
    start: (request) => {
      const source = sourceAt(request);
      const destination = queueAt(request, 'DestinationArn');
      const messagesPerSecond = rateAt(request);
      if (!options.store.listQueues().some((queue) => options.deadLetterArnOf(queue) === source.arn)) {
        throw refusal('InvalidParameterValue', 'Source queue must be configured as a Dead Letter Queue.');
      }
      if (tasks.some((task) => task.source === source && task.status === 'RUNNING')) {
        throw refusal(
          'InvalidParameterValue',
          'There is already a task running. Only one active task is allowed for a source queue arn at a given time.',
        );
      }
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
      task.timer = setTimeout(() => move(task), 0);
      return { TaskHandle: handleOf(task) };
    },
    list: (request) => {
      const source = sourceAt(request);
      const count = Number(request['MaxResults'] ?? 1);
      if (!Number.isInteger(count) || count < 1 || count > MAXIMUM_RESULTS) {
        throw refusal('InvalidParameterValue', `MaxResults must be between 1 and ${MAXIMUM_RESULTS}.`);
      }
      return {
        Results: tasks
          .filter((task) => task.source === source)
          .slice(0, count)
          .map(described),
      };
    },
    cancel: (request) => {
      const handle = textAt(request, 'TaskHandle');
      const sourceArn = sourceOfTask(handle);
      if (sourceArn === undefined) {
        throw refusal('InvalidParameterValue', 'Value for parameter TaskHandle is invalid.');
      }
      queueAt({ SourceArn: sourceArn }, 'SourceArn');
      const task = tasks.find((each) => handleOf(each) === handle);
      if (task === undefined) throw refusal('ResourceNotFoundException', 'Task does not exist.', 404);
      if (task.status !== 'RUNNING') {
        throw refusal('UnsupportedOperation', 'Only active tasks can be cancelled.');
      }
      end(task, 'CANCELLED');
      return { ApproximateNumberOfMessagesMoved: task.moved };
    },
    stop: () => {
      for (const { timer } of tasks) clearTimeout(timer);
    },
  };
}

/** The queue that a task moves messages out of, by what `StartMessageMoveTask` has answered. */
export function sourceOfTask(taskHandle: string | undefined): string | undefined {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(taskHandle ?? '', 'base64').toString('utf8'));
    return isJsonObject(parsed) ? textAt(parsed, 'sourceArn') : undefined;
  } catch {
    return undefined;
  }
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
  if (typeof rate === 'number' && Number.isInteger(rate) && rate >= 1 && rate <= MAXIMUM_MESSAGES_PER_SECOND)
    return rate;
  throw refusal(
    'InvalidParameterValue',
    `Value ${JSON.stringify(rate)} for parameter MaxNumberOfMessagesPerSecond is invalid. Reason: Must be between 1 and ${MAXIMUM_MESSAGES_PER_SECOND}.`,
  );
}

function refusal(code: string, message: string, statusCode = 400): Error {
  return Object.assign(new Error(message), { code, statusCode });
}
