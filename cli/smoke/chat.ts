import { randomUUID } from 'node:crypto';
import * as v from 'valibot';
import { responses } from '../../lambda/chat/api.ts';
import { createCallApi, type CallApi } from '../shared/api.ts';
import { connectToChatUsers, type ChatUsers } from '../shared/chat-users.ts';
import { connectDevice, postedOf, type Device, type NotificationFrame } from '../shared/chat.ts';
import { CommandError, errorMessage } from '../shared/command-error.ts';
import { createHttpClient, type HttpClient } from '../shared/http.ts';
import type { Outputs } from '../shared/outputs.ts';
import { printError } from '../shared/screen.ts';
import { userTokensOf, type AccessTokens } from '../shared/tokens.ts';
import {
  createSteps,
  eventually,
  expectStatus,
  placesIn,
  RETRIES,
  type OnResult,
  type StepResult,
} from './steps.ts';

/** Delivery takes a fraction of a second, but may meet cold starts and a new pipe. */
const DELIVERY_PATIENCE_SECONDS = 20;

const look = placesIn('DuotempoChat');
const delivery = look(
  [
    'NotificationQueueUrl',
    'NotificationDeadLetterQueueUrl',
    'NotificationWorkerFunction',
    'NotificationWorkerLogGroup',
    'MessagePipeName',
    'PostMessageLogGroup',
  ],
  'A message in the notification dead-letter queue',
  'The message pipe fails',
  'A message in the pipe’s dead-letter queue',
);
const connecting = look(
  [
    'AuthorizeFunction',
    'AuthorizeLogGroup',
    'WebSocketApiAccessLogGroup',
    'HelloFunction',
    'HelloLogGroup',
    'DrainQueueUrl',
    'DrainDeadLetterQueueUrl',
    'DrainWorkerFunction',
    'DrainWorkerLogGroup',
  ],
  'A message in the drain dead-letter queue',
);

interface ChatUser {
  readonly tokens: AccessTokens;
  readonly call: CallApi;
}

interface Inbox {
  readonly device: Device;
  readonly seen: NotificationFrame[];
  isCaughtUp: boolean;
}

/** The async tempo: a message to an offline device, and one to the same device online. */
export async function smokeChat(
  outputs: Outputs,
  run: string,
  onResult: OnResult,
): Promise<readonly StepResult[]> {
  const [sender, recipient] = [`smoke-${run}-ann`, `smoke-${run}-ben`] as const;
  const http = createHttpClient({ connections: 2, timeoutSeconds: 15 });
  const pool = await connectToChatUsers(outputs);
  const { step, results } = createSteps(onResult);
  let inbox: Inbox | undefined;
  const made: string[] = [];
  try {
    const users = await step('two chat users are made, and sign in', look([]), async () => {
      const [ann, ben] = [
        await makeUser(sender, pool, made, outputs, http),
        await makeUser(recipient, pool, made, outputs, http),
      ];
      return { ann, ben, detail: `${sender}, ${recipient}` };
    });
    const offline = await step('a message to an offline device waits for it', delivery, async () => {
      const { ann, ben } = need(users);
      const messageId = await write(ann, recipient, 'sent while you were away');
      await eventually('The message is to wait for its recipient', DELIVERY_PATIENCE_SECONDS, async () =>
        (await waitingFor(ben)).includes(messageId) ? true : undefined,
      );
      return { messageId, detail: messageId };
    });
    await step('the device comes online, and catches up', connecting, async () => {
      const own = await connect(outputs, await need(users).ben.tokens.get());
      inbox = own;
      own.device.send({ action: 'hello' });
      await eventually(
        'The device is to be told that it has caught up',
        DELIVERY_PATIENCE_SECONDS,
        async () => Promise.resolve(own.isCaughtUp || undefined),
      );
      await arrived(own, offline?.messageId);
      return { detail: 'what waited came first' };
    });
    await step('a message to an online device arrives at once', delivery, async () => {
      const messageId = await write(need(users).ann, recipient, 'sent while you are here');
      const { sentAt } = await arrived(need(inbox), messageId);
      return { detail: `${Date.now() - Date.parse(sentAt)} ms after it was written` };
    });
    await step('what is acknowledged waits no longer', look(['AckFunction', 'AckLogGroup']), async () => {
      const { device, seen } = need(inbox);
      const notificationIds = [...new Set(seen.map(({ notificationId }) => notificationId))];
      device.send({ action: 'ack', notificationIds });
      await eventually('Nothing is to wait any more', DELIVERY_PATIENCE_SECONDS, async () =>
        (await waitingFor(need(users).ben)).length === 0 ? true : undefined,
      );
      return { detail: `${notificationIds.length} acknowledged` };
    });
    return results;
  } finally {
    inbox?.device.close();
    http.close();
    await removeUsers(pool, made);
    pool.close();
    setTimeout(() => inbox?.device.terminate(), 500).unref();
  }
}

/** @param made gets the name, so that the user is removed even if signing in fails */
async function makeUser(
  name: string,
  pool: ChatUsers,
  made: string[],
  outputs: Outputs,
  http: HttpClient,
): Promise<ChatUser> {
  const password = await pool.add(name);
  made.push(name);
  const tokens = userTokensOf(name, outputs, async () => Promise.resolve(password));
  await tokens.get();
  const { ApiUrl: apiUrl } = outputs.DuotempoChat;
  return { tokens, call: createCallApi({ http, apiUrl, tokens, retries: RETRIES }) };
}

async function write({ call }: ChatUser, to: string, text: string): Promise<string> {
  const response = await call({
    method: 'POST',
    path: '/messages',
    body: { to, text, clientMessageId: randomUUID() },
  });
  expectStatus(response, [201, 200]);
  return need(postedOf(response)).messageId;
}

async function waitingFor({ call }: ChatUser): Promise<readonly string[]> {
  const response = await call({ method: 'GET', path: '/notifications' });
  expectStatus(response, [200]);
  return v.parse(responses.NotificationPage, response.body).items.map(({ messageId }) => messageId);
}

async function connect(outputs: Outputs, token: string): Promise<Inbox> {
  const seen: NotificationFrame[] = [];
  const inbox: Omit<Inbox, 'device'> = { seen, isCaughtUp: false };
  const device = await connectDevice({
    webSocketUrl: outputs.DuotempoChat.WebSocketUrl,
    token,
    onFrame: (frame) => {
      if (frame.type === 'notification') seen.push(frame);
      if (frame.type === 'caught-up') inbox.isCaughtUp = true;
    },
  });
  return Object.assign(inbox, { device });
}

async function arrived({ seen }: Inbox, messageId: string | undefined): Promise<NotificationFrame> {
  return eventually('The message is to reach the device', DELIVERY_PATIENCE_SECONDS, async () =>
    Promise.resolve(seen.find((frame) => frame.messageId === messageId)),
  );
}

async function removeUsers(pool: ChatUsers, names: readonly string[]): Promise<void> {
  for (const name of names) {
    await pool.remove(name).catch((error: unknown) => {
      printError(
        `${name} is left behind: ${errorMessage(error)} npm run users -- remove ${name} removes it.`,
      );
    });
  }
}

function need<T>(value: T | undefined): T {
  if (value === undefined) throw new CommandError('An earlier step gave no result.');
  return value;
}
