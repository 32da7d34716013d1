import * as v from 'valibot';
import { createCallApi, describeRefusal, type CallApi } from '../../cli/shared/api.ts';
import { postedOf } from '../../cli/shared/chat.ts';
import { errorMessage } from '../../cli/shared/command-error.ts';
import type { HttpClient } from '../../cli/shared/http.ts';
import type { Outputs } from '../../cli/shared/outputs.ts';
import { userTokensOf } from '../../cli/shared/tokens.ts';
import type { ChatBooks } from './chat-books.ts';
import type { Findings } from './findings.ts';
import { atRate, everySoOften } from './pace.ts';
import type { Random } from './random.ts';
import { runDevice, sayHello } from './soak-device.ts';
import { retries } from './retries.ts';

const PRESENT = ['ada', 'bob', 'cyd', 'dan', 'eve'];
/** Writes nothing, and has no device: what is written to her waits. */
const AWAY = 'fay';
const DEVICES_PER_USER = 2;
/** Of the messages: those to the user who is away. */
const TO_AWAY_RATE = 0.05;
/** Of the posts: what two requests bring at the same moment. */
const TWICE_RATE = 0.04;
const UNDER_WAY = 4;
/** Messages that may be on their way to devices: a machine that is too slow for the rate gets less, not a growing backlog. */
const BACKLOG = 60;
const SWEEP_PAUSE_MILLISECONDS = { minimum: 4000, maximum: 8000 };
/** Acknowledgements by device that are given so long to take effect. */
const SWEEP_AFTER_MILLISECONDS = 4000;
const HELLO_SECONDS = 120;

const waitingSchema = v.object({
  items: v.array(v.object({ notificationId: v.string() })),
  cursor: v.optional(v.string()),
});

interface User {
  readonly userId: string;
  readonly token: () => Promise<string>;
  readonly call: CallApi;
}

export interface ChatLoad {
  /** Writes messages at a steady rate until the signal. */
  readonly write: (perSecond: number, signal: AbortSignal) => Promise<void>;
  /** Runs everybody's devices until the signal. */
  readonly runDevices: (signal: AbortSignal) => Promise<void>;
  /** How many messages are neither seen and acknowledged, nor waiting for who is away. */
  readonly outstanding: () => Promise<number>;
  /** What a new device of each user is pushed at its hello, by notification id. */
  readonly lastHello: () => Promise<Map<string, string[]>>;
}

export interface ChatLoadOptions {
  readonly outputs: Outputs;
  readonly http: HttpClient;
  readonly random: Random;
  /** Begins every client message id. */
  readonly prefix: string;
  readonly books: ChatBooks;
  readonly findings: Findings;
  /** @param milliseconds from when the message was written to when the first device had it */
  readonly onSeen: (milliseconds: number) => void;
}

/** Users who write to each other; all but one have devices. */
export function createChatLoad(options: ChatLoadOptions): ChatLoad {
  const { outputs, http, random, prefix, books, findings, onSeen } = options;
  const { ApiUrl: apiUrl, WebSocketUrl: webSocketUrl } = outputs.DuotempoChat;
  const users = [...PRESENT, AWAY].map((userId): User => {
    const tokens = userTokensOf(userId, outputs);
    return { userId, token: () => tokens.get(), call: createCallApi({ http, apiUrl, tokens, retries }) };
  });
  const present = users.filter(({ userId }) => userId !== AWAY);

  const post = async (from: User, to: string, text: string, clientMessageId: string): Promise<void> => {
    try {
      const response = await from.call({
        method: 'POST',
        path: '/messages',
        body: { to, text, clientMessageId },
      });
      const posted = postedOf(response);
      if (posted === undefined) throw new Error(describeRefusal(response));
      const { messageId, conversationId, sequence } = posted;
      if (!books.accept(messageId, { to, conversationId, sequence }))
        findings.add('accepted twice, and not as the same', `conversation ${conversationId}`, messageId);
    } catch (error) {
      findings.add(`a message was not accepted: ${errorMessage(error)}`, from.userId, clientMessageId);
    }
  };

  /** What a device has shown and still waits, is acknowledged by a request: its frame was lost. */
  const sweep = async (user: User): Promise<void> => {
    try {
      const askedAt = Date.now();
      const waiting = await waitingOf(user);
      for (const id of books.lookAtQueue(user.userId, waiting, askedAt, Date.now()))
        findings.add('acknowledged, and back in the queue', user.userId, id);
      for (const id of waiting) {
        if ((books.sightings.get(id)?.firstAt ?? Infinity) > askedAt - SWEEP_AFTER_MILLISECONDS) continue;
        const response = await user.call({ method: 'DELETE', path: `/notifications/${id}` });
        if (response.status !== 204) throw new Error(describeRefusal(response));
      }
    } catch (error) {
      findings.add(`an acknowledgement failed: ${errorMessage(error)}`, user.userId);
    }
  };

  return {
    write: (perSecond, signal) =>
      atRate({ perSecond, atMost: UNDER_WAY, signal }, async (number) => {
        const onTheirWay = books.accepted.size - (books.acceptedCounts.get(AWAY) ?? 0) - books.sightings.size;
        if (onTheirWay >= BACKLOG) return;
        const from = random.pick(present);
        const others = present.filter((user) => user !== from);
        const to = random.chance(TO_AWAY_RATE) ? AWAY : random.pick(others).userId;
        const text = `message ${number} ${'…'.repeat(random.whole(0, 200))}`;
        const times = random.chance(TWICE_RATE) ? 2 : 1;
        await Promise.all(Array.from({ length: times }, () => post(from, to, text, `${prefix}-${number}`)));
      }),
    runDevices: async (signal) => {
      await Promise.all(
        present.flatMap((user) => [
          ...Array.from({ length: DEVICES_PER_USER }, () =>
            runDevice({
              webSocketUrl,
              token: user.token,
              signal,
              onNotification: (frame) => {
                const now = Date.now();
                if (books.see(user.userId, frame.notificationId, now)) onSeen(now - Date.parse(frame.sentAt));
              },
            }),
          ),
          everySoOften(
            () => random.whole(SWEEP_PAUSE_MILLISECONDS.minimum, SWEEP_PAUSE_MILLISECONDS.maximum),
            signal,
            async () => sweep(user),
          ),
        ]),
      );
    },
    outstanding: async () => {
      const counts = await Promise.all(
        users.map(async (user) => {
          const accepted = books.acceptedCounts.get(user.userId) ?? 0;
          const waiting = (await waitingOf(user)).length;
          if (user.userId === AWAY) return Math.abs(accepted - waiting);
          return waiting + Math.max(0, accepted - (books.seenCounts.get(user.userId) ?? 0));
        }),
      );
      return counts.reduce((sum, count) => sum + count, 0);
    },
    lastHello: async () => {
      const pushed = new Map<string, string[]>();
      for (const { userId, token } of users) {
        try {
          pushed.set(userId, await sayHello({ webSocketUrl, token }, HELLO_SECONDS));
        } catch (error) {
          findings.add(`a device could not catch up: ${errorMessage(error)}`, userId);
        }
      }
      return pushed;
    },
  };
}

/** The ids of what waits for a user. */
async function waitingOf({ userId, call }: User): Promise<string[]> {
  const ids: string[] = [];
  let cursor: string | undefined;
  do {
    const query = cursor === undefined ? '' : `&cursor=${encodeURIComponent(cursor)}`;
    const response = await call({ method: 'GET', path: `/notifications?limit=100${query}` });
    if (response.status !== 200) throw new Error(`${userId}: ${describeRefusal(response)}`);
    const page = v.parse(waitingSchema, response.body);
    ids.push(...page.items.map(({ notificationId }) => notificationId));
    cursor = page.cursor;
  } while (cursor !== undefined);
  return ids;
}
