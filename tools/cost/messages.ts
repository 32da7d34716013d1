import { setTimeout as wait } from 'node:timers/promises';
import { CommandError } from '../../cli/shared/command-error.ts';
import { forEachConcurrently } from '../../cli/shared/concurrency.ts';
import { unitsIn, usageBetween, type UsageRecord } from '../../local/index.ts';
import { acknowledge, withChatUsers } from '../harness/chat-users.ts';
import type { OwnHost } from '../harness/own-host.ts';
import { until } from '../harness/until.ts';

/** Few, because waiting for the processor would count as a function's time. */
export const CONCURRENCY = 2;
/** No sender comes near the rate limit. */
const PAIRS = 10;
const WARM_UP_MESSAGES = 20;
const PATIENCE = { seconds: 120 };
const SETTLE_MILLISECONDS = 500;

/** All devices are online and acknowledge everything. */
export async function playMessages(
  host: OwnHost,
  options: {
    readonly messages: number;
    readonly devices: number;
    readonly textBytes: number;
    /** Whether each waits until the one before it is acknowledged. */
    readonly oneByOne?: boolean;
  },
): Promise<readonly UsageRecord[]> {
  const { messages, devices, textBytes, oneByOne = false } = options;
  return withChatUsers(host.appOutputs, async (userNamed) => {
    const senders = Array.from({ length: PAIRS }, (_, pair) => userNamed(`cost-sender-${pair}`));
    const recipientOf = (number: number): string => `cost-recipient-${number % PAIRS}`;
    for (let pair = 0; pair < PAIRS; pair += 1) {
      const recipient = userNamed(recipientOf(pair));
      for (let device = 0; device < devices; device += 1)
        await recipient.greet({ onNotification: acknowledge });
    }
    const play = async (count: number): Promise<readonly UsageRecord[]> => {
      const start = host.usage();
      const used = (): readonly UsageRecord[] => usageBetween(start, host.usage());
      const numbers = Array.from({ length: count }, (_, number) => number);
      const acknowledged = async (messagesSoFar: number): Promise<void> => {
        const areThere = (): boolean =>
          unitsIn(used(), 'lambda-requests', ({ by }) => by.includes('AckFunction')) >=
          messagesSoFar * devices;
        if (!(await until(areThere, PATIENCE))) throw new CommandError('Not every message arrived in time.');
      };
      await forEachConcurrently(numbers, oneByOne ? 1 : CONCURRENCY, async (number) => {
        await senders[number % PAIRS]?.post(recipientOf(number), 'x'.repeat(textBytes));
        if (oneByOne) await acknowledged(number + 1);
      });
      await acknowledged(count);
      // An acknowledgement overtakes the end of the push that it answers.
      await wait(SETTLE_MILLISECONDS);
      return used();
    };
    await play(WARM_UP_MESSAGES);
    return play(messages);
  });
}
