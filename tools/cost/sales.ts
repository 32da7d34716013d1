import { DynamoDBClient, paginateScan } from '@aws-sdk/client-dynamodb';
import { SQS } from '@aws-sdk/client-sqs';
import { describeRefusal, withApi, type CallApi } from '../../cli/shared/api.ts';
import { businessCalendar } from '../../cli/shared/business-day.ts';
import { CommandError } from '../../cli/shared/command-error.ts';
import { forEachConcurrently } from '../../cli/shared/concurrency.ts';
import { readShippedFxRates } from '../../cli/shared/fx-rates.ts';
import { awsClientOptions } from '../../cli/shared/outputs.ts';
import { environmentNames, type ReconcileMessage } from '../../lambda/card-settlement/contract.ts';
import { addDays, businessDateOf } from '../../lambda/card-settlement/domain/business-date.ts';
import type { Transaction } from '../../lambda/card-settlement/domain/transaction.ts';
import { itemBytes, unitsIn, usageBetween, type UsageRecord } from '../../local/index.ts';
import type { OwnHost } from '../harness/own-host.ts';
import { settleDay } from '../harness/settle.ts';
import { until } from '../harness/until.ts';
import { CONCURRENCY } from './messages.ts';

export interface SalesUsage {
  /** From the first request to the balance. */
  readonly day: readonly UsageRecord[];
  /** One more walk over the books of the balanced day. */
  readonly walk: readonly UsageRecord[];
  /** One run of the schedule that finds no day due. */
  readonly scheduledRun: readonly UsageRecord[];
  /** Averages. */
  readonly stagedItemBytes: number;
  readonly ledgerItemBytes: number;
}

const MERCHANTS = 5;
const WARM_UP_SALES = 20;
const DAYS_AGO = 3;
const PATIENCE = { seconds: 300 };

/** The day's cut-off has passed, so that it can be balanced at once. */
export async function playSales(host: OwnHost, sales: number): Promise<SalesUsage> {
  return withApi(host.appOutputs, CONCURRENCY, async ({ as: { gateway, operator } }) => {
    const today = businessDateOf(new Date(), businessCalendar);
    const date = addDays(today, -DAYS_AGO);
    await prepareDates(operator, [date, today]);
    await stage(gateway, today, WARM_UP_SALES, () => new Date());
    await settleDay(operator, today, WARM_UP_SALES, 'open');

    const start = host.usage();
    const opening = Date.parse(`${date}T06:00:00Z`);
    const openMilliseconds = 10 * 3_600_000;
    await stage(
      gateway,
      date,
      sales,
      (number) => new Date(opening + Math.floor((number * openMilliseconds) / sales)),
    );
    await settleDay(operator, date, sales, 'balanced');
    return {
      day: usageBetween(start, host.usage()),
      walk: await usageOf(host, { kind: 'business-day', businessDate: date, trigger: 'schedule' }),
      scheduledRun: await usageOf(host, { kind: 'due-days' }),
      stagedItemBytes: await averageItemBytes(host, environmentNames.stagedTransactionsTable),
      ledgerItemBytes: await averageItemBytes(host, environmentNames.ledgerTable),
    };
  });
}

const merchantOf = (number: number): string => `cost-merchant-${number % MERCHANTS}`;

/** Not part of a sale's cost. */
export async function prepareDates(operator: CallApi, dates: readonly string[]): Promise<void> {
  const put = async (path: string, body: unknown): Promise<void> => {
    const response = await operator({ method: 'PUT', path, body });
    if (response.status !== 204) throw new CommandError(`${path} was refused: ${describeRefusal(response)}.`);
  };
  for (let number = 0; number < MERCHANTS; number += 1) {
    const home =
      number === 0
        ? { country: 'FR', settlementCurrency: 'EUR' }
        : { country: 'US', settlementCurrency: 'USD' };
    const profile = { name: `Merchant ${number}`, ...home, feeBasisPoints: 150, feeFixedMinor: 10 };
    await put(`/merchants/${merchantOf(number)}`, profile);
  }
  const rates = await readShippedFxRates();
  for (const date of dates) await put(`/fx-rates/${date}`, rates);
}

/** Some 20 to 80 dollars, each with its own card, so that no fraud rule holds them. */
export function costSale(date: string, number: number, occurredAt: Date): Transaction {
  return {
    merchantId: merchantOf(number),
    terminalId: `cost-terminal-${number % (2 * MERCHANTS)}`,
    type: 'sale',
    cardToken: `cost-card-${date}-${number}`,
    amount: 2000 + ((number * 37) % 6000),
    currency: 'USD',
    merchantCategoryCode: '5411',
    occurredAt: occurredAt.toISOString(),
  };
}

async function stage(
  gateway: CallApi,
  date: string,
  sales: number,
  occurredAt: (number: number) => Date,
): Promise<void> {
  const numbers = Array.from({ length: sales }, (_, number) => number);
  await forEachConcurrently(numbers, CONCURRENCY, async (number) => {
    const response = await gateway({
      method: 'POST',
      path: '/transactions',
      headers: { 'idempotency-key': `cost-${date}-${number}` },
      body: costSale(date, number, occurredAt(number)),
    });
    if (response.status !== 201) throw new CommandError(`A sale was refused: ${describeRefusal(response)}.`);
  });
}

async function usageOf(host: OwnHost, message: ReconcileMessage): Promise<readonly UsageRecord[]> {
  const QueueUrl = host.variable(environmentNames.reconcileQueueUrl);
  const start = host.usage();
  const used = (): readonly UsageRecord[] => usageBetween(start, host.usage());
  const sqs = new SQS(awsClientOptions(host.appOutputs));
  await sqs.sendMessage({ QueueUrl, MessageBody: JSON.stringify(message) });
  sqs.destroy();
  const isDone = (): boolean =>
    unitsIn(
      used(),
      'sqs-requests',
      ({ resource, part }) => QueueUrl.endsWith(`/${resource}`) && part.startsWith('DeleteMessage'),
    ) > 0;
  if (!(await until(isDone, PATIENCE))) throw new CommandError('A scheduled run did not end in time.');
  return used().filter(({ unit }) => unit !== 'sqs-empty-receives');
}

async function averageItemBytes(host: OwnHost, variable: string): Promise<number> {
  const client = new DynamoDBClient(awsClientOptions(host.appOutputs));
  let [items, bytes] = [0, 0];
  for await (const page of paginateScan({ client }, { TableName: host.variable(variable) })) {
    for (const item of page.Items ?? []) {
      items += 1;
      bytes += itemBytes(JSON.parse(JSON.stringify(item)));
    }
  }
  client.destroy();
  return items === 0 ? 0 : Math.round(bytes / items);
}
