import Table from 'cli-table3';
import { countOf } from '../../cli/shared/screen.ts';
import type { UsageUnit } from '../../local/index.ts';
import { walksAfterBalance, type Cost, type Month, type MonthBills } from './estimate.ts';
import { services, type Bill, type Prices, type UnitCounts } from './prices.ts';

export interface CostReport {
  readonly prices: Pick<Prices, 'region' | 'asOf'>;
  readonly sales: Cost & {
    readonly played: number;
    readonly batchSize: number;
    readonly stagedItemBytes: number;
    readonly ledgerItemBytes: number;
    /** If items are priced as larger or smaller than those played. */
    readonly pricedItemBytes?: number;
  };
  readonly messages: Cost & { readonly played: number; readonly textBytes: number; readonly devices: number };
  readonly month?: Month & { readonly dollars: MonthBills };
  readonly notCounted: string;
}

export function costText({ prices, sales, messages, month, notCounted }: CostReport): string {
  const pricedAs =
    sales.pricedItemBytes === undefined ? '' : ` Priced as if of ${sales.pricedItemBytes} bytes.`;
  return [
    costTable('$ per million sales', sales),
    `Each sale: ${unitsLine(sales.unitsEach)}.`,
    `Played: ${countOf(sales.played, 'sale')} on one day, in batches of ${sales.batchSize}; staged ${sales.stagedItemBytes} bytes, in the ledger ${sales.ledgerItemBytes}.${pricedAs} Later walks: ${walksAfterBalance()} in 48 h.`,
    '',
    costTable('$ per million messages', messages),
    `Each message: ${unitsLine(messages.unitsEach)}.`,
    `Played: ${countOf(messages.played, 'message')} of ${countOf(messages.textBytes, 'byte')} to ${countOf(messages.devices, 'device')} each, all acknowledged.`,
    '',
    ...(month === undefined
      ? []
      : [
          billTable('$ a month', Object.entries(month.dollars)),
          `With ${countOf(month.connections, 'device')} online day and night.`,
          '',
        ]),
    `List prices of ${prices.region} on ${prices.asOf}, without free tier: tools/cost/prices-us-east-1-2026.json.`,
    'Functions are priced at the median time they took on this machine, whose tables are nearer than those of AWS, and their memory in the template.',
    `Not counted: ${notCounted}.`,
  ].join('\n');
}

export function billTable(title: string, rows: readonly (readonly [name: string, bill: Bill])[]): string {
  const shown = services.filter((service) => rows.some(([, bill]) => bill.services[service] !== undefined));
  const table = new Table({
    head: [title, ...shown, 'total'],
    style: { head: [], border: [] },
    colAligns: ['left', ...shown.map(() => 'right' as const), 'right'],
  });
  for (const [name, bill] of rows)
    table.push([name, ...shown.map((service) => dollarsOf(bill.services[service])), dollarsOf(bill.total)]);
  return table.toString();
}

function costTable(title: string, { steps, perMillion }: Cost): string {
  return billTable(title, [
    ...steps.map(({ step, perMillion: bill }) => [step, bill] as const),
    ['together', perMillion],
  ]);
}

function dollarsOf(dollars = 0): string {
  return dollars === 0 ? '' : dollars.toFixed(dollars < 0.01 ? 4 : 2);
}

const UNIT_NAMES: readonly (readonly [UsageUnit, singular: string])[] = [
  ['dynamodb-write-units', 'write unit'],
  ['dynamodb-read-units', 'read unit'],
  ['sqs-requests', 'SQS request'],
  ['pipe-requests', 'pipe request'],
  ['websocket-messages', 'WebSocket message'],
  ['http-api-requests', 'API request'],
  ['lambda-requests', 'invocation'],
  ['lambda-milliseconds', 'ms of functions on this machine'],
  ['lambda-gigabyte-seconds', 'GB-second'],
];

/** `5 write units, 2.2 SQS requests, …` */
export function unitsLine(unitsEach: UnitCounts): string {
  return UNIT_NAMES.flatMap(([unit, name]) => {
    const count = unitsEach[unit] ?? 0;
    if (count === 0) return [];
    const rounded = Number(count.toFixed(count < 0.1 ? 4 : 2));
    return [unit === 'lambda-milliseconds' ? `${rounded} ${name}` : countOf(rounded, name)];
  }).join(', ');
}
