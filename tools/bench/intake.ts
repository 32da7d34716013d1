import { randomUUID } from 'node:crypto';
import { withApi, describeRefusal } from '../../cli/shared/api.ts';
import { businessCalendar } from '../../cli/shared/business-day.ts';
import { CommandError } from '../../cli/shared/command-error.ts';
import { forEachConcurrently } from '../../cli/shared/concurrency.ts';
import { businessDateOf } from '../../lambda/card-settlement/domain/business-date.ts';
import { stagedItem } from '../../lambda/card-settlement/store/staged-transactions.ts';
import { figure, type Figure } from '../harness/figures.ts';
import { percentiles } from '../harness/percentiles.ts';
import type { RunningHost } from '../harness/running-host.ts';
import { settleDay } from '../harness/settle.ts';
import { withTables } from '../harness/tables.ts';
import { benchFact, benchSale } from './sales.ts';

const CONNECTIONS = 32;
/** No day of the app has the date of the raw writes. */
const FOREIGN_DATE = '1999-12-31';

/**
 * Compares intake with conditional `PutItem`s of equal items into the same table. Rounds of both alternate, so that a
 * busy machine slows down both. Then settles the sales.
 */
export async function measureIntake(
  host: RunningHost,
  { requests, rounds }: { readonly requests: number; readonly rounds: number },
): Promise<readonly Figure[]> {
  return withApi(host.outputs, CONNECTIONS, async ({ as: { gateway, operator } }) =>
    withTables(host, CONNECTIONS, async ({ dynamoDb, nameOf }) => {
      const numbers = Array.from({ length: requests }, (_, number) => number);
      const milliseconds: number[] = [];
      const perSecond = async (work: (number: number) => Promise<void>): Promise<number> => {
        const startedAt = performance.now();
        await forEachConcurrently(numbers, CONNECTIONS, work);
        return (1000 * requests) / (performance.now() - startedAt);
      };
      const TableName = await nameOf('StagedTransactions');
      const putRaw = async (number: number): Promise<void> => {
        const Item = stagedItem(benchFact(number, new Date(), FOREIGN_DATE));
        await dynamoDb.putItem({
          TableName,
          Item,
          ConditionExpression: 'attribute_not_exists(transactionId)',
        });
      };
      const accept = async (number: number): Promise<void> => {
        const startedAt = performance.now();
        const response = await gateway({
          method: 'POST',
          path: '/transactions',
          headers: { 'idempotency-key': randomUUID() },
          body: benchSale(number, new Date()),
        });
        milliseconds.push(performance.now() - startedAt);
        if (response.status !== 201)
          throw new CommandError(`A sale was refused: ${describeRefusal(response)}.`);
      };

      // The first round warms up.
      const measured: { readonly raw: number; readonly intake: number }[] = [];
      for (let round = 0; round <= rounds; round += 1) {
        measured.push({ raw: await perSecond(putRaw), intake: await perSecond(accept) });
        if (round === 0) [measured, milliseconds].forEach((list) => list.splice(0));
      }
      const latency = percentiles(milliseconds);
      const startedAt = performance.now();
      const settled = await settleDay(operator, businessDateOf(new Date(), businessCalendar));
      const seconds = (performance.now() - startedAt) / 1000;
      return [
        figure(`intake, ${CONNECTIONS} connections`, median(measured.map(({ intake }) => intake)), '/s'),
        figure('raw conditional PutItem', median(measured.map(({ raw }) => raw)), '/s'),
        figure('intake : raw', median(measured.map(({ raw, intake }) => intake / raw)), '', {
          atLeast: 0.35,
        }),
        figure('intake p50', latency?.p50 ?? Number.NaN, 'ms'),
        figure('intake p99', latency?.p99 ?? Number.NaN, 'ms'),
        figure('settled', settled / seconds, '/s'),
      ];
    }),
  );
}

function median(values: readonly number[]): number {
  return percentiles(values)?.p50 ?? Number.NaN;
}
