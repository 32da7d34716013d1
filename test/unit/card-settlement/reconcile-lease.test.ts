import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { afterAll, expect, it } from '@jest/globals';
import { environmentNames, tables } from '../../../lambda/card-settlement/contract.ts';
import { reconcileBusinessDay } from '../../../lambda/card-settlement/reconcile/run.ts';
import { buildServices } from '../../../lambda/card-settlement/reconcile/services.ts';
import { startEngines } from '../../local/dynamodb/engines.ts';
import { tableNames } from '../../../tools/simulate/settlement/environment.ts';
import { createTables } from '../../../tools/simulate/settlement/tables.ts';
import { captureLog } from '../shared/captured-log.ts';

const date = '2026-03-10';
const now = new Date('2026-03-10T23:00:00.000Z');
const days = tableNames.businessDays;

const engines = await startEngines();
const { partitionKey, sortKey } = tables.businessDays;
await createTables(engines.dynamoDb);
const reconcileQueueUrl = engines.createQueue('reconcile').queueUrl;
Object.assign(process.env, {
  [environmentNames.businessDaysTable]: days,
  [environmentNames.stagedTransactionsTable]: 'there-is-none',
  [environmentNames.ledgerTable]: 'there-is-none',
  [environmentNames.settlementQueueUrl]: reconcileQueueUrl,
  [environmentNames.reconcileQueueUrl]: reconcileQueueUrl,
  [environmentNames.businessTimeZone]: 'America/New_York',
  [environmentNames.businessCutOff]: '17:00',
  [environmentNames.sealWaitSeconds]: '30',
  [environmentNames.settlementWindowSeconds]: '10',
  [environmentNames.settlementHorizonSeconds]: '960',
});
const services = buildServices(engines.dynamoDbClient, engines.sqsClient, () => now);
await engines.dynamoDbClient.send(
  new PutItemCommand({
    TableName: days,
    Item: { [partitionKey]: { S: 'day' }, [sortKey]: { S: date }, revision: { N: '1' } },
  }),
);

afterAll(async () => engines.stop());

async function* failing(): AsyncGenerator<never, void, undefined> {
  // Somebody finds the day taken while the run is under way.
  expect(await services.leases.requestRerun(date, 'operator', now)).toBe(true);
  yield* nothing();
  throw new Error('DynamoDB is down');
}

it('a run that fails gives its day back, and hands on who asked for another meanwhile', async () => {
  const downServices = {
    ...services,
    books: {
      ...services.books,
      terminalTotals: { pagesOf: failing },
    },
  };
  const run = async (requestId: string) =>
    captureLog(async () =>
      reconcileBusinessDay(
        { kind: 'business-day', businessDate: date, trigger: 'schedule' },
        { requestId, messageId: `message of ${requestId}`, remainingMilliseconds: () => 300_000 },
        downServices,
      ),
    );
  await expect(run('run-1')).rejects.toThrow('DynamoDB is down');
  const { Messages: messages = [] } = await engines.sqsClient.send(
    new ReceiveMessageCommand({ QueueUrl: reconcileQueueUrl }),
  );
  expect(messages.map(({ Body: body = '' }) => JSON.parse(body) as unknown)).toEqual([
    { kind: 'business-day', businessDate: date, trigger: 'operator' },
  ]);
  // The next run has the day at once: it gets as far as the books, and not to a holder that is gone.
  await expect(run('run-2')).rejects.toThrow('DynamoDB is down');
});

it('the wait of a seal begins when the write that sealed the day was acknowledged, however long it took', async () => {
  const sealed = '2026-03-09';
  let clock = now.getTime();
  const slow: typeof services = {
    ...services,
    now: () => new Date(clock),
    leases: {
      ...services.leases,
      acquire: async (businessDate, request) => {
        const day = await services.leases.acquire(businessDate, request);
        // DynamoDB took the write at once, or only just now: nobody can tell.
        if (request.seal) clock += 40_000;
        return day;
      },
    },
    sendReconcileMessage: async () => Promise.resolve(),
    books: {
      ...services.books,
      staged: { pagesOf: () => nothing() },
      ledger: { pagesOf: () => nothing() },
      terminalTotals: { pagesOf: () => nothing() },
    },
  };
  const balancedBy = async (requestId: string): Promise<boolean> => {
    await captureLog(async () =>
      reconcileBusinessDay(
        { kind: 'business-day', businessDate: sealed, trigger: 'operator' },
        { requestId, messageId: `message of ${requestId}`, remainingMilliseconds: () => 300_000 },
        slow,
      ),
    );
    return (await services.days.read(sealed))?.status === 'balanced';
  };
  expect(await balancedBy('sealing')).toBe(false);
  clock += 29_000;
  expect(await balancedBy('early')).toBe(false);
  clock += 1000;
  expect(await balancedBy('in time')).toBe(true);
});

async function* nothing(): AsyncGenerator<never, void, undefined> {
  yield* [];
}
