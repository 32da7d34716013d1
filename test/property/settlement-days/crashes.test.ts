import { describe, expect, it } from '@jest/globals';
import { outcomeOf } from '../../../tools/simulate/settlement/books.ts';
import { play, scriptStartsAt, type Script, type Step } from '../../../tools/simulate/settlement/script.ts';
import type { Fault } from '../../../tools/simulate/aws.ts';
import { settlementWorld } from '../../../tools/simulate/settlement/world.ts';

/**
 * Goal: a crash between any two writes changes nothing. Method: a day with a little of everything is played once, to see
 * what writes there are; then once for each write, after which the function that wrote dies, and with it all that it had
 * in mind. Whoever waited for its answer asks again; its messages come again.
 */

const sale: Step = {
  kind: 'sale',
  merchant: 0,
  card: 0,
  terminal: 0,
  amount: 500,
  currency: 'USD',
  copies: 0,
};

const script: Script = {
  dates: [
    [
      { ...sale, copies: 1 },
      // Of a merchant who is paid in another currency: rates are frozen.
      { ...sale, merchant: 1, card: 1, amount: 700 },
      { kind: 'review', reviews: [{ type: 'release', of: 1 }] },
      { ...sale, kind: 'refund', card: 2 },
      // Of a sale that is settled, and of one that is not.
      { kind: 'reversal', of: 0 },
      { ...sale, card: 3 },
      { kind: 'reversal', of: 4 },
    ],
  ],
  ratesComeLate: false,
  terminalMiscounts: false,
};

async function playWith(pages: number, faultOf: (invocation: number) => Fault | undefined) {
  const world = await settlementWorld(scriptStartsAt, undefined, {
    faultOf,
    pagesOf: () => pages,
  });
  const { posted, answers } = await play(script, world);
  const { outcome, fates } = await outcomeOf(world);
  return { posted, answers, outcome, fates, writes: world.writes, deaths: world.deathCount() };
}

describe('a function that dies', () => {
  it.each([
    ['', Number.POSITIVE_INFINITY],
    [', though walks are cut after each page,', 1],
  ])('after any of its writes%s leaves nothing lost, doubled or different', async (_, pages) => {
    const { writes, fates, ...expected } = await playWith(pages, () => undefined);
    expect(fates.map(({ status }) => status).toSorted()).toEqual([
      'reversed',
      'reversed',
      'settled',
      'settled',
      'settled',
    ]);
    // Intake, review, runs and batches: there are some writes of each to die after.
    expect(writes.length).toBeGreaterThan(15);
    for (const [invocation, count] of writes.entries()) {
      for (let atWrite = 0; atWrite < count; atWrite++) {
        const at = `invocation ${invocation}, write ${atWrite}`;
        const fault: Fault = { atWrite, effect: 'after', dies: true };
        const {
          writes: _writes,
          fates: _fates,
          ...rest
        } = await playWith(pages, (number) => (number === invocation ? fault : undefined));
        expect({ at, ...rest }).toEqual({ at, ...expected, deaths: 1 });
      }
    }
  });
});
