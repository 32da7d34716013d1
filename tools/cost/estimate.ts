import { isWalkDue } from '../../lambda/card-settlement/domain/later-walks.ts';
import type { UsageRecord } from '../../local/index.ts';
import { MONTH_MINUTES, type StandingWork } from './assembly.ts';
import { billOf, billsTogether, countsOf, type Bill, type Prices, type UnitCounts } from './prices.ts';
import type { SalesUsage } from './sales.ts';
import { messageSteps, saleSteps, type Step } from './steps.ts';

interface StepUnits {
  readonly step: string;
  /** Per sale or message. */
  readonly unitsEach: UnitCounts;
}

export interface Cost {
  readonly steps: readonly (StepUnits & { readonly perMillion: Bill })[];
  readonly unitsEach: UnitCounts;
  readonly perMillion: Bill;
}

const MILLION = 1_000_000;
const TICKS_PER_HOUR = 4;
const WRITE_UNIT_BYTES = 1024;
const READ_UNIT_BYTES = 4096;

/**
 * Includes all the walks over the books that follow the balance.
 * @param itemBytes of a staged sale and of its ledger entry, if not as played
 */
export function salesCost(
  usage: SalesUsage,
  sales: number,
  prices: Prices,
  itemBytes: number | undefined,
): Cost {
  const sized = (records: readonly UsageRecord[]): readonly UsageRecord[] =>
    itemBytes === undefined ? records : withItemsOf(itemBytes, usage, records);
  const { intake, reconcile, settlement } = saleSteps;
  return costOf(
    [
      ...[intake, reconcile, settlement].map((step) => stepOf(step, sized(usage.day), 1 / sales)),
      { ...stepOf(reconcile, sized(usage.walk), walksAfterBalance() / sales), step: 'later walks' },
    ],
    prices,
  );
}

export function messagesCost(records: readonly UsageRecord[], messages: number, prices: Prices): Cost {
  return costOf(
    messageSteps.map((step) => stepOf(step, records, 1 / messages)),
    prices,
  );
}

export interface Month {
  readonly sales: number;
  readonly messages: number;
  /** Day and night. */
  readonly connections: number;
}

/** Dollars a month. */
export type MonthBills = Readonly<
  Record<'sales' | 'messages' | 'connections' | 'polling' | 'schedule' | 'total', Bill>
>;

export function monthBills(
  month: Month,
  costs: { readonly sales: Cost; readonly messages: Cost },
  standing: StandingWork & { readonly scheduledRun: readonly UsageRecord[] },
  prices: Prices,
): MonthBills {
  const run = countsOf(standing.scheduledRun, standing.scheduledRuns);
  const bills = {
    sales: scaled(costs.sales.perMillion, month.sales / MILLION),
    messages: scaled(costs.messages.perMillion, month.messages / MILLION),
    connections: billOf({ 'websocket-connection-minutes': month.connections * MONTH_MINUTES }, prices),
    polling: billOf({ 'sqs-empty-receives': standing.emptyReceives }, prices),
    schedule: billOf({ ...run, 'scheduler-invocations': standing.scheduledRuns }, prices),
  };
  return { ...bills, total: billsTogether(Object.values(bills)) };
}

/** The schedule ticks every 15 minutes, and balances the day at a tick. */
export function walksAfterBalance(): number {
  const balancedAt = '2026-01-01T00:00:00.000Z';
  let [walks, asOf] = [0, balancedAt];
  for (let tick = 1; tick <= 24 * 7 * TICKS_PER_HOUR; tick++) {
    const now = new Date(Date.parse(balancedAt) + (tick * 3_600_000) / TICKS_PER_HOUR);
    if (!isWalkDue({ balancedAt, asOf }, now)) continue;
    walks += 1;
    asOf = now.toISOString();
  }
  return walks;
}

function stepOf(step: Step, records: readonly UsageRecord[], times: number): StepUnits {
  return { step: step.name, unitsEach: countsOf(records.filter(step.includes), times) };
}

function costOf(steps: readonly StepUnits[], prices: Prices): Cost {
  const priced = steps.map((step) => ({
    ...step,
    perMillion: scaled(billOf(step.unitsEach, prices), MILLION),
  }));
  const unitsEach: Record<string, number> = {};
  for (const [unit, count] of steps.flatMap((step) => Object.entries(step.unitsEach)))
    unitsEach[unit] = (unitsEach[unit] ?? 0) + count;
  return { steps: priced, unitsEach, perMillion: billsTogether(priced.map(({ perMillion }) => perMillion)) };
}

function scaled({ services, total }: Bill, times: number): Bill {
  return {
    services: Object.fromEntries(
      Object.entries(services).map(([service, dollars]) => [service, dollars * times]),
    ),
    total: total * times,
  };
}

/**
 * Writes and reads by key count each item's own units, which is one for those played; a query counts the bytes of all
 * entries. What indexes carry of an item stays as it is.
 */
function withItemsOf(
  bytes: number,
  usage: SalesUsage,
  records: readonly UsageRecord[],
): readonly UsageRecord[] {
  const settlementOrIntake = [saleSteps.intake, saleSteps.settlement];
  return records.map((record) => {
    const { unit, resource, part, count } = record;
    const isLedger = resource.includes('Ledger');
    if (part !== '' || !(isLedger || resource.includes('StagedTransactions'))) return record;
    if (unit === 'dynamodb-write-units')
      return { ...record, count: count * Math.ceil(bytes / WRITE_UNIT_BYTES) };
    if (unit !== 'dynamodb-read-units') return record;
    const isByKey = settlementOrIntake.some(({ includes }) => includes(record));
    const played = isLedger ? usage.ledgerItemBytes : usage.stagedItemBytes;
    const times = isByKey ? Math.ceil(bytes / READ_UNIT_BYTES) : Math.max(1, bytes / played);
    return { ...record, count: count * times };
  });
}
