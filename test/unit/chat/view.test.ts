import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { createConversationView, type SeenMessage } from '../../../cli/chat/conversation-view.ts';
import { percentiles } from '../../../tools/harness/percentiles.ts';

/** Goal: a client shows a conversation in order and whole, whatever arrives when. Method: frames shuffled, lost, doubled. */

const message = (sequence: number): SeenMessage => ({
  conversationId: 'c',
  sequence,
  from: 'ada',
  text: `message ${sequence}`,
  sentAt: '2026-03-10T16:05:00.000Z',
});

const oneTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

async function until(holds: () => boolean): Promise<void> {
  for (let waited = 0; !holds(); waited++) {
    if (waited > 2000) throw new Error('It does not hold.');
    await wait(1);
  }
}

describe('a view of a conversation', () => {
  it('shows every message once and in order, however frames are shuffled, doubled and lost', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.shuffledSubarray(oneTo(12).slice(1)),
        fc.shuffledSubarray(oneTo(12)),
        async (some, more) => {
          const shown: number[] = [];
          let fetches = 0;
          const view = createConversationView({
            show: ({ sequence }: SeenMessage) => shown.push(sequence),
            // The first fetch fails, and each gives a few of what there is.
            fetchAfter: async (after) => {
              if (fetches++ === 0) throw new Error('no answer');
              return Promise.resolve([after + 1, after + 2, after + 3].filter((n) => n <= 12).map(message));
            },
            patienceMilliseconds: 0,
          });
          for (const sequence of [1, ...some, ...more]) view.see(message(sequence));
          view.endsAt(12);
          await until(() => shown.length >= 12);
          expect(shown).toEqual(oneTo(12));
        },
      ),
      { numRuns: 60, seed: 1 },
    );
  });

  it('begins with the first message that it sees, and fetches nothing while none is missing', () => {
    const shown: number[] = [];
    const view = createConversationView({
      show: ({ sequence }: SeenMessage) => shown.push(sequence),
      fetchAfter: async () => Promise.reject(new Error('nothing is missing')),
      patienceMilliseconds: 0,
    });
    for (const sequence of [5, 6, 5, 4, 7]) view.see(message(sequence));
    expect(shown).toEqual([5, 6, 7]);
  });
});

describe('percentiles', () => {
  it.each([
    [[], undefined],
    [[5], { count: 1, p50: 5, p99: 5, maximum: 5 }],
    [[4, 1, 3, 2], { count: 4, p50: 2, p99: 4, maximum: 4 }],
    [oneTo(200), { count: 200, p50: 100, p99: 198, maximum: 200 }],
  ])('of %j', (values, expected) => {
    expect(percentiles(values)).toEqual(expected);
  });
});
