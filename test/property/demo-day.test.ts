import { expect, test } from '@jest/globals';
import { assert, constantFrom, integer, nat, property } from 'fast-check';
import { demoDay } from '../../cli/demo/day.ts';
import { kinds } from '../../cli/demo/event.ts';
import { readShippedFxRates } from '../../cli/shared/fx-rates.ts';
import { addDays, businessDateOf } from '../../lambda/card-settlement/domain/business-date.ts';
import { containsCardNumber } from '../../lambda/card-settlement/domain/card-number.ts';
import { stageConfig } from '../../lib/config.ts';
import { heldOf, verdictsOf } from '../demo-verdicts.ts';

/**
 * Goal: whatever the seed, the size and the date, also where a clock changes, the demo day shows what it promises.
 * Method: its rows are parsed as the API does, and assessed by the very rules.
 */

const { calendar } = stageConfig('sandbox');
const clockChanges = ['2026-03-08', '2026-03-29', '2026-10-25', '2026-11-01'];

/** What a reversal repeats of its sale. */
const REVERSED = ['card_token', 'merchant_id', 'amount_minor', 'currency'] as const;

const rates = await readShippedFxRates();

test('every kind of attack is found, and nothing honest is held', () => {
  assert(
    property(
      nat(),
      integer({ min: 200, max: 600 }),
      constantFrom(...clockChanges),
      integer({ min: 0, max: 200 }),
      (seed, count, change, after) => {
        const date = addDays(change, after % 3 === 0 ? 0 : after);
        const day = demoDay({ seed, count, date, calendar });
        expect(day.transactions).toHaveLength(count);
        const verdicts = verdictsOf(day, rates, calendar);
        for (const kind of kinds) {
          const held = heldOf(verdicts, (row) => row['is_fraud'] === kind);
          expect([kind, held.length > 0]).toEqual([kind, true]);
        }
        expect(heldOf(verdicts, (row) => row['is_fraud'] === '')).toEqual([]);
      },
    ),
    { seed: 20_261_120, numRuns: 40 },
  );
});

test('every row lies on its business date, names a terminal of the day, and holds nothing like a card number', () => {
  assert(
    property(nat(), constantFrom(...clockChanges, '2026-11-20'), (seed, date) => {
      const day = demoDay({ seed, count: 200, date, calendar });
      const byId = new Map(day.transactions.map((row) => [row['transaction_id'], row]));
      const isAsPromised = (row: (typeof day.transactions)[number]): boolean => {
        const original = byId.get(row['original_transaction_id']);
        const isLinked =
          row['original_transaction_id'] === '' ||
          (original?.['type'] === 'sale' && original['is_fraud'] === '');
        const isLikeOriginal =
          row['type'] !== 'reversal' || REVERSED.every((column) => row[column] === original?.[column]);
        const occurredAt = new Date(row['occurred_at'] ?? '');
        return (
          isLinked &&
          isLikeOriginal &&
          businessDateOf(occurredAt, calendar) === date &&
          !containsCardNumber(row)
        );
      };
      expect(day.transactions.filter((row) => !isAsPromised(row))).toEqual([]);
      expect(day.transactions.map((row) => row['terminal_id'])).toContain(day.miscounts);
      expect(day.gifts).toHaveLength(5);
    }),
    { seed: 20_261_121, numRuns: 40 },
  );
});
