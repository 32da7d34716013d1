import { tableNames } from '../../../tools/simulate/settlement/environment.ts';
import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { decisionIdOf } from '../../../lambda/card-settlement/domain/identifiers.ts';
import { reviewOf } from '../../../lambda/card-settlement/domain/decision.ts';
import type { StagedFact } from '../../../lambda/card-settlement/domain/settlement.ts';
import { stagedTable } from '../../../lambda/card-settlement/store/staged-transactions.ts';
import { disorders, playBoth } from '../../../tools/simulate/settlement/batch.ts';
import { expectConserved } from '../../../tools/simulate/settlement/books.ts';
import { play, scripts, scriptStartsAt, type Script } from '../../../tools/simulate/settlement/script.ts';
import { settlementWorld } from '../../../tools/simulate/settlement/world.ts';

/**
 * Goal: whatever happens to messages, functions and calls, the books come out the same, and nothing is lost or doubled.
 * Method: what clients and operators do on a few business dates is played in two worlds of real functions and tables: in
 * one all goes well, in the other messages are lost, doubled, late and in any order and batch, invocations run into each
 * other and writes fail or kill their function. Both are held against an oracle that adds up the raw items, and against
 * each other: no verdict, total, status or payment may differ.
 */

describe('business days', () => {
  it('end with the same books, conserved, whatever happens to messages, functions and calls', async () => {
    const seen = new Set<string>();
    await fc.assert(
      fc.asyncProperty(scripts, disorders, async (script, disorder) => {
        const { fates } = await playBoth(script, disorder);
        for (const { decision, status } of fates)
          seen.add(`${decision?.fact.type ?? 'undecided'}: ${status}`);
      }),
      { seed: 20_260_307, numRuns: 5, endOnFailure: true },
    );
    // Of everything that can become of a transaction there was some.
    expect([...seen].toSorted()).toEqual([
      'reject: rejected',
      'release: settled',
      'reversal: reversed',
      'undecided: held',
      'undecided: settled',
    ]);
  });

  it('that wait for their rates end with the same books as well', async () => {
    const script: Script = {
      dates: [
        [
          { kind: 'sale', merchant: 0, card: 0, terminal: 0, amount: 5000, currency: 'EUR', copies: 1 },
          { kind: 'sale', merchant: 0, card: 1, terminal: 0, amount: 700, currency: 'USD', copies: 0 },
          { kind: 'sale', merchant: 2, card: 2, terminal: 1, amount: 900, currency: 'KWD', copies: 0 },
          { kind: 'refund', merchant: 1, card: 2, terminal: 1, amount: 300, currency: 'USD', copies: 0 },
          { kind: 'reversal', of: 0 },
        ],
        [{ kind: 'review', reviews: [{ type: 'release', of: 1 }] }],
      ],
      ratesComeLate: true,
      terminalMiscounts: true,
    };
    await fc.assert(
      fc.asyncProperty(disorders, async (disorder) => {
        const { world, fates } = await playBoth(script, disorder);
        expect(fates.map(({ status }) => status).toSorted()).toEqual([
          'reversed',
          'settled',
          'settled',
          'settled',
          'settled',
        ]);
        const [blocked] = await world.days();
        expect(blocked).toMatchObject({
          revision: 1,
          breaks: [{ kind: 'terminal-totals', subject: 'till-2' }],
        });
      }),
      { seed: 20_260_308, numRuns: 1, endOnFailure: true },
    );
  });

  it('that were balanced take in what is staged into them, at the next revision, though runs die of it', async () => {
    const script: Script = {
      dates: [
        [
          { kind: 'sale', merchant: 0, card: 0, terminal: 0, amount: 500, currency: 'USD', copies: 2 },
          { kind: 'sale', merchant: 1, card: 1, terminal: 0, amount: 900, currency: 'EUR', copies: 0 },
        ],
      ],
      ratesComeLate: false,
      terminalMiscounts: false,
    };
    await fc.assert(
      fc.asyncProperty(
        fc.integer(),
        fc.subarray(['sale', 'release', 'reject', 'reversal'] as const, { minLength: 1 }),
        async (seed, kinds) => {
          const disorder = {
            seed,
            lossPercent: 20,
            duplicatePercent: 20,
            delayPercent: 30,
            faultPercent: 30,
          };
          const world = await settlementWorld(scriptStartsAt, disorder);
          const { posted } = await play(script, world);
          const factOf = async (index: number): Promise<StagedFact> => {
            const id = posted[index]?.transactionId ?? '';
            const fact = await stagedTable(world.aws.client, tableNames.staged).get(id);
            if (fact === undefined) throw new Error('There is no such fact.');
            return fact;
          };
          const [held, heldToo, settled] = [await factOf(1), await factOf(2), await factOf(3)];
          const { businessDate } = held;
          const late = {
            businessDate,
            stagedAt: world.now().toISOString(),
            reason: 'late',
            clientId: 'operator',
          };
          const stragglers = {
            sale: { ...settled, factId: 'late', cardToken: 'tok_late', stagedAt: late.stagedAt },
            release: reviewOf(held, { ...late, kind: 'release' }),
            reject: reviewOf(heldToo, { ...late, kind: 'reject' }),
            reversal: {
              ...settled,
              kind: 'reversal' as const,
              factId: decisionIdOf(settled.factId),
              stagedAt: late.stagedAt,
            },
          };
          for (const kind of kinds)
            await stagedTable(world.aws.client, tableNames.staged).put(stragglers[kind]);
          world.remind();
          world.requestReconcile(businessDate);
          await world.advance(world.now().getTime() + 3_600_000);
          await world.settleDown();
          await expectConserved(world);
          const [day] = await world.days();
          expect(day?.revision).toBe(2);
          expect(day?.breaks.filter(({ kind }) => kind === 'straggler')).toHaveLength(1);
        },
      ),
      { seed: 20_260_309, numRuns: 8, endOnFailure: true },
    );
  });
});
