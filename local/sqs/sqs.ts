import { unservedText, type AwsCall, type AwsService, type NeededAccess } from '../endpoint/index.ts';
import { textAt, type Json, type JsonObject, type Place } from '../template/index.ts';
import { refusalOf, SqsError } from './errors.ts';
import { FAUXQS, SqsStore, type SqsQueue } from './fauxqs.ts';
import { createMoveTasks, sourceOfTask } from './move-tasks.ts';
import { changeVisibility, deadLetter, deleteReceived, dropExpired, receive } from './receive.ts';
import { entriesOf, newQueueAttributes, queueAttributeNames, settled, withoutEmpty } from './requests.ts';
import { send, sendBatch } from './send.ts';

export interface QueueIdentity {
  readonly queueName: string;
  readonly queueUrl: string;
  readonly queueArn: string;
}

export interface Sqs {
  readonly service: AwsService;
  readonly createQueue: (queue: QueueIdentity, attributes: Readonly<Record<string, string>>) => void;
  /** Shows a policy among the queue's attributes. It decides nothing here. */
  readonly setPolicy: (queueArn: string, document: Json) => void;
  /** Moves received messages to the dead-letter queue, or drops them where there is none. */
  readonly deadLetter: (queueArn: string, receiptHandles: readonly string[]) => void;
  readonly urlOf: (queueArn: string) => string | undefined;
  readonly visibilityTimeoutSeconds: (queueArn: string) => number | undefined;
  /** When a message is next visible that is not now, in milliseconds since the epoch. */
  readonly nextVisibleAt: () => number | undefined;
  /** Wakes who waits for messages: the clock has moved. */
  readonly wake: () => void;
  readonly stop: () => void;
}

/** @returns the answer's body. @throws an error with a `code` where SQS refuses */
type Operation = (queue: SqsQueue, request: JsonObject, call: AwsCall) => unknown;

const PURGE_INTERVAL_SECONDS = 60;
const MAXIMUM_LISTED_QUEUES = 1000;

/** Amazon SQS standard queues in memory: fauxqs, corrected where it differs from SQS. */
export function createSqs(): Sqs {
  const store = new SqsStore();
  const moveTasks = createMoveTasks(store);
  let isStopped = false;
  const operations = operationsOn(store, () => isStopped);

  const run = async (call: AwsCall): Promise<unknown> => {
    const { action, request } = call;
    if (action === 'ListQueues') return listedQueues(store, request);
    if (action === 'StartMessageMoveTask') return moveTasks.start(request);
    if (action === 'ListMessageMoveTasks') return moveTasks.list(request);
    if (action === 'CancelMessageMoveTask') return moveTasks.cancel(request);
    const operation = operations[action];
    if (operation === undefined) throw new SqsError('UnsupportedOperation', unservedText(action, 'sqs'));
    const name = textAt(request, 'QueueName') ?? queueNameIn(textAt(request, 'QueueUrl'));
    const queue = store.getQueueByName(name ?? '');
    if (queue === undefined) throw new SqsError('NonExistentQueue', 'The specified queue does not exist.');
    return operation(queue, { ...request, QueueUrl: queue.url }, call);
  };

  return {
    service: {
      target: 'AmazonSQS',
      service: 'sqs',
      neededAccess: sqsAccess,
      handle: async (call) => {
        try {
          return { status: 200, body: withoutEmpty(await run(call)) };
        } catch (error) {
          return refusalOf(error);
        }
      },
    },
    createQueue: ({ queueName, queueUrl, queueArn }, attributes) => {
      store.createQueue(queueName, queueUrl, queueArn, { SqsManagedSseEnabled: 'true', ...attributes });
    },
    setPolicy: (queueArn, document) => {
      store.getQueueByArn(queueArn)?.setAttributes({ Policy: JSON.stringify(document) });
    },
    deadLetter: (queueArn, receiptHandles) => {
      const queue = store.getQueueByArn(queueArn);
      if (queue !== undefined) deadLetter(store, queue, receiptHandles);
    },
    urlOf: (queueArn) => store.getQueueByArn(queueArn)?.url,
    visibilityTimeoutSeconds: (queueArn) => {
      const queue = store.getQueueByArn(queueArn);
      return queue && Number(queue.getAttribute('VisibilityTimeout'));
    },
    nextVisibleAt: () => {
      const all = store
        .listQueues()
        .flatMap(({ inflightMessages, delayedMessages }) => [
          ...[...inflightMessages.values()].map(({ visibilityDeadline }) => visibilityDeadline),
          ...delayedMessages.flatMap(({ delayUntil }) => delayUntil ?? []),
        ]);
      return all.length === 0 ? undefined : Math.min(...all);
    },
    wake: () => {
      for (const queue of store.listQueues()) {
        queue.processTimers();
        queue.cancelWaiters();
      }
    },
    stop: () => {
      // Receivers that the shutdown wakes must not wait on.
      isStopped = true;
      moveTasks.stop();
      store.shutdown();
    },
  };
}

function operationsOn(store: SqsStore, isStopped: () => boolean): Readonly<Record<string, Operation>> {
  const purgedAt = new WeakMap<SqsQueue, number>();
  return {
    GetQueueUrl: (queue) => ({ QueueUrl: queue.url }),
    ReceiveMessage: (queue, request, { signal }) => receive(store, queue, request, { signal, isStopped }),
    SendMessage: (queue, request, call) => send(store, queue, request, call.traceHeader),
    SendMessageBatch: (queue, request, call) => sendBatch(store, queue, request, call.traceHeader),
    DeleteMessage: deleteReceived,
    DeleteMessageBatch: inBatches(deleteReceived),
    ChangeMessageVisibility: changeVisibility,
    ChangeMessageVisibilityBatch: inBatches(changeVisibility),
    GetQueueAttributes: (queue, request) => {
      dropExpired(queue);
      queue.processTimers();
      return { Attributes: queue.getAllAttributes([...queueAttributeNames(request)]) };
    },
    SetQueueAttributes: (queue, request) => {
      const given = newQueueAttributes(request, (arn) => store.getQueueByArn(arn) !== undefined);
      const { SqsManagedSseEnabled, ...Attributes } = given;
      FAUXQS.SetQueueAttributes({ QueueUrl: queue.url, Attributes }, store);
      // fauxqs does not know this attribute, and keeps empty ones.
      if (SqsManagedSseEnabled !== undefined) queue.setAttributes({ SqsManagedSseEnabled });
      for (const [name, value] of Object.entries(given)) if (value === '') delete queue.attributes[name];
    },
    PurgeQueue: (queue) => {
      const since = (Date.now() - (purgedAt.get(queue) ?? Number.NEGATIVE_INFINITY)) / 1000;
      if (since < PURGE_INTERVAL_SECONDS) {
        throw new SqsError(
          'PurgeQueueInProgress',
          `Only one PurgeQueue operation on ${queue.name} is allowed every ${PURGE_INTERVAL_SECONDS} seconds.`,
        );
      }
      purgedAt.set(queue, Date.now());
      queue.purge();
    },
    ListQueueTags: (_, request) => FAUXQS.ListQueueTags({ ...request }, store),
    TagQueue: (_, request) => FAUXQS.TagQueue({ ...request }, store),
    UntagQueue: (_, request) => FAUXQS.UntagQueue({ ...request }, store),
  };
}

function inBatches(operation: (queue: SqsQueue, entry: JsonObject) => void): Operation {
  return (queue, request, { action }) => {
    const { done, failed } = settled(entriesOf(action, request), (entry) => operation(queue, entry));
    return { Successful: done.map(({ Id }) => ({ Id })), Failed: failed };
  };
}

/** Like AWS's, the token names the last queue of the page. */
function listedQueues(store: SqsStore, request: JsonObject): JsonObject {
  const urls = store.listQueues(textAt(request, 'QueueNamePrefix')).map(({ url }) => url);
  const token = textAt(request, 'NextToken');
  const after = token === undefined ? -1 : urls.indexOf(Buffer.from(token, 'base64').toString());
  const most = Number(request['MaxResults'] ?? MAXIMUM_LISTED_QUEUES);
  const page = urls.slice(after + 1, after + 1 + most);
  const last = page.at(-1);
  const isMore = request['MaxResults'] !== undefined && last !== urls.at(-1);
  return {
    QueueUrls: page,
    ...(isMore && last !== undefined ? { NextToken: Buffer.from(last).toString('base64') } : {}),
  };
}

/** A queue's URL with any host, or its bare name. */
function queueNameIn(queueUrl: string | undefined): string | undefined {
  return /^(?:(?:https?:\/\/[^/]+)?\/?000000000000\/)?([\w.-]+)\/?$/.exec(queueUrl ?? '')?.[1];
}

/**
 * Sources: Service Authorization Reference, "Actions, resources, and condition keys for Amazon SQS"; SQS developer
 * guide, "Permissions for a dead-letter queue redrive".
 */
export function sqsAccess(
  { action, request }: AwsCall,
  { accountId, region }: Place,
): readonly NeededAccess[] {
  if (!/MessageMoveTasks?$/.test(action)) {
    const name = textAt(request, 'QueueName') ?? textAt(request, 'QueueUrl')?.split('/').findLast(Boolean);
    // IAM has no batch actions for SQS.
    const single = action.replace(/^(SendMessage|DeleteMessage|ChangeMessageVisibility)Batch$/, '$1');
    const resourceArn = name === undefined ? '*' : `arn:aws:sqs:${region}:${accountId}:${name}`;
    return [{ action: `sqs:${single}`, resourceArn }];
  }
  const source = textAt(request, 'SourceArn') ?? sourceOfTask(textAt(request, 'TaskHandle')) ?? '*';
  const destination = textAt(request, 'DestinationArn');
  return [
    ...[action, 'ReceiveMessage', 'DeleteMessage', 'GetQueueAttributes'].map((as) => ({
      action: `sqs:${as}`,
      resourceArn: source,
    })),
    ...(destination === undefined ? [] : [{ action: 'sqs:SendMessage', resourceArn: destination }]),
  ];
}
