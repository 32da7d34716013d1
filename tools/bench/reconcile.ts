import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import * as v from 'valibot';
import { businessCalendar } from '../../cli/shared/business-day.ts';
import { CommandError } from '../../cli/shared/command-error.ts';
import { parseJson } from '../../cli/shared/files.ts';
import { environmentNames, tables, type ReconcileMessage } from '../../lambda/card-settlement/contract.ts';
import { addDays, businessDateOf } from '../../lambda/card-settlement/domain/business-date.ts';
import { RECONCILED_DAYS } from '../../lambda/card-settlement/domain/retention.ts';
import { settle } from '../../lambda/card-settlement/domain/settlement.ts';
import { ledgerItem } from '../../lambda/card-settlement/store/ledger.ts';
import { stagedItem } from '../../lambda/card-settlement/store/staged-transactions.ts';
import { terminalReportItem } from '../../lambda/card-settlement/store/terminal-totals.ts';
import { stageConfig } from '../../lib/config.ts';
import { figure, type Figure } from '../harness/figures.ts';
import { runNode } from '../harness/run-node.ts';
import { withHost, type RunningHost } from '../harness/running-host.ts';
import { withTables, type Tables } from '../harness/tables.ts';
import { bundleOf } from './bundles.ts';
import { BENCH_CLIENT, benchFact } from './sales.ts';

export interface ReconcileOptions {
  readonly projectFolder: string;
  readonly assembly: string;
  readonly node: string;
  readonly staged: number;
  /** They report what nobody staged. */
  readonly terminals?: { readonly reports: number; readonly lines: number };
}

/** The memory is the peak of a process that does nothing else. */
const runSchema = v.object({ milliseconds: v.number(), megabytes: v.number(), cpuSeconds: v.number() });

export type ReconcileRun = v.InferOutput<typeof runSchema>;

/** All is settled, and was sealed an hour ago. The function's bundle runs in its own process, as on Lambda. */
export async function measureReconcile(options: ReconcileOptions): Promise<ReconcileRun> {
  return withHost(options.projectFolder, async (host) =>
    withTables(host, 4, async (books) => {
      // The last day that can be reconciled. The host's own schedule leaves it alone.
      const date = addDays(businessDateOf(new Date(), businessCalendar), -RECONCILED_DAYS - 1);
      await books.fill('StagedTransactions', stagedItems(date, options.staged));
      await books.fill('CardSettlement-Ledger', ledgerItems(date, options.staged));
      if (options.terminals !== undefined)
        await books.fill('BusinessDays', reportItems(date, options.terminals));
      await seal(books, date);
      return run(host, books, date, options);
    }),
  );
}

const noonOf = (date: string): Date => new Date(`${date}T12:00:00Z`);

function* stagedItems(date: string, count: number): Generator<Record<string, AttributeValue>> {
  for (let number = 0; number < count; number += 1) yield stagedItem(benchFact(number, noonOf(date), date));
}

function* ledgerItems(date: string, count: number): Generator<Record<string, AttributeValue>> {
  for (let number = 0; number < count; number += 1) {
    const fact = benchFact(number, noonOf(date), date);
    yield ledgerItem(settle(fact, undefined, undefined, { score: 0, rules: [] }, 70), noonOf(date));
  }
}

function* reportItems(
  date: string,
  { reports, lines }: NonNullable<ReconcileOptions['terminals']>,
): Generator<Record<string, AttributeValue>> {
  const totals = Array.from({ length: lines }, (_, index) => ({
    type: 'sale' as const,
    currency: `${String.fromCodePoint(65 + (index % 26))}${String(index).padStart(2, '0')}`,
    count: 1,
    amount: 1234n,
  }));
  for (let number = 0; number < reports; number += 1) {
    const report = { clientId: BENCH_CLIENT, terminalId: `till-${number + 2}`, totals };
    yield terminalReportItem(date, report, new Date());
  }
}

async function seal({ dynamoDb, nameOf }: Tables, date: string): Promise<void> {
  const { partitionKey, sortKey } = tables.businessDays;
  await dynamoDb.updateItem({
    TableName: await nameOf('BusinessDays'),
    Key: { [partitionKey]: { S: 'day' }, [sortKey]: { S: date } },
    UpdateExpression: 'SET revision = :one, firstStagedAt = :at, sealedAt = :at, sealSeenAt = :at',
    ExpressionAttributeValues: {
      ':one': { N: '1' },
      ':at': { S: new Date(Date.now() - 3_600_000).toISOString() },
    },
  });
}

const script = `
const { handler } = await import(process.argv[1]);
const event = { Records: [{ messageId: 'bench', body: process.argv[2], attributes: { ApproximateReceiveCount: '1' } }] };
const startedAt = performance.now();
const cpu = process.cpuUsage();
await handler(event, { awsRequestId: 'bench-' + process.pid, getRemainingTimeInMillis: () => 300_000 });
const milliseconds = performance.now() - startedAt;
const { user, system } = process.cpuUsage(cpu);
process.stderr.write(JSON.stringify({ milliseconds, cpuSeconds: (user + system) / 1e6, megabytes: process.resourceUsage().maxRSS / 1024 }), () => process.exit(0));
`;

async function run(
  { awsEndpoint }: RunningHost,
  { nameOf }: Tables,
  date: string,
  { assembly, node }: ReconcileOptions,
): Promise<ReconcileRun> {
  const { sealWaitSeconds, settlement } = stageConfig('sandbox');
  // A run that misses nothing sends nothing.
  const noQueue = `${awsEndpoint}/000000000000/none`;
  const message: ReconcileMessage = { kind: 'business-day', businessDate: date, trigger: 'operator' };
  // With the heap of a 1 GB function, V8 keeps garbage. With little heap, the memory is what the run needs.
  const heap = ['--max-semi-space-size=1', '--max-old-space-size=40'];
  const { exitCode, output } = await runNode(
    node,
    [
      ...heap,
      '--input-type=module',
      '-e',
      script,
      bundleOf(assembly, 'ReconcileWorker'),
      JSON.stringify(message),
    ],
    {
      [environmentNames.stagedTransactionsTable]: await nameOf('StagedTransactions'),
      [environmentNames.ledgerTable]: await nameOf('CardSettlement-Ledger'),
      [environmentNames.businessDaysTable]: await nameOf('BusinessDays'),
      [environmentNames.settlementQueueUrl]: noQueue,
      [environmentNames.reconcileQueueUrl]: noQueue,
      [environmentNames.businessTimeZone]: businessCalendar.timeZone,
      [environmentNames.businessCutOff]: businessCalendar.cutOff,
      [environmentNames.sealWaitSeconds]: String(sealWaitSeconds),
      [environmentNames.settlementWindowSeconds]: String(settlement.windowSeconds),
      [environmentNames.settlementHorizonSeconds]: '960',
      AWS_ENDPOINT_URL: awsEndpoint,
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'bench',
      AWS_SECRET_ACCESS_KEY: 'bench',
    },
  );
  const answer = v.safeParse(runSchema, parseJson(output.split('\n').at(-1) ?? ''));
  if (exitCode !== 0 || !answer.success) throw new CommandError(`The run failed: ${output.slice(-1000)}`);
  return answer.output;
}

const { reconcile: worker } = stageConfig('production');
/** A walk uses 85 % of the timeout; a function has one vCPU per 1,769 MB [lambda/latest/dg/configuration-memory]. */
const INVOCATION_CPU_SECONDS = worker.timeoutSeconds * 0.85 * Math.min(1, worker.memoryMegabytes / 1769);

/** Time may grow with the transactions, memory may not. */
export async function compareReconcile(
  options: Omit<ReconcileOptions, 'staged'>,
  sizes: { readonly small: number; readonly large: number },
): Promise<readonly Figure[]> {
  const small = await measureReconcile({ ...options, staged: sizes.small });
  const large = await measureReconcile({ ...options, staged: sizes.large });
  const times = sizes.large / sizes.small;
  const microseconds = ((large.cpuSeconds - small.cpuSeconds) * 1e6) / (sizes.large - sizes.small);
  return [
    ...figuresOf(sizes.small, small),
    ...figuresOf(sizes.large, large),
    figure('reconcile, CPU per transaction', microseconds, 'µs'),
    figure('reconcile, invocations for 10,000,000', Math.ceil((microseconds * 10) / INVOCATION_CPU_SECONDS)),
    figure('reconcile, memory, large : small', large.megabytes / small.megabytes, '', { atMost: 1.2 }),
    figure(
      `reconcile, time, large : small (${times.toLocaleString('en-US')} times as many)`,
      large.milliseconds / small.milliseconds,
      '',
      { atMost: times * 1.3 },
    ),
  ];
}

function figuresOf(staged: number, { milliseconds, megabytes }: ReconcileRun): readonly Figure[] {
  const name = `reconcile ${staged.toLocaleString('en-US')}`;
  return [figure(`${name}, time`, milliseconds / 1000, 's'), figure(`${name}, memory`, megabytes, 'MB')];
}
