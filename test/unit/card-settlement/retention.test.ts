import { expect, test } from '@jest/globals';
import type { ReconcileMessage } from '../../../lambda/card-settlement/contract.ts';
import { addDays } from '../../../lambda/card-settlement/domain/business-date.ts';
import { STAGED_KEPT_DAYS, RECONCILED_DAYS } from '../../../lambda/card-settlement/domain/retention.ts';
import { reconcileDueDays } from '../../../lambda/card-settlement/reconcile/due-days.ts';
import { businessDay } from './card-facts.ts';

/**
 * Goal: no run looks at a day some of whose facts have expired: it would take their entries for unstaged, and reopen it.
 * Method: the schedule is offered the days around the bound.
 */

const TODAY = '2026-11-20';
const now = () => new Date('2026-11-20T18:00:00Z');

test('facts outlive the last run of their day by more than a message may wait', () => {
  const queueKeepsDays = 4;
  expect(STAGED_KEPT_DAYS).toBeGreaterThan(RECONCILED_DAYS + queueKeepsDays + 1);
});

test('the schedule asks for no run of a day that is older than days are reconciled', async () => {
  const sent: ReconcileMessage[] = [];
  await reconcileDueDays({
    now,
    settings: { calendar: { timeZone: 'America/New_York', cutOff: '17:00' } },
    days: {
      pagesOf: async function* ({ from = '' }) {
        const unbalanced = [1, RECONCILED_DAYS, RECONCILED_DAYS + 1, 500].map((days) =>
          addDays(TODAY, -days),
        );
        yield unbalanced.filter((date) => date >= from).map((businessDate) => businessDay({ businessDate }));
      },
    },
    sendReconcileMessage: async (message) => {
      sent.push(message);
    },
  });
  expect(sent).toEqual(
    [1, RECONCILED_DAYS].map((days) => ({
      kind: 'business-day',
      businessDate: addDays(TODAY, -days),
      trigger: 'schedule',
    })),
  );
});
