import { setTimeout as wait } from 'node:timers/promises';
import { forEachConcurrently } from '../../cli/shared/concurrency.ts';
import type { Outputs } from '../../cli/shared/outputs.ts';
import type { AccessTokens } from '../../cli/shared/tokens.ts';
import { acknowledge, withChatUsers } from '../harness/chat-users.ts';
import { figure, type Figure } from '../harness/figures.ts';
import { percentiles } from '../harness/percentiles.ts';
import { until } from '../harness/until.ts';

export interface ChatLoad {
  readonly outputs: Outputs;
  readonly perSecond: number;
  readonly seconds: number;
  /** Pairs who write to each other. @default 50 users, whom the local host lets in */
  readonly users?: readonly { readonly name: string; readonly tokens?: AccessTokens }[];
  /** Connections made, and messages posted, at a time. @default 200 */
  readonly atOnce?: number;
}

interface ChatLatency {
  readonly posted: number;
  /** From when a message was written to when the recipient's device had it. */
  readonly milliseconds: readonly number[];
}

/** No sender comes near the rate limit. */
const USERS = 50;
const PATIENCE_SECONDS = 15;
const WARM_UP_SECONDS = 3;

export async function measureChat(load: ChatLoad, onWarm = (): void => undefined): Promise<ChatLatency> {
  await runLoad({ ...load, seconds: WARM_UP_SECONDS });
  onWarm();
  return runLoad(load);
}

async function runLoad({
  outputs,
  perSecond,
  seconds,
  users = Array.from({ length: USERS }, (_, number) => ({ name: `latency-${number}` })),
  atOnce = 200,
}: ChatLoad): Promise<ChatLatency> {
  return withChatUsers(outputs, async (userNamed) => {
    const latencies = new Map<string, number>();
    const people = users.map(({ name, tokens }) => userNamed(name, tokens));
    await forEachConcurrently(people, Math.min(atOnce, people.length), async (person) => {
      await person.greet({
        onNotification: (frame, device) => {
          latencies.set(frame.messageId, Date.now() - Date.parse(frame.sentAt));
          acknowledge(frame, device);
        },
      });
    });
    const posted: string[] = [];
    await forEachConcurrently(dueNumbers(perSecond, seconds), atOnce, async (number) => {
      const from = people[number % people.length];
      const to = people[(number % people.length) ^ 1];
      if (from === undefined || to === undefined) throw new RangeError('The number of users is even.');
      posted.push((await from.post(to.name, `message ${number}`)).messageId);
    });
    await until(() => posted.every((id) => latencies.has(id)), { seconds: PATIENCE_SECONDS });
    return { posted: posted.length, milliseconds: posted.flatMap((id) => latencies.get(id) ?? []) };
  });
}

async function* dueNumbers(perSecond: number, seconds: number): AsyncGenerator<number> {
  const startedAt = performance.now();
  for (let number = 0; number < Math.round(perSecond * seconds); number += 1) {
    await wait(Math.max(0, startedAt + (1000 * number) / perSecond - performance.now()));
    yield number;
  }
}

export function chatFigures({ posted, milliseconds }: ChatLatency): Figure[] {
  return [
    figure('chat messages', posted),
    figure('chat messages not seen in time', posted - milliseconds.length, '', { atMost: 0 }),
    ...latencyFigures('chat, accepted to shown', milliseconds),
  ];
}

export function latencyFigures(name: string, milliseconds: readonly number[]): Figure[] {
  const found = percentiles(milliseconds);
  if (found === undefined) return [];
  return [
    figure(`${name}, p50`, found.p50, 'ms'),
    figure(`${name}, p99`, found.p99, 'ms'),
    figure(`${name}, longest`, found.maximum, 'ms'),
  ];
}
