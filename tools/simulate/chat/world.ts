import { messageRate, queues, tableNames } from './environment.ts';
import { ScanCommand } from '@aws-sdk/client-dynamodb';
import { SendMessageCommand } from '@aws-sdk/client-sqs';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import * as v from 'valibot';
import { NotificationMessage, pipeInputTemplate } from '../../../lambda/chat/contract.ts';
import { deliver as deliverMessage, type DeliveryServices } from '../../../lambda/chat/deliver/deliver.ts';
import { hello, type HelloServices } from '../../../lambda/chat/devices/hello.ts';
import { conversationSequenceOf, type NotificationPlace } from '../../../lambda/chat/domain/identifiers.ts';
import { drainDevices } from '../../../lambda/chat/drain/drain-devices.ts';
import type { ServerFrame } from '../../../lambda/chat/frames.ts';
import { acknowledge, type AcknowledgeServices } from '../../../lambda/chat/inbox/acknowledge.ts';
import { listInbox } from '../../../lambda/chat/inbox/list-inbox.ts';
import { postMessage } from '../../../lambda/chat/messages/handler.ts';
import type { PostServices } from '../../../lambda/chat/messages/write-message.ts';
import type { WebSockets } from '../../../lambda/chat/push.ts';
import { acknowledgementsTable } from '../../../lambda/chat/store/acknowledgements.ts';
import { connectionsTable } from '../../../lambda/chat/store/connections.ts';
import { conversationsTable } from '../../../lambda/chat/store/conversations.ts';
import { inboxTable } from '../../../lambda/chat/store/inbox.ts';
import { messagesTable } from '../../../lambda/chat/store/messages.ts';
import { rateLimitsTable } from '../../../lambda/chat/store/rate-limits.ts';
import { simulatedAws, type Caller } from '../aws.ts';
import { drawFrom, inBursts } from '../draw.ts';
import { environment, simulatedFunctions, type Environment } from '../functions.ts';
import { timed, type Log } from '../log.ts';
import { simulatedQueues, type Disorder, type Message } from '../queues.ts';
import { httpRequest, sqsRecord } from '../settlement/facts.ts';
import { createTables } from './tables.ts';

export interface SeenFrame {
  readonly frame: ServerFrame;
  readonly by: Caller;
}

/** A connection, with what came through it. */
export interface Device {
  readonly connectionId: string;
  readonly userId: string;
  readonly frames: SeenFrame[];
  isOpen: boolean;
  /** When it last said hello, and has not been told since that it is caught up. */
  waitsSince: number | undefined;
}

export interface Posted {
  readonly messageId: string;
  readonly conversationId: string;
  readonly sequence: number;
}

export type World = Awaited<ReturnType<typeof chatWorld>>;

/** Small, so that inboxes have several pages. */
const PAGE_ITEMS = 3;
/** A device that takes nothing. */
const STUCK_PERCENT = 1;
const MOST_ATTEMPTS = 40;
/** Of each poller, before all have to end. */
const POLLS = 4;

const Answer = v.object({ messageId: v.string(), conversationId: v.string(), sequence: v.number() });

/**
 * The chat half of the app, its use cases and tables real, with a stream, a pipe, queues and devices, in a simulated
 * time in which everything happens at once or at the worst moment.
 */
export async function chatWorld(startsAt: Date, disorder: Disorder, rawLog: Log) {
  let react = async (_device: Device, _frame: ServerFrame): Promise<void> => undefined;
  const reactions: Promise<void>[] = [];
  const draw = drawFrom(disorder.seed);
  const happens = (percent: number): boolean => draw(100) < percent;
  let clock = startsAt.getTime();
  const now = (): Date => new Date(clock);
  const log = timed(rawLog, now);
  const waiting = simulatedQueues([queues.notification, queues.drain], () => clock, draw, disorder, log);
  const devices = new Map<string, Device>();

  const aws = simulatedAws(
    inBursts(draw, disorder.burstPercent),
    (message) => waiting.accept(message),
    (queueUrl) => waiting.waiting(queueUrl),
    {
      onCall: () => (clock += 1 + draw(5)),
      onChange: ({ tableName, before, after }) => {
        if (tableName !== tableNames.messages || before !== undefined || after === undefined) return;
        const filled = (_: string, name: string, type: string): string =>
          String(Object.entries(after[name] ?? {}).find(([key]) => key === type)?.[1] ?? '');
        const body = pipeInputTemplate.replaceAll(/<\$\.dynamodb\.NewImage\.(\w+)\.(\w)>/g, filled);
        waiting.accept({ queueUrl: queues.notification.queueUrl, body, delaySeconds: 0 });
      },
      log,
    },
  );
  await createTables(aws);
  const { invoke } = simulatedFunctions(aws, draw, disorder);

  const sender = (queueUrl: string) => async (message: object) => {
    await aws.sqs.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: JSON.stringify(message) }));
  };
  const webSockets: WebSockets = {
    pushFrame: async (connectionId, frame) =>
      aws.write(`Push ${connectionId} ${JSON.stringify(frame)}`, (by) => {
        const device = devices.get(connectionId);
        if (device?.isOpen !== true) return 'gone';
        if (happens(STUCK_PERCENT)) return 'stuck';
        device.frames.push({ frame, by });
        reactions.push(react(device, frame));
        if (frame.type === 'caught-up') device.waitsSince = undefined;
        return 'sent';
      }),
    disconnect: async (connectionId) =>
      aws.write(`Disconnect ${connectionId}`, () => {
        const device = devices.get(connectionId);
        if (device !== undefined) device.isOpen = false;
      }),
  };
  const isTimeUp = (): boolean => happens(disorder.cutPercent ?? 0);
  const inbox = () => {
    const table = inboxTable(aws.client);
    return {
      ...table,
      page: async (userId: string, after: NotificationPlace | undefined, limit: number, at: Date) =>
        table.page(userId, after, Math.min(limit, PAGE_ITEMS), at),
    };
  };
  const drainServices = () => ({
    ...webSockets,
    now,
    isTimeUp,
    connections: connectionsTable(aws.client),
    conversations: conversationsTable(aws.client),
    inbox: inbox(),
    messages: messagesTable(aws.client),
    sendDrain: sender(queues.drain.queueUrl),
  });
  const environments = {
    messages: environment('messages', (): PostServices => ({
      now,
      messages: messagesTable(aws.client),
      conversations: conversationsTable(aws.client),
      rateLimits: rateLimitsTable(aws.client),
      rateLimit: messageRate,
      pause: async (attempt) => void (clock += draw(10 * attempt)),
    })),
    devices: environment(
      'devices',
      (): HelloServices & AcknowledgeServices & { connections: ReturnType<typeof connectionsTable> } => ({
        ...webSockets,
        now,
        connections: connectionsTable(aws.client),
        inbox: inbox(),
        acknowledgements: acknowledgementsTable(aws.client),
        sendDrain: sender(queues.drain.queueUrl),
      }),
    ),
    inbox: environment('inbox', () => ({ now, inbox: inbox() })),
    deliver: environment('deliver', (): DeliveryServices => ({
      ...webSockets,
      now,
      isTimeUp,
      messages: messagesTable(aws.client),
      inbox: inbox(),
      acknowledgements: acknowledgementsTable(aws.client),
      connections: connectionsTable(aws.client),
      sendNotification: sender(queues.notification.queueUrl),
    })),
    drain: environment('drain', drainServices),
    /** Of one message: its pushes come in order. */
    drainOne: environment('drain-one', drainServices),
  };

  /** Asks as a client does: again until there is an answer, and now and then once more. */
  async function ask<S, T>(of: Environment<S>, handle: (services: S) => Promise<T>): Promise<T> {
    for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
      const ended = await invoke(of, handle);
      if (ended.outcome === 'answered' && !happens(disorder.duplicatePercent)) return ended.value;
      clock += 500;
    }
    throw new Error('The client gave up.');
  }

  async function work(batch: readonly Message[]): Promise<void> {
    const [first] = batch;
    if (first === undefined) return;
    const takenAt = (clock = Math.max(clock, ...batch.map(({ visibleAt }) => visibleAt)));
    const isDrain = first.queueUrl === queues.drain.queueUrl;
    const failed = await (isDrain ? drainAll(batch) : deliverOne(first));
    waiting.giveBack(
      batch.filter(({ id }) => failed === 'all' || failed.has(id)),
      takenAt,
    );
  }

  async function drainAll(batch: readonly Message[]): Promise<ReadonlySet<string> | 'all'> {
    const records = batch.map(({ id, body }) => sqsRecord(id, body));
    const of = records.length === 1 ? environments.drainOne : environments.drain;
    const ended = await invoke(of, async (services) => drainDevices(records, services));
    if (ended.outcome === 'failed') return 'all';
    return new Set(ended.value.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
  }

  async function deliverOne({ body }: Message): Promise<ReadonlySet<string> | 'all'> {
    const message = v.parse(NotificationMessage, JSON.parse(body));
    const only = message.kind === 'push' ? message.connectionIds : undefined;
    const ended = await invoke(environments.deliver, async (services) =>
      deliverMessage(message, services, only),
    );
    return ended.outcome === 'failed' ? 'all' : new Set();
  }

  async function poll(): Promise<void> {
    for (let round = 0; round < POLLS; round++) {
      const batch = waiting.receive();
      await (batch.length === 0 ? aws.write('Poll', () => undefined) : work(batch));
    }
  }

  /** What is due now or becomes due meanwhile, by several pollers at once. */
  async function deliver(): Promise<void> {
    await Promise.all(Array.from({ length: 1 + draw(3) }, poll));
    while (reactions.length > 0) await Promise.all(reactions.splice(0));
  }

  async function advance(to: number): Promise<void> {
    for (let steps = 0; waiting.nextAt() <= to; steps++) {
      if (steps > 5000) throw new Error('The world does not come to rest.');
      clock = Math.max(clock, waiting.nextAt());
      await deliver();
    }
    clock = Math.max(clock, to);
  }

  async function sayHello(device: Device): Promise<void> {
    const { connectionId, userId } = device;
    const body = JSON.stringify({ action: 'hello' });
    device.waitsSince = clock;
    await ask(environments.devices, async (services) => hello({ connectionId, userId, body }, services));
  }

  return {
    now,
    advance,
    /** What a device does when a frame comes. */
    onFrame: (does: typeof react): void => {
      react = does;
    },
    /** Lets time pass, and nothing else happen. */
    skip: (milliseconds: number): void => {
      clock += milliseconds;
    },
    devices,
    callCount: aws.callCount,
    sayHello,
    /** Places of messages that ended in a dead-letter queue. */
    deadLetters: (): string[] =>
      waiting.deadLetters
        .filter(({ queueUrl }) => queueUrl === queues.notification.queueUrl)
        .map(({ body }) => conversationSequenceOf(v.parse(NotificationMessage, JSON.parse(body)))),
    /** Does something while what is due is delivered. */
    meanwhile: async <T>(act: () => Promise<T>): Promise<T> => {
      const [result] = await Promise.all([act(), deliver()]);
      while (reactions.length > 0) await Promise.all(reactions.splice(0));
      return result;
    },
    post: async (from: string, to: string, clientMessageId: string, text: string): Promise<Posted> => {
      const request = httpRequest({
        routeKey: 'POST /messages',
        caller: { clientId: 'chat-client', scopes: ['aws.cognito.signin.user.admin'], username: from },
        body: JSON.stringify({ to, text, clientMessageId }),
      });
      const { body } = await ask(environments.messages, async (services) => postMessage(request, services));
      return v.parse(Answer, body);
    },
    connect: (userId: string): Device => {
      const connectionId = `${userId}-${devices.size}`;
      const device = { connectionId, userId, frames: [], isOpen: true, waitsSince: undefined };
      devices.set(connectionId, device);
      return device;
    },
    /** @param isTold whether API Gateway says so to the app, which it does not promise */
    close: async (device: Device, isTold: boolean): Promise<void> => {
      const { connectionId, userId } = device;
      device.isOpen = false;
      if (!isTold) return;
      await invoke(environments.devices, async ({ connections }) =>
        connections.remove({ userId, connectionId }),
      );
    },
    /** Repeated until it is answered. @returns all outcomes, of which the last one is the answer */
    acknowledge: async (userId: string, place: NotificationPlace): Promise<string[]> => {
      const outcomes: string[] = [];
      await ask(environments.devices, async (services) => {
        outcomes.push('begun');
        const outcome = await acknowledge(userId, place, services);
        outcomes[outcomes.length - 1] = outcome;
      });
      return outcomes;
    },
    /** What waits, as the API shows it. */
    list: async (userId: string): Promise<NotificationPlace[]> => {
      const places: NotificationPlace[] = [];
      let after: NotificationPlace | undefined;
      do {
        const from = after;
        const { items, next } = await ask(environments.inbox, async (services) =>
          listInbox(userId, { after: from, limit: PAGE_ITEMS }, services),
        );
        places.push(...items);
        after = next;
      } while (after !== undefined);
      return places;
    },
    scan: async (table: keyof typeof tableNames): Promise<Readonly<Record<string, unknown>>[]> => {
      const { Items: items = [] } = await aws.client.send(new ScanCommand({ TableName: tableNames[table] }));
      return items.map((item) => unmarshall(item));
    },
    isQuiet: (): boolean => waiting.nextAt() === Number.POSITIVE_INFINITY,
  };
}
