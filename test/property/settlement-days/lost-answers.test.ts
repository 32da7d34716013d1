import { calendar } from '../../../tools/simulate/settlement/environment.ts';
import { describe, expect, it } from '@jest/globals';
import { cutOffOf } from '../../../lambda/card-settlement/domain/business-date.ts';
import { dayBody } from '../../../lambda/card-settlement/api.ts';
import { sale as saleOf } from '../../unit/card-settlement/card-facts.ts';
import { outcomeOf } from '../../../tools/simulate/settlement/books.ts';
import type { Fault } from '../../../tools/simulate/aws.ts';
import { settlementWorld } from '../../../tools/simulate/settlement/world.ts';

/**
 * Goal: nobody sees that the answer to a write was lost. Method: operators ask for runs of an open day and of an ended
 * one, once as it is, and once for each write, whose answer is lost, so that the SDK sends it again. The day must show the
 * same at the same instants, long before a lease would end or the schedule would help.
 */

const DATE = '2026-03-10';
const CUT_OFF = cutOffOf(DATE, calendar).getTime();
const MINUTE = 60_000;

async function playWith(pages: number, faultOf: (invocation: number) => Fault | undefined) {
  const world = await settlementWorld(new Date(CUT_OFF - 40 * MINUTE), undefined, {
    faultOf,
    pagesOf: () => pages,
  });
  const seen: unknown[] = [];
  const look = async (minutes: number) => {
    await world.advance(CUT_OFF + minutes * MINUTE);
    for (const day of await world.days()) {
      const { asOf, ...shown } = dayBody(day);
      seen.push({ minutes, ...shown, asOf: typeof asOf === 'string' ? asOf.slice(0, 16) : 'never' });
    }
  };
  const sale = (number: number, currency: string) =>
    world.post(
      saleOf({
        cardToken: `tok_${number}`,
        currency,
        occurredAt: new Date(CUT_OFF - 50 * MINUTE).toISOString(),
      }),
      `sale-${number}`,
    );
  await sale(1, 'USD');
  if (pages > 1) {
    world.requestReconcile(DATE);
    await look(-35);
    await sale(2, 'USD');
    await look(-31);
    world.requestReconcile(DATE);
    await look(-29);
  }
  await look(0.1);
  world.requestReconcile(DATE);
  await look(0.4);
  await look(3);
  const { outcome } = await outcomeOf(world);
  return { seen, outcome, writes: world.writes };
}

describe('a lost answer', () => {
  it.each([
    ['of a run', Number.POSITIVE_INFINITY],
    ['of a run whose walk is cut after each page', 1],
  ])('to any write %s changes nothing that a person sees', async (_, pages) => {
    const { writes, ...expected } = await playWith(pages, () => undefined);
    expect(expected.seen.at(-1)).toMatchObject({ status: 'balanced' });
    expect(writes.reduce((sum, count) => sum + count, 0)).toBeGreaterThan(10);
    for (const [invocation, count] of writes.entries()) {
      for (let atWrite = 0; atWrite < count; atWrite++) {
        const at = `invocation ${invocation}, write ${atWrite}`;
        const fault: Fault = { atWrite, effect: 'again', dies: false };
        const { writes: _writes, ...rest } = await playWith(pages, (number) =>
          number === invocation ? fault : undefined,
        );
        expect({ at, ...rest }).toEqual({ at, ...expected });
      }
    }
  });
});
