import { randomUUID } from 'node:crypto';
import { withApi } from '../../cli/shared/api.ts';
import { businessCalendar } from '../../cli/shared/business-day.ts';
import { type SettlementMessage } from '../../lambda/card-settlement/contract.ts';
import { addDays, businessDateOf } from '../../lambda/card-settlement/domain/business-date.ts';
import { factOf } from '../../lambda/card-settlement/domain/settlement.ts';
import { stagedItem } from '../../lambda/card-settlement/store/staged-transactions.ts';
import { usageBetween } from '../../local/index.ts';
import { bundleOf } from '../bench/bundles.ts';
import { costSale, prepareDates } from '../cost/sales.ts';
import type { OwnHost } from '../harness/own-host.ts';
import { withTables } from '../harness/tables.ts';
import { startHandlerThread } from './handler-thread.ts';
import { together, unitsOfEach, type MeasuredSize } from './handler-model.ts';

/**
 * Batches of each size in a round. The handler takes no more than 100 messages: it reads their facts with one
 * BatchGetItem.
 */
const ROUND = [
  { size: 1, batches: 6 },
  { size: 2, batches: 4 },
  { size: 5, batches: 3 },
  { size: 10, batches: 3 },
  { size: 100, batches: 1 },
] as const;
/** Sizes alternate, so that a busy machine slows down all of them. */
const ROUNDS = 10;
/** A new environment reads what it keeps, and its code is not compiled yet. */
const WARM_UP_BATCHES = 20;
const DAYS_AGO = 3;
const CONNECTIONS = 4;

/** The number of the next sale: each is settled once. */
let staged = 0;

/** Writes sales straight into the table of staged facts. @returns the messages that settle them */
export async function stageSales(host: OwnHost, count: number): Promise<readonly string[]> {
  const date = addDays(businessDateOf(new Date(), businessCalendar), -DAYS_AGO);
  const occurredAt = new Date(`${date}T16:00:00Z`);
  const facts = Array.from({ length: count }, () =>
    factOf(costSale(date, staged++, occurredAt), {
      factId: randomUUID(),
      clientId: 'compare',
      businessDate: date,
      stagedAt: occurredAt.toISOString(),
      bodyDigest: '0'.repeat(32),
    }),
  );
  await withTables({ outputs: host.appOutputs }, CONNECTIONS, async ({ fill }) =>
    fill('StagedTransactions', facts.map(stagedItem)),
  );
  return facts.map(({ factId }) => JSON.stringify({ factId } satisfies SettlementMessage));
}

/** Profiles of the merchants, and rates of the sales' date. */
export async function prepareSettlement(host: OwnHost): Promise<void> {
  const date = addDays(businessDateOf(new Date(), businessCalendar), -DAYS_AGO);
  await withApi(host.appOutputs, CONNECTIONS, async ({ as: { operator } }) => prepareDates(operator, [date]));
}

/**
 * Runs the settlement handler's bundle on real batches of each size, against the tables of a local host.
 *
 * @param assembly whose settlement queue is not polled
 */
export async function measureSettlement(host: OwnHost, assembly: string): Promise<readonly MeasuredSize[]> {
  await prepareSettlement(host);
  const settle = host.functions.find(({ logicalId }) => logicalId.startsWith('SettlementWorker'));
  const { accessKeyId = '', secretAccessKey = '' } = settle?.credentials ?? {};
  const thread = startHandlerThread(bundleOf(assembly, 'SettlementWorker'), {
    ...settle?.environment,
    AWS_ENDPOINT_URL: host.awsEndpoint,
    AWS_REGION: host.region,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
  });
  try {
    const play = async (size: number, batches: number): Promise<MeasuredSize> => {
      const bodies = await stageSales(host, size * batches);
      const start = host.usage();
      const milliseconds: number[] = [];
      for (let batch = 0; batch < batches; batch += 1)
        milliseconds.push(await thread.invoke(bodies.slice(batch * size, (batch + 1) * size)));
      return { size, milliseconds, ...unitsOfEach(batches, usageBetween(start, host.usage())) };
    };
    await play(10, WARM_UP_BATCHES);
    const played: MeasuredSize[] = [];
    for (let round = 0; round < ROUNDS; round += 1)
      for (const { size, batches } of ROUND) played.push(await play(size, batches));
    return ROUND.map(({ size }) => together(played.filter((each) => each.size === size)));
  } finally {
    await thread.end();
  }
}
