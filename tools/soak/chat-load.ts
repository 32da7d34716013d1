import { type CallApi, createCallApi, describeRefusal, eachItem } from '../../cli/shared/api.ts';
import { postedOf } from '../../cli/shared/chat.ts';
import type { HttpClient } from '../../cli/shared/http.ts';
import type { Outputs } from '../../cli/shared/outputs.ts';
import { userTokensOf } from '../../cli/shared/tokens.ts';
import { responses } from '../../lambda/chat/api.ts';
import { drained, withChatUsers } from '../harness/chat-users.ts';
import type { Random } from '../harness/random.ts';
import { runDevice } from './device.ts';
import { atRate, everySoOften } from './pace.ts';
import { RETRIES, type SoakRecord } from './record.ts';

const PRESENT = ['ada', 'bob', 'cyd', 'dan', 'eve'];
const AWAY = 'fay';
const DEVICES_PER_USER = 2;
const TO_AWAY_RATE = 0.05;
/** Two requests bring the same message at the same moment. */
const TWICE_RATE = 0.04;
const UNDER_WAY = 4;
/** A slow machine gets fewer messages, not a growing backlog. */
const BACKLOG = 60;
const SWEEP_PAUSE = [4000, 8000] as const;
/** A device's acknowledgement may take this long. */
const SWEEP_AFTER_MILLISECONDS = 4000;
const HELLO_SECONDS = 120;

interface User {
  readonly userId: string;
  readonly token: () => Promise<string>;
  readonly call: CallApi;
}

export type ChatLoad = ReturnType<typeof createChatLoad>;

export function createChatLoad(options: {
  readonly outputs: Outputs;
  readonly http: HttpClient;
  readonly random: Random;
  /** Begins every client message id. */
  readonly prefix: string;
  readonly record: SoakRecord;
}) {
  const { outputs, http, random, prefix } = options;
  const { chat: books, findings, meter } = options.record;
  const { ApiUrl: apiUrl, WebSocketUrl: webSocketUrl } = outputs.DuotempoChat;
  const users = [...PRESENT, AWAY].map((userId): User => {
    const tokens = userTokensOf(userId, outputs);
    const call = createCallApi({ http, apiUrl, tokens, retries: RETRIES });
    return { userId, token: async () => tokens.get(), call };
  });
  const present = users.filter(({ userId }) => userId !== AWAY);

  const post = async (from: User, body: { to: string; text: string; clientMessageId: string }) => {
    const response = await from.call({ method: 'POST', path: '/messages', body });
    const posted = postedOf(response);
    if (posted === undefined) throw new Error(describeRefusal(response));
    const { messageId, conversationId, sequence } = posted;
    if (!books.accept(messageId, { to: body.to, conversationId, sequence }))
      findings.add('accepted twice, but not as the same', `conversation ${conversationId}`, messageId);
  };

  /** Acknowledges by request what a device has shown and still waits, because the device's frame was lost. */
  const sweep = async (user: User): Promise<void> => {
    const askedAt = Date.now();
    const waiting = await waitingOf(user);
    for (const id of books.noteInbox(user.userId, waiting, askedAt, Date.now()))
      findings.add('acknowledged, and back in the inbox', user.userId, id);
    for (const id of waiting) {
      if ((books.sightings.get(id)?.firstAt ?? Infinity) > askedAt - SWEEP_AFTER_MILLISECONDS) continue;
      const response = await user.call({ method: 'DELETE', path: `/notifications/${id}` });
      if (response.status !== 204) throw new Error(describeRefusal(response));
    }
  };

  return {
    write: async (perSecond: number, signal: AbortSignal): Promise<void> =>
      atRate({ perSecond, atMost: UNDER_WAY, signal }, async (number) => {
        const onTheirWay = books.accepted.size - (books.acceptedCounts.get(AWAY) ?? 0) - books.sightings.size;
        if (onTheirWay >= BACKLOG) return;
        const from = random.pick(present);
        const others = present.filter((user) => user !== from);
        const to = random.chance(TO_AWAY_RATE) ? AWAY : random.pick(others).userId;
        const text = `message ${number} ${'…'.repeat(random.whole(0, 200))}`;
        const clientMessageId = `${prefix}-${number}`;
        const postNoted = async (): Promise<void> =>
          findings.during(
            'a message',
            from.userId,
            async () => post(from, { to, text, clientMessageId }),
            clientMessageId,
          );
        await Promise.all(random.chance(TWICE_RATE) ? [postNoted(), postNoted()] : [postNoted()]);
      }),
    runDevices: async (signal: AbortSignal): Promise<void> => {
      const running = present.flatMap((user) => {
        const { userId, token } = user;
        const onNotification: Parameters<typeof runDevice>[0]['onNotification'] = (frame) => {
          const now = Date.now();
          if (books.see(userId, frame.notificationId, now)) meter.chat(now - Date.parse(frame.sentAt));
        };
        const devices = Array.from({ length: DEVICES_PER_USER }, async () =>
          runDevice({ webSocketUrl, token, signal, onNotification }),
        );
        const sweepNoted = async (): Promise<void> =>
          findings.during('an acknowledgement', userId, async () => sweep(user));
        return [...devices, everySoOften(SWEEP_PAUSE, { random, signal }, sweepNoted)];
      });
      await Promise.all(running);
    },
    /** Counts messages that are neither acknowledged nor waiting for the user who is away. */
    outstanding: async (): Promise<number> => {
      let sum = 0;
      for (const user of users) {
        const accepted = books.acceptedCounts.get(user.userId) ?? 0;
        const waiting = (await waitingOf(user)).length;
        const unseen = Math.max(0, accepted - (books.seenCounts.get(user.userId) ?? 0));
        sum += user.userId === AWAY ? Math.abs(accepted - waiting) : waiting + unseen;
      }
      return sum;
    },
    lastHello: async (): Promise<ReadonlyMap<string, readonly string[]>> => {
      const pushed = new Map<string, readonly string[]>();
      await withChatUsers(outputs, async (userNamed) => {
        for (const { userId } of users)
          await findings.during('catching up', userId, async () => {
            pushed.set(userId, (await drained(userNamed(userId), HELLO_SECONDS)).notificationIds);
          });
      });
      return pushed;
    },
  };
}

async function waitingOf({ userId, call }: User): Promise<string[]> {
  const ids: string[] = [];
  const waiting = eachItem(call, '/notifications', responses.NotificationPage, `what waits for ${userId}`);
  for await (const { notificationId } of waiting) ids.push(notificationId);
  return ids;
}
