import { setTimeout as wait } from 'node:timers/promises';
import { DynamoDBClient, paginateScan } from '@aws-sdk/client-dynamodb';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { environmentNames, type ReconcileMessage } from '../../lambda/card-settlement/contract.ts';
import { addDays, businessDateOf } from '../../lambda/card-settlement/domain/business-date.ts';
import { itemBytes, unitsIn, usageBetween, type LocalHost, type UsageRecord } from '../../local/index.ts';
import { accessTokensOf } from '../../cli/shared/tokens.ts';
import { createCallApi, describeRefusal, type CallApi } from '../../cli/shared/api.ts';
import {
  businessCalendar,
  missingCount,
  readBusinessDay,
  requestReconcile,
  stagedCount,
} from '../../cli/shared/business-day.ts';
import { CommandError } from '../../cli/shared/command-error.ts';
import { createHttpClient } from '../../cli/shared/http.ts';
import type { Outputs } from '../../cli/shared/outputs.ts';
import { forEachConcurrently } from '../../cli/shared/concurrency.ts';
import { readShippedFxRates } from '../../cli/shared/fx-rates.ts';

/** What a day of sales took, from the first request to the balance, and what comes after it. */
export interface SalesUsage {
  readonly day: readonly UsageRecord[];
  /** One more walk over the books of the balanced day. */
  readonly walk: readonly UsageRecord[];
  /** One run of the schedule that finds no day due. */
  readonly scheduledRun: readonly UsageRecord[];
  /** Averages. */
  readonly stagedItemBytes: number;
  readonly ledgerItemBytes: number;
}

/** Few enough that functions do not wait for the processor, which would count as their time. */
const CONCURRENCY = 2;
const MERCHANTS = 5;
const WARM_UP_SALES = 20;
const DAYS_AGO = 3;
const PATIENCE_SECONDS = 300;

/** Plays a day of sales and settles it. The day is past its cut-off, so that it can be balanced at once. */
export async function playSales(host: LocalHost, outputs: Outputs, sales: number): Promise<SalesUsage> {
  const http = createHttpClient({ connections: CONCURRENCY });
  const aws = {
    region: 'us-east-1',
    endpoint: host.awsEndpoint,
    credentials: { accessKeyId: 'operator', secretAccessKey: 'operator' },
  };
  const [dynamoDb, sqs] = [new DynamoDBClient(aws), new SQSClient(aws)];
  const callAs = (client: 'gateway' | 'operator'): CallApi =>
    createCallApi({
      http,
      apiUrl: outputs.DuotempoCardSettlement.ApiUrl,
      tokens: accessTokensOf(client, outputs, http),
    });
  const [gateway, operator] = [callAs('gateway'), callAs('operator')];
  try {
    const today = businessDateOf(new Date(), businessCalendar);
    const date = addDays(today, -DAYS_AGO);
    await prepare(operator, [date, today]);
    await stage(gateway, today, WARM_UP_SALES, () => new Date().toISOString());
    await settle(operator, today, WARM_UP_SALES, 'open');

    const start = host.usage();
    const dayStart = Date.parse(`${date}T06:00:00Z`);
    await stage(gateway, date, sales, (number) =>
      new Date(dayStart + Math.floor((number * 10 * 3_600_000) / sales)).toISOString(),
    );
    await settle(operator, date, sales, 'balanced');
    const day = usageBetween(start, host.usage());

    const send = sendAsScheduler(host, sqs);
    return {
      day,
      walk: await send({ kind: 'business-day', businessDate: date, trigger: 'schedule' }),
      scheduledRun: await send({ kind: 'due-days' }),
      stagedItemBytes: await averageItemBytes(
        dynamoDb,
        variable(host, environmentNames.stagedTransactionsTable),
      ),
      ledgerItemBytes: await averageItemBytes(dynamoDb, variable(host, environmentNames.ledgerTable)),
    };
  } finally {
    http.close();
    dynamoDb.destroy();
    sqs.destroy();
  }
}

const merchantOf = (number: number): string => `cost-merchant-${number % MERCHANTS}`;

/** Profiles with fees, one of them in another currency, and the rates it takes: none of it is a sale's. */
async function prepare(operator: CallApi, dates: readonly string[]): Promise<void> {
  const put = async (path: string, body: unknown): Promise<void> => {
    const response = await operator({ method: 'PUT', path, body });
    if (response.status !== 204) throw new CommandError(`${path} was refused: ${describeRefusal(response)}.`);
  };
  for (let number = 0; number < MERCHANTS; number++) {
    await put(`/merchants/${merchantOf(number)}`, {
      name: `Merchant ${number}`,
      country: number === 0 ? 'FR' : 'US',
      settlementCurrency: number === 0 ? 'EUR' : 'USD',
      feeBasisPoints: 150,
      feeFixedMinor: 10,
    });
  }
  const rates = await readShippedFxRates();
  for (const date of dates) await put(`/fx-rates/${date}`, rates);
}

/** Stages plain sales of some 20 to 80 dollars, each of a card of its own, as no fraud rule would hold them. */
async function stage(
  gateway: CallApi,
  date: string,
  sales: number,
  occurredAt: (number: number) => string,
): Promise<void> {
  const numbers = Array.from({ length: sales }, (_, number) => number);
  await forEachConcurrently(numbers, CONCURRENCY, async (number) => {
    const response = await gateway({
      method: 'POST',
      path: '/transactions',
      headers: { 'idempotency-key': `cost-${date}-${number}` },
      body: {
        merchantId: merchantOf(number),
        terminalId: `cost-terminal-${number % (2 * MERCHANTS)}`,
        type: 'sale',
        cardToken: `cost-card-${date}-${number}`,
        amount: 2000 + ((number * 37) % 6000),
        currency: 'USD',
        merchantCategoryCode: '5411',
        occurredAt: occurredAt(number),
      },
    });
    if (response.status !== 201) throw new CommandError(`A sale was refused: ${describeRefusal(response)}.`);
  });
}

async function settle(
  operator: CallApi,
  date: string,
  sales: number,
  status: 'open' | 'balanced',
): Promise<void> {
  await requestReconcile(operator, date);
  const deadline = performance.now() + PATIENCE_SECONDS * 1000;
  for (;;) {
    const day = await readBusinessDay(operator, date);
    if (day?.status === status && stagedCount(day) >= sales && missingCount(day) === 0) return;
    if (performance.now() > deadline) {
      throw new CommandError(`${date} is not ${status} after ${PATIENCE_SECONDS} s: nothing was measured.`);
    }
    await wait(250);
  }
}

/** Sends what the scheduler, or a run that it started, would send, and waits until it is worked on. */
function sendAsScheduler(
  host: LocalHost,
  sqs: SQSClient,
): (message: ReconcileMessage) => Promise<readonly UsageRecord[]> {
  const queueUrl = variable(host, environmentNames.reconcileQueueUrl);
  const queueName = queueUrl.split('/').at(-1);
  return async (message) => {
    const start = host.usage();
    await sqs.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: JSON.stringify(message) }));
    const deadline = performance.now() + PATIENCE_SECONDS * 1000;
    for (;;) {
      const used = usageBetween(start, host.usage());
      const deleted = unitsIn(
        used,
        'sqs-requests',
        ({ resource, part }) => resource === queueName && part.startsWith('DeleteMessage'),
      );
      if (deleted > 0) return used.filter(({ unit }) => unit !== 'sqs-empty-receives');
      if (performance.now() > deadline) throw new CommandError('A scheduled run did not end in time.');
      await wait(50);
    }
  };
}

function variable(host: LocalHost, name: string): string {
  const value = host.functions
    .map(({ environment }) => environment[name])
    .find((found) => found !== undefined);
  if (value === undefined) throw new Error(`No function has the variable ${name}.`);
  return value;
}

async function averageItemBytes(client: DynamoDBClient, tableName: string): Promise<number> {
  let [items, bytes] = [0, 0];
  for await (const page of paginateScan({ client }, { TableName: tableName })) {
    for (const item of page.Items ?? []) {
      items += 1;
      bytes += itemBytes(JSON.parse(JSON.stringify(item)));
    }
  }
  return items === 0 ? 0 : Math.round(bytes / items);
}
