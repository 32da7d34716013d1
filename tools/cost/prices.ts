import { readFile } from 'node:fs/promises';
import * as v from 'valibot';
import type { UsageRecord, UsageUnit } from '../../local/index.ts';
import { parseJson } from '../../cli/shared/files.ts';

/** The units that each service bills. */
const unitsOfServices = [
  ['HTTP API', ['http-api-requests']],
  ['WebSocket API', ['websocket-messages', 'websocket-connection-minutes']],
  ['Lambda requests', ['lambda-requests']],
  ['Lambda time', ['lambda-gigabyte-seconds']],
  ['SQS', ['sqs-requests', 'sqs-empty-receives']],
  ['DynamoDB writes', ['dynamodb-write-units']],
  ['DynamoDB reads', ['dynamodb-read-units']],
  ['Pipes', ['pipe-requests']],
  ['Scheduler', ['scheduler-invocations']],
] as const satisfies readonly (readonly [service: string, units: readonly UsageUnit[]])[];

export type Service = (typeof unitsOfServices)[number][0];
type PricedUnit = (typeof unitsOfServices)[number][1][number];

export const services: readonly Service[] = unitsOfServices.map(([service]) => service);

const price = v.pipe(v.number(), v.minValue(0));
const pricesSchema = v.strictObject({
  region: v.string(),
  /** When the prices were those of the sources. */
  asOf: v.pipe(v.string(), v.isoDate()),
  note: v.string(),
  dollarsPerMillion: v.strictObject({
    'http-api-requests': price,
    'websocket-messages': price,
    'websocket-connection-minutes': price,
    'lambda-requests': price,
    'lambda-gigabyte-seconds': price,
    'sqs-requests': price,
    'sqs-empty-receives': price,
    'dynamodb-write-units': price,
    'dynamodb-read-units': price,
    'pipe-requests': price,
    'scheduler-invocations': price,
  } satisfies Readonly<Record<PricedUnit, typeof price>>),
  sources: v.array(v.pipe(v.string(), v.url())),
});

export type Prices = v.InferOutput<typeof pricesSchema>;

export async function readPrices(): Promise<Prices> {
  const file = new URL('prices-us-east-1-2026.json', import.meta.url);
  return v.parse(pricesSchema, parseJson(await readFile(file, 'utf8')));
}

export type UnitCounts = Readonly<Partial<Record<UsageUnit, number>>>;

/** @param times how often the counted work happens */
export function countsOf(records: readonly UsageRecord[], times = 1): UnitCounts {
  const counts: Partial<Record<UsageUnit, number>> = {};
  for (const { unit, count } of records) counts[unit] = (counts[unit] ?? 0) + count * times;
  return counts;
}

/** Dollars, without services that cost nothing. */
export interface Bill {
  readonly services: Readonly<Partial<Record<Service, number>>>;
  readonly total: number;
}

export function billOf(counts: UnitCounts, { dollarsPerMillion }: Prices): Bill {
  const byService = unitsOfServices
    .map(([service, units]) => {
      const dollars = units.map((unit: PricedUnit) => (counts[unit] ?? 0) * dollarsPerMillion[unit]);
      return [service, sum(dollars) / 1e6] as const;
    })
    .filter(([, dollars]) => dollars > 0);
  return { services: Object.fromEntries(byService), total: sum(byService.map(([, dollars]) => dollars)) };
}

export function billsTogether(bills: readonly Bill[]): Bill {
  const together: Partial<Record<Service, number>> = {};
  for (const service of services) {
    const dollars = sum(bills.map((bill) => bill.services[service] ?? 0));
    if (dollars > 0) together[service] = dollars;
  }
  return { services: together, total: sum(bills.map(({ total }) => total)) };
}

export function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}
