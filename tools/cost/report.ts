import Table from 'cli-table3';
import type { UsageUnit } from '../../local/index.ts';
import { countOf } from '../../cli/shared/screen.ts';
import type { Cost } from './estimate.ts';
import { services, type Bill, type UnitCounts } from './prices.ts';

/** Rows of bills, with a column for each service that appears in one of them. */
export function billTable(title: string, rows: readonly (readonly [name: string, bill: Bill])[]): string {
  const shown = services.filter((service) => rows.some(([, bill]) => bill.services[service] !== undefined));
  const table = new Table({
    head: [title, ...shown, 'total'],
    style: { head: [], border: [] },
    colAligns: ['left', ...shown.map(() => 'right' as const), 'right'],
  });
  for (const [name, bill] of rows) {
    table.push([name, ...shown.map((service) => dollarsOf(bill.services[service])), dollarsOf(bill.total)]);
  }
  return table.toString();
}

/** The steps of a sale or a message, and their sum. */
export function costTable(title: string, { steps, perMillion }: Cost): string {
  return billTable(title, [
    ...steps.map(({ step, perMillion: bill }) => [step, bill] as const),
    ['together', perMillion],
  ]);
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

function dollarsOf(dollars: number | undefined): string {
  return dollars === undefined || dollars === 0 ? '' : dollars.toFixed(dollars < 0.01 ? 4 : 2);
}
