import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { unitsIn, usageBetween, type LocalHost, type UsageRecord } from '../../local/index.ts';
import { describeRefusal } from '../../cli/shared/api.ts';
import { connectDevice, connectToChat, postedOf, type ChatApi, type Device } from '../../cli/shared/chat.ts';
import { CommandError } from '../../cli/shared/command-error.ts';
import type { Outputs } from '../../cli/shared/outputs.ts';
import { forEachConcurrently } from '../../cli/shared/concurrency.ts';
import { userTokensOf } from '../../cli/shared/tokens.ts';

export interface MessageOptions {
  readonly messages: number;
  /** Of each recipient, all of them online. */
  readonly devices: number;
  readonly textBytes: number;
}

/** Few enough that functions do not wait for the processor, which would count as their time. */
const CONCURRENCY = 2;
/** So many that none of them comes near the rate limit. */
const PAIRS = 10;
const WARM_UP_MESSAGES = 20;
const PATIENCE_SECONDS = 120;
const SETTLE_MILLISECONDS = 500;

/** Lets users write to others whose devices are all online and acknowledge what they get. */
export async function playMessages(
  host: LocalHost,
  outputs: Outputs,
  { messages, devices, textBytes }: MessageOptions,
): Promise<readonly UsageRecord[]> {
  const connected: Device[] = [];
  const senders: ChatApi[] = [];
  try {
    for (let pair = 0; pair < PAIRS; pair++) {
      senders.push(connectToChat(outputs, userTokensOf(senderOf(pair), outputs), 1));
      const tokens = userTokensOf(recipientOf(pair), outputs);
      for (let number = 0; number < devices; number++) {
        connected.push(await online(outputs, await tokens.get()));
      }
    }
    const play = async (count: number): Promise<readonly UsageRecord[]> => {
      const start = host.usage();
      const numbers = Array.from({ length: count }, (_, number) => number);
      await forEachConcurrently(numbers, CONCURRENCY, async (number) =>
        post(senders[number % PAIRS], recipientOf(number % PAIRS), 'x'.repeat(textBytes)),
      );
      const deadline = performance.now() + PATIENCE_SECONDS * 1000;
      for (;;) {
        const used = usageBetween(start, host.usage());
        const acknowledged = unitsIn(used, 'lambda-requests', ({ by }) => by.includes('AckFunction'));
        if (acknowledged >= count * devices) break;
        if (performance.now() > deadline) throw new CommandError('Not every message arrived in time.');
        await wait(50);
      }
      // An acknowledgement overtakes the end of the push that it answers.
      await wait(SETTLE_MILLISECONDS);
      return usageBetween(start, host.usage());
    };
    await play(WARM_UP_MESSAGES);
    return await play(messages);
  } finally {
    for (const device of connected) device.terminate();
    for (const { close } of senders) close();
  }
}

const senderOf = (pair: number): string => `cost-sender-${pair}`;
const recipientOf = (pair: number): string => `cost-recipient-${pair}`;

/** A device that has said hello, is caught up, and acknowledges each notification as it comes. */
async function online(outputs: Outputs, token: string): Promise<Device> {
  return new Promise<Device>((resolve, reject) => {
    const connecting = (async () => {
      const device: Device = await connectDevice({
        webSocketUrl: outputs.DuotempoChat.WebSocketUrl,
        token,
        onFrame: (frame) => {
          if (frame.type === 'caught-up') resolve(device);
          if (frame.type === 'notification') {
            device.send({ action: 'ack', notificationIds: [frame.notificationId] });
          }
        },
      });
      device.send({ action: 'hello' });
    })();
    connecting.catch(reject);
  });
}

async function post(sender: ChatApi | undefined, to: string, text: string): Promise<void> {
  if (sender === undefined) throw new RangeError('Every pair has a sender.');
  const response = await sender.call({
    method: 'POST',
    path: '/messages',
    body: { to, text, clientMessageId: randomUUID() },
  });
  if (postedOf(response) === undefined) {
    throw new CommandError(`A message was refused: ${describeRefusal(response)}.`);
  }
}
