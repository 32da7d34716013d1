import { spawn } from 'node:child_process';
import {
  BatchWriteItemCommand,
  ListTablesCommand,
  UpdateItemCommand,
  type DynamoDBClient,
  type WriteRequest,
} from '@aws-sdk/client-dynamodb';
import * as v from 'valibot';
import { environmentNames, tables, type ReconcileMessage } from '../../lambda/card-settlement/contract.ts';
import type { BusinessDate } from '../../lambda/card-settlement/domain/business-date.ts';
import { RECONCILED_DAYS } from '../../lambda/card-settlement/domain/retention.ts';
import { settle } from '../../lambda/card-settlement/domain/settlement.ts';
import { ledgerItem } from '../../lambda/card-settlement/store/ledger.ts';
import { stagedItem } from '../../lambda/card-settlement/store/staged-transactions.ts';
import { terminalReportItem } from '../../lambda/card-settlement/store/terminal-totals.ts';
import { stageConfig } from '../../lib/config.ts';
import { businessCalendar } from '../../cli/shared/business-day.ts';
import { CommandError } from '../../cli/shared/command-error.ts';
import { parseJson } from '../../cli/shared/files.ts';
import { forEachConcurrently } from '../../cli/shared/concurrency.ts';
import { dynamoDbClient } from './aws-client.ts';
import type { RunningHost } from './running-host.ts';
import { BENCH_CLIENT, benchFact } from './sales.ts';

export interface ReconcileResult {
  readonly staged: number;
  readonly milliseconds: number;
  /** Peak resident memory of a process that does nothing but this run. */
  readonly megabytes: number;
  /** CPU time of the run, without that of starting. */
  readonly cpuSeconds: number;
}

/** So many days from today lies one that can just be reconciled, and that the host's own schedule leaves alone. */
export const UNSCHEDULED_DAYS = -RECONCILED_DAYS - 1;

const WRITE_BATCH_SIZE = 25;

/**
 * A day of so many transactions, all settled and sealed an hour ago, written straight into the tables; then the run that
 * balances it: the function's own bundle, in a process of its own, as on Lambda.
 */
export async function measureReconcile(
  host: RunningHost,
  options: {
    readonly bundle: string;
    readonly node: string;
    readonly businessDate: BusinessDate;
    readonly staged: number;
    /** Terminals that report of the date what nobody staged, each in so many lines. */
    readonly terminals?: { readonly reports: number; readonly lines: number };
  },
): Promise<ReconcileResult> {
  const { bundle, node, businessDate, staged, terminals } = options;
  const client = dynamoDbClient(host.awsEndpoint, 8);
  try {
    const businessDays = await tableNamed(client, 'BusinessDays');
    await fill(client, host, businessDate, staged);
    if (terminals !== undefined) await report(client, businessDays, businessDate, terminals);
    await client.send(
      new UpdateItemCommand({
        TableName: businessDays,
        Key: {
          [tables.businessDays.partitionKey]: { S: 'day' },
          [tables.businessDays.sortKey]: { S: businessDate },
        },
        UpdateExpression: 'SET revision = :one, firstStagedAt = :at, sealedAt = :at, sealSeenAt = :at',
        ExpressionAttributeValues: {
          ':one': { N: '1' },
          ':at': { S: new Date(Date.now() - 3_600_000).toISOString() },
        },
      }),
    );
    const { sealWaitSeconds, settlement } = stageConfig('sandbox');
    const run = await invoke(
      node,
      bundle,
      { kind: 'business-day', businessDate, trigger: 'operator' },
      {
        [environmentNames.stagedTransactionsTable]: host.stagedTransactionsTable,
        [environmentNames.ledgerTable]: host.ledgerTable,
        [environmentNames.businessDaysTable]: businessDays,
        // A run that misses nothing sends nothing.
        [environmentNames.settlementQueueUrl]: `${host.awsEndpoint}/000000000000/none`,
        [environmentNames.reconcileQueueUrl]: `${host.awsEndpoint}/000000000000/none`,
        [environmentNames.businessTimeZone]: businessCalendar.timeZone,
        [environmentNames.businessCutOff]: businessCalendar.cutOff,
        [environmentNames.sealWaitSeconds]: String(sealWaitSeconds),
        [environmentNames.settlementWindowSeconds]: String(settlement.windowSeconds),
        [environmentNames.settlementHorizonSeconds]: '960',
        AWS_ENDPOINT_URL: host.awsEndpoint,
        AWS_REGION: 'us-east-1',
        AWS_ACCESS_KEY_ID: 'bench',
        AWS_SECRET_ACCESS_KEY: 'bench',
      },
    );
    return { staged, ...run };
  } finally {
    client.destroy();
  }
}

async function tableNamed(client: DynamoDBClient, part: string): Promise<string> {
  const { TableNames: names = [] } = await client.send(new ListTablesCommand({}));
  const found = names.find((name) => name.includes(part));
  if (found === undefined) throw new CommandError(`The host has no table ${part}.`);
  return found;
}

/** Writes both books: the transactions, and an entry for each. */
async function fill(
  client: DynamoDBClient,
  host: RunningHost,
  businessDate: BusinessDate,
  count: number,
): Promise<void> {
  const occurredAt = new Date(`${businessDate}T12:00:00Z`);
  const starts = Array.from(
    { length: Math.ceil(count / WRITE_BATCH_SIZE) },
    (_, index) => index * WRITE_BATCH_SIZE,
  );
  await forEachConcurrently(starts, 4, async (from) => {
    const facts = Array.from({ length: Math.min(WRITE_BATCH_SIZE, count - from) }, (_, index) =>
      benchFact(from + index, occurredAt, businessDate),
    );
    const entries = facts.map((fact) => settle(fact, undefined, undefined, { score: 0, rules: [] }, 70));
    await write(
      client,
      host.stagedTransactionsTable,
      facts.map((fact) => ({ PutRequest: { Item: stagedItem(fact) } })),
    );
    await write(
      client,
      host.ledgerTable,
      entries.map((entry) => ({ PutRequest: { Item: ledgerItem(entry, occurredAt) } })),
    );
  });
}

/** Writes the reports of as many terminals, straight into the table. */
async function report(
  client: DynamoDBClient,
  table: string,
  businessDate: BusinessDate,
  { reports, lines }: { readonly reports: number; readonly lines: number },
): Promise<void> {
  const totals = Array.from({ length: lines }, (_, index) => ({
    type: 'sale' as const,
    currency: `${String.fromCodePoint(65 + (index % 26))}${String(index).padStart(2, '0')}`,
    count: 1,
    amount: 1234n,
  }));
  const starts = Array.from(
    { length: Math.ceil(reports / WRITE_BATCH_SIZE) },
    (_, index) => index * WRITE_BATCH_SIZE,
  );
  const now = new Date();
  await forEachConcurrently(starts, 4, async (from) => {
    const size = Math.min(WRITE_BATCH_SIZE, reports - from);
    const items = Array.from({ length: size }, (_, index) =>
      terminalReportItem(
        businessDate,
        { clientId: BENCH_CLIENT, terminalId: `till-${from + index + 2}`, totals },
        now,
      ),
    );
    await write(
      client,
      table,
      items.map((Item) => ({ PutRequest: { Item } })),
    );
  });
}

async function write(
  client: DynamoDBClient,
  table: string,
  requests: readonly WriteRequest[],
): Promise<void> {
  const { UnprocessedItems: left = {} } = await client.send(
    new BatchWriteItemCommand({ RequestItems: { [table]: [...requests] } }),
  );
  if (Object.keys(left).length > 0) throw new CommandError('The local engine left writes undone.');
}

/** Runs a bundle's handler once with one message, and tells what it took. */
const script = `
const { handler } = await import(process.argv[1]);
const event = { Records: [{ messageId: 'bench', body: process.argv[2], attributes: { ApproximateReceiveCount: '1' } }] };
const startedAt = performance.now();
const cpu = process.cpuUsage();
await handler(event, { awsRequestId: 'bench-' + process.pid, getRemainingTimeInMillis: () => 300_000 });
const milliseconds = performance.now() - startedAt;
const { user, system } = process.cpuUsage(cpu);
process.stderr.write(JSON.stringify({ milliseconds, cpuSeconds: (user + system) / 1e6, megabytes: process.resourceUsage().maxRSS / 1024 }) + '\\n', () => process.exit(0));
`;

const answerSchema = v.object({ milliseconds: v.number(), megabytes: v.number(), cpuSeconds: v.number() });

async function invoke(
  node: string,
  bundle: string,
  message: ReconcileMessage,
  environment: Readonly<Record<string, string>>,
): Promise<v.InferOutput<typeof answerSchema>> {
  // With the heap that Lambda gives a function of 1 GB, V8 keeps garbage rather than look for it. Here it gets little: what
  // is measured is what the run needs, and a run that needed more would fail.
  const child = spawn(
    node,
    [
      '--max-semi-space-size=1',
      '--max-old-space-size=40',
      '--input-type=module',
      '-e',
      script,
      bundle,
      JSON.stringify(message),
    ],
    {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: {
        PATH: process.env.PATH,
        AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
        ...environment,
      },
    },
  );
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject).once('close', resolve);
  });
  const answer = v.safeParse(answerSchema, parseJson(said.trim().split('\n').at(-1) ?? ''));
  if (exitCode !== 0 || !answer.success)
    throw new CommandError(`The run failed: ${said.trim().slice(-1000)}`);
  return answer.output;
}
