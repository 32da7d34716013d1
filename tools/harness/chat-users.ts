import { randomUUID } from 'node:crypto';
import { describeRefusal, type CallApi } from '../../cli/shared/api.ts';
import {
  connectDevice,
  connectToChat,
  postedOf,
  type Device,
  type NotificationFrame,
  type Posted,
  type ServerFrame,
} from '../../cli/shared/chat.ts';
import { CommandError } from '../../cli/shared/command-error.ts';
import type { Outputs } from '../../cli/shared/outputs.ts';
import { userTokensOf, type AccessTokens } from '../../cli/shared/tokens.ts';
import { until } from './until.ts';

export interface ChatUser {
  readonly name: string;
  readonly call: CallApi;
  /** @throws CommandError if the API refuses the message */
  readonly post: (to: string, text: string) => Promise<Posted>;
  readonly connect: (onFrame: (frame: ServerFrame, device: Device) => void) => Promise<Device>;
  /** A new device says hello; waits until it has caught up. */
  readonly greet: (options?: {
    readonly onNotification?: (frame: NotificationFrame, device: Device) => void;
    readonly patienceSeconds?: number;
  }) => Promise<{
    readonly device: Device;
    /** From the hello to the caught-up frame. */
    readonly seconds: number;
  }>;
}

/** The local host lets any user in. */
export type UserNamed = (name: string, tokens?: AccessTokens) => ChatUser;

export function acknowledge({ notificationId }: NotificationFrame, device: Device): void {
  device.send({ action: 'ack', notificationIds: [notificationId] });
}

export async function withChatUsers<T>(
  outputs: Outputs,
  work: (userNamed: UserNamed) => Promise<T>,
): Promise<T> {
  const closing: (() => void)[] = [];
  const userNamed: UserNamed = (name, tokens = userTokensOf(name, outputs)) => {
    const { call, close } = connectToChat(outputs, tokens, 4);
    closing.push(close);
    const connect: ChatUser['connect'] = async (onFrame) => {
      const device: Device = await connectDevice({
        webSocketUrl: outputs.DuotempoChat.WebSocketUrl,
        token: await tokens.get(),
        onFrame: (frame) => onFrame(frame, device),
      });
      closing.push(device.terminate);
      return device;
    };
    return {
      name,
      call,
      connect,
      post: async (to, text) => {
        const body = { to, text, clientMessageId: randomUUID() };
        const response = await call({ method: 'POST', path: '/messages', body });
        const posted = postedOf(response);
        if (posted !== undefined) return posted;
        throw new CommandError(`A message was refused: ${describeRefusal(response)}.`);
      },
      greet: async ({ onNotification, patienceSeconds = 60 } = {}) => {
        let caughtUpAt: number | undefined;
        const device = await connect((frame, from) => {
          if (frame.type === 'caught-up') caughtUpAt = performance.now();
          if (frame.type === 'notification') onNotification?.(frame, from);
        });
        const startedAt = performance.now();
        device.send({ action: 'hello' });
        await until(() => caughtUpAt !== undefined, { seconds: patienceSeconds, everyMilliseconds: 5 });
        if (caughtUpAt === undefined)
          throw new CommandError(`${name} has not caught up after ${patienceSeconds} s.`);
        return { device, seconds: (caughtUpAt - startedAt) / 1000 };
      },
    };
  };
  try {
    return await work(userNamed);
  } finally {
    for (const close of closing) close();
  }
}

/** @returns what a new device of a user is pushed until it has caught up */
export async function drained(
  user: ChatUser,
  patienceSeconds = 60,
): Promise<{ readonly notificationIds: readonly string[]; readonly seconds: number }> {
  const notificationIds: string[] = [];
  const { device, seconds } = await user.greet({
    patienceSeconds,
    onNotification: ({ notificationId }) => void notificationIds.push(notificationId),
  });
  device.close();
  return { notificationIds, seconds };
}
