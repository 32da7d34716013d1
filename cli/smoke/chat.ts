import { randomUUID } from 'node:crypto';
import * as v from 'valibot';
import { createCallApi, type CallApi } from '../shared/api.ts';
import { connectDevice, postedOf, type Device, type NotificationFrame } from '../shared/chat.ts';
import { CommandError, errorMessage } from '../shared/command-error.ts';
import { createHttpClient } from '../shared/http.ts';
import type { Outputs } from '../shared/outputs.ts';
import { userTokensOf } from '../shared/tokens.ts';
import { connectToChatUsers, type ChatUsers } from '../shared/chat-users.ts';
import { expectStatus } from './card-settlement.ts';
import { createSteps, eventually, type OnResult, type Places, type StepResult } from './steps.ts';

/** What takes a fraction of a second may meet cold starts, and a pipe that was only just created. */
const deliveryPatienceSeconds = 20;

const look = (outputs: readonly string[], ...headings: readonly string[]): Places => ({
  stack: 'DuotempoChat',
  outputs,
  headings: [...headings, 'Following one request through the log'],
});
const users = look([]);
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

const waitingSchema = v.object({ items: v.array(v.object({ messageId: v.string() })) });

/** What a device has seen. */
interface Inbox {
  readonly device: Device;
  readonly seen: NotificationFrame[];
  isCaughtUp: boolean;
}

/** The async tempo from outside: a message to a device that is offline, and one to the same device online. */
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
    const signedIn = await step('two chat users are made, and sign in', users, async () => {
      const calls: CallApi[] = [];
      const tokens = [];
      for (const name of [sender, recipient]) {
        const password = await pool.add(name);
        made.push(name);
        const own = userTokensOf(name, outputs, async () => Promise.resolve(password));
        await own.get();
        tokens.push(own);
        const retries = { attempts: 3, longestPauseMilliseconds: 1000 };
        calls.push(createCallApi({ http, apiUrl: outputs.DuotempoChat.ApiUrl, tokens: own, retries }));
      }
      return { calls, tokens, detail: `${sender}, ${recipient}` };
    });
    const [post, read] = (signedIn?.calls ?? []).map(
      (call) => async (request: Parameters<CallApi>[0]) => call(request),
    );
    const say = async (text: string): Promise<string> => {
      const body = { to: recipient, text, clientMessageId: randomUUID() };
      const response = await need(post)({ method: 'POST', path: '/messages', body });
      expectStatus(response, [201, 200]);
      return need(postedOf(response)).messageId;
    };
    const waiting = async (): Promise<readonly string[]> => {
      const response = await need(read)({ method: 'GET', path: '/notifications' });
      expectStatus(response, [200]);
      return v.parse(waitingSchema, response.body).items.map(({ messageId }) => messageId);
    };

    const offline = await step('a message to an offline device waits for it', delivery, async () => {
      const messageId = await say('sent while you were away');
      await eventually('The message is to wait for its recipient', deliveryPatienceSeconds, async () =>
        (await waiting()).includes(messageId) ? true : undefined,
      );
      return { messageId, detail: messageId };
    });
    await step('the device comes online, and catches up', connecting, async () => {
      const own = await connect(outputs, await need(signedIn?.tokens[1]).get());
      inbox = own;
      own.device.send({ action: 'hello' });
      await eventually('The device is to be told that it has caught up', deliveryPatienceSeconds, async () =>
        Promise.resolve(own.isCaughtUp || undefined),
      );
      await arrived(own, offline?.messageId);
      return { detail: 'what waited came first' };
    });
    await step('a message to an online device arrives at once', delivery, async () => {
      const messageId = await say('sent while you are here');
      const { sentAt } = await arrived(need(inbox), messageId);
      return { detail: `${Date.now() - Date.parse(sentAt)} ms after it was written` };
    });
    await step('what is acknowledged waits no longer', look(['AckFunction', 'AckLogGroup']), async () => {
      const { device, seen } = need(inbox);
      device.send({ action: 'ack', notificationIds: seen.map(({ notificationId }) => notificationId) });
      await eventually('Nothing is to wait any more', deliveryPatienceSeconds, async () =>
        (await waiting()).length === 0 ? true : undefined,
      );
      return { detail: `${new Set(seen.map(({ notificationId }) => notificationId)).size} acknowledged` };
    });
    return [...results];
  } finally {
    inbox?.device.close();
    http.close();
    await removeUsers(pool, made);
    pool.close();
    setTimeout(() => inbox?.device.terminate(), 500).unref();
  }
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
  return eventually('The message is to reach the device', deliveryPatienceSeconds, async () =>
    Promise.resolve(seen.find((frame) => frame.messageId === messageId)),
  );
}

async function removeUsers(pool: ChatUsers, names: readonly string[]): Promise<void> {
  for (const name of names) {
    await pool.remove(name).catch((error: unknown) => {
      process.stderr.write(
        `${name} is left behind: ${errorMessage(error)} npm run users -- remove ${name} removes it.\n`,
      );
    });
  }
}

/** What an earlier step has given. */
function need<T>(value: T | undefined): T {
  if (value === undefined) throw new CommandError('An earlier step gave no result.');
  return value;
}
