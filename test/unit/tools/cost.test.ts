import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { copyToMeasure, standingWorkOf } from '../../../tools/cost/assembly.ts';
import { messagesCost, monthBills, salesCost, walksAfterBalance } from '../../../tools/cost/estimate.ts';
import { createFunctionTimes } from '../../../tools/cost/function-times.ts';
import { billOf, billsTogether, countsOf, readPrices } from '../../../tools/cost/prices.ts';
import { billTable, unitsLine } from '../../../tools/cost/report.ts';
import type { SalesUsage } from '../../../tools/cost/sales.ts';
import type { UsageRecord, UsageUnit } from '../../../local/usage.ts';

/**
 * Goal: the dollars are the units times the prices of the file.
 * Method: units by hand, prices read as a person reads them from the file, and arithmetic written out.
 */

const prices = await readPrices();
const accept = 'DuotempoCardSettlement-AcceptTransactionFunction2AFB5541-cf56c1';
const reconcile = 'DuotempoCardSettlement-ReconcileWorkerFunction36435641-5babb1';
const settle = 'DuotempoCardSettlement-SettlementWorkerFunctionD570AB31-8ae6e5';
const staged = 'DuotempoCardSettlement-StagedTransactionsF5A6D467-90ab9d';
const ledger = 'DuotempoCardSettlement-LedgerB7379752-d704cf';

const record = (unit: UsageUnit, count: number, by: string, resource = by, part = ''): UsageRecord => ({
  unit,
  resource,
  part,
  by,
  count,
});

const usage: SalesUsage = {
  day: [
    record('http-api-requests', 100, '', 'card-settlement', 'POST /transactions'),
    record('http-api-requests', 50, '', 'card-settlement', 'GET /business-days/{businessDate}'),
    record('lambda-requests', 100, accept),
    record('lambda-milliseconds', 1000, accept),
    record('lambda-gigabyte-seconds', 0.5, accept),
    record('dynamodb-write-units', 100, accept, staged),
    record('dynamodb-write-units', 100, accept, staged, 'byBusinessDate'),
    record('dynamodb-write-units', 100, accept, staged, 'byCard'),
    record('dynamodb-read-units', 30, reconcile, ledger),
    record('sqs-requests', 10, reconcile, 'queue', 'SendMessageBatch'),
    record('lambda-requests', 10, settle),
    record('dynamodb-read-units', 100, settle, staged),
    record('dynamodb-write-units', 100, settle, ledger),
    record('sqs-requests', 20, settle, 'queue', 'ReceiveMessage'),
    record('sqs-empty-receives', 999, settle, 'queue', 'ReceiveMessage'),
  ],
  walk: [record('dynamodb-read-units', 15, reconcile, ledger)],
  scheduledRun: [record('sqs-requests', 3, reconcile, 'queue'), record('lambda-requests', 1, reconcile)],
  stagedItemBytes: 500,
  ledgerItemBytes: 400,
};

describe('the price file', () => {
  it('is dated, names its sources, and says what the arithmetic here takes it to say', () => {
    expect(prices).toMatchObject({ region: 'us-east-1', asOf: expect.stringMatching(/^2026-\d\d-\d\d$/) });
    expect(prices.sources.length).toBeGreaterThan(0);
    expect(prices.dollarsPerMillion).toEqual({
      'http-api-requests': 1,
      'websocket-messages': 1,
      'websocket-connection-minutes': 0.25,
      'lambda-requests': 0.2,
      'lambda-gigabyte-seconds': 13.3334,
      'sqs-requests': 0.4,
      'sqs-empty-receives': 0.4,
      'dynamodb-write-units': 0.625,
      'dynamodb-read-units': 0.125,
      'pipe-requests': 0.4,
      'scheduler-invocations': 1,
    });
  });

  it('prices what is counted, by service; milliseconds are no unit of a bill', () => {
    const bill = billOf(
      { 'sqs-requests': 2e6, 'sqs-empty-receives': 1e6, 'lambda-milliseconds': 5e6 },
      prices,
    );
    expect(bill.services).toEqual({ SQS: expect.closeTo(3 * 0.4) });
    expect(bill.total).toBeCloseTo(1.2);
    const more = billsTogether([bill, billOf({ 'sqs-requests': 1e6, 'pipe-requests': 1e6 }, prices)]);
    expect(more.services).toEqual({ SQS: expect.closeTo(1.6), Pipes: expect.closeTo(0.4) });
    expect(more.total).toBeCloseTo(2);
  });
});

describe('sales', () => {
  const cost = salesCost(usage, 100, prices, undefined);
  const dollarsOf = (name: string): number | undefined =>
    cost.steps.find(({ step }) => step === name)?.perMillion.total;

  it('cost what each step takes of each, times its price', () => {
    // An API request, an invocation, 5 ms of a GB, 3 write units.
    expect(dollarsOf('intake')).toBeCloseTo(1 + 0.2 + 0.005 * 13.3334 + 3 * 0.625);
    // 0.3 read units, a tenth of a request.
    expect(dollarsOf('reconcile')).toBeCloseTo(0.3 * 0.125 + 0.1 * 0.4);
    // A tenth of an invocation, a read unit, a write unit, two tenths of a request.
    expect(dollarsOf('settlement')).toBeCloseTo(0.1 * 0.2 + 0.125 + 0.625 + 0.2 * 0.4);
    expect(cost.perMillion.services['HTTP API']).toBeCloseTo(1);
    expect(cost.unitsEach['dynamodb-write-units']).toBeCloseTo(4);
  });

  it('bear the walks that come after the balance', () => {
    expect(walksAfterBalance()).toBe(9);
    expect(dollarsOf('later walks')).toBeCloseTo(9 * 0.15 * 0.125);
    expect(cost.perMillion.total).toBeCloseTo(
      cost.steps.reduce((sum, { perMillion }) => sum + perMillion.total, 0),
    );
  });

  it('of larger items cost their units of 1 KB and 4 KB; what indexes carry stays', () => {
    const larger = salesCost(usage, 100, prices, 5000);
    // Five units of 1 KB for the item and its entry, one for each index.
    expect(larger.unitsEach['dynamodb-write-units']).toBeCloseTo(5 + 1 + 1 + 5);
    // Two units of 4 KB by key; the books' pages are 12.5 times as long: 0.3 of the day, and 0.15 of nine walks.
    expect(larger.unitsEach['dynamodb-read-units']).toBeCloseTo(2 + (0.3 + 9 * 0.15) * 12.5);
    expect(salesCost(usage, 100, prices, 500).perMillion.total).toBeCloseTo(
      cost.perMillion.total + (0.3 + 9 * 0.15) * 0.25 * 0.125,
    );
  });
});

describe('messages', () => {
  const post = 'DuotempoChat-PostMessageFunctionADDDED27-c85745';
  const push = 'DuotempoChat-NotificationWorkerFunction432E6D77-1255ca';
  const cost = messagesCost(
    [
      record('http-api-requests', 10, '', 'chat', 'POST /messages'),
      record('dynamodb-write-units', 30, post, 'messages'),
      record('pipe-requests', 10, '', 'pipe'),
      record('sqs-requests', 2, 'DuotempoChat-MessagePipeRoleD38E9FE8-12c58d', 'queue'),
      record('sqs-requests', 20, push, 'queue'),
      record('websocket-messages', 10, '', 'chat-live', 'out'),
      record('websocket-messages', 10, '', 'chat-live', 'in'),
      record('lambda-requests', 10, 'DuotempoChat-AckFunctionD32D1F43-374859'),
      record('websocket-connection-minutes', 12, '', 'chat-live'),
    ],
    10,
    prices,
  );

  it('cost what post, pipe, push and acknowledgement take', () => {
    expect(cost.steps.map(({ step, perMillion }) => [step, perMillion.total])).toEqual([
      ['post', expect.closeTo(1 + 3 * 0.625)],
      ['pipe', expect.closeTo(0.4 + 0.2 * 0.4)],
      ['push', expect.closeTo(2 * 0.4 + 1)],
      ['acknowledge', expect.closeTo(1 + 0.2)],
    ]);
  });

  it('and sales make a month with polling, schedule and open connections', () => {
    const bills = monthBills(
      { sales: 2e6, messages: 5e5, connections: 100 },
      { sales: salesCost(usage, 100, prices, undefined), messages: cost },
      { emptyReceives: 777_600, scheduledRuns: 2880, scheduledRun: usage.scheduledRun },
      prices,
    );
    expect(bills.sales.total).toBeCloseTo(2 * salesCost(usage, 100, prices, undefined).perMillion.total);
    expect(bills.messages.total).toBeCloseTo(cost.perMillion.total / 2);
    expect(bills.connections.total).toBeCloseTo((100 * 60 * 24 * 30 * 0.25) / 1e6);
    expect(bills.polling.total).toBeCloseTo((777_600 * 0.4) / 1e6);
    expect(bills.schedule.total).toBeCloseTo((2880 * (1 + 3 * 0.4 + 0.2)) / 1e6);
    const { total, ...parts } = bills;
    expect(total.total).toBeCloseTo(Object.values(parts).reduce((sum, bill) => sum + bill.total, 0));
  });
});

describe('the time of functions', () => {
  it('is the median of each, however long some took; of those hardly invoked it is their own', () => {
    const { onEvent, atMedian } = createFunctionTimes();
    const invoked = (functionName: string, milliseconds: number): void =>
      onEvent({ type: 'invocation', functionName, outcome: 'success', milliseconds, coldStart: false });
    for (let number = 0; number < 30; number++) invoked('often', number < 20 ? 4.2 : 900);
    invoked('rarely', 300);
    const records = [
      record('lambda-requests', 30, 'often'),
      record('lambda-milliseconds', 9100, 'often'),
      record('lambda-gigabyte-seconds', 4.55, 'often'),
      record('lambda-requests', 1, 'rarely'),
      record('lambda-milliseconds', 300, 'rarely'),
    ];
    const counts = atMedian(records).map(({ count }) => count);
    expect(counts).toEqual([30, 150, expect.closeTo(0.075), 1, 300]);
    expect(countsOf(atMedian(records))['lambda-milliseconds']).toBe(450);
  });
});

describe('the templates', () => {
  const folder = mkdtempSync(join(tmpdir(), 'duotempo-cost-test-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const mapping = (properties: object) => ({
    Type: 'AWS::Lambda::EventSourceMapping',
    Properties: { BatchSize: 10, ...properties },
  });
  const template = {
    Resources: {
      SettlementMappingA1: mapping({ ScalingConfig: { MaximumConcurrency: 2 } }),
      ReconcileMappingB2: mapping({ ScalingConfig: { MaximumConcurrency: 16 } }),
      OtherMappingC3: mapping({}),
      Tick: {
        Type: 'AWS::Scheduler::Schedule',
        Properties: {
          ScheduleExpression: 'cron(0/15 * * * ? *)',
          ScheduleExpressionTimezone: 'America/New_York',
        },
      },
      Monthly: {
        Type: 'AWS::Scheduler::Schedule',
        Properties: { ScheduleExpression: 'cron(0 3 15 * ? *)' },
      },
    },
  };
  mkdirSync(join(folder, 'asset.1'));
  writeFileSync(join(folder, 'asset.1', 'index.mjs'), '');
  writeFileSync(join(folder, 'App.template.json'), JSON.stringify(template));
  writeFileSync(
    join(folder, 'manifest.json'),
    JSON.stringify({
      artifacts: {
        App: { type: 'aws:cloudformation:stack', properties: { templateFile: 'App.template.json' } },
      },
    }),
  );

  it('say how often queues are polled in vain, and how often the schedule comes', () => {
    // 2 + 5 + 5 pollers, each for 20 s; every 15 minutes of 30 days, and once a month.
    expect(standingWorkOf(folder)).toEqual({
      emptyReceives: (12 * 30 * 86_400) / 20,
      scheduledRuns: 30 * 24 * 4 + 1,
    });
  });

  it('are copied with the schedule off and the settlement queue in batches of another size', async () => {
    const copy = await copyToMeasure(folder, { batchSize: 3 });
    const read = (file: string): unknown => JSON.parse(readFileSync(join(copy.folder, file), 'utf8'));
    expect(read('App.template.json')).toMatchObject({
      Resources: {
        SettlementMappingA1: { Properties: { BatchSize: 3 } },
        ReconcileMappingB2: { Properties: { BatchSize: 10 } },
        Tick: { Properties: { State: 'DISABLED' } },
      },
    });
    expect(readFileSync(join(copy.folder, 'asset.1', 'index.mjs'), 'utf8')).toBe('');
    await copy.remove();
    expect(() => read('App.template.json')).toThrow('ENOENT');
  });
});

describe('the report', () => {
  it('has a column for each service that costs something', () => {
    const table = billTable('$', [
      ['one', { services: { SQS: 1.234, Pipes: 0.0004 }, total: 1.2344 }],
      ['two', { services: { SQS: 2 }, total: 2 }],
    ]);
    const rows = table.split('\n').filter((line) => line.includes('│'));
    expect(rows.map((row) => row.split('│').map((cell) => cell.trim()))).toEqual([
      ['', '$', 'SQS', 'Pipes', 'total', ''],
      ['', 'one', '1.23', '0.0004', '1.23', ''],
      ['', 'two', '2.00', '', '2.00', ''],
    ]);
  });

  it('says what each takes, without what is none', () => {
    expect(unitsLine({ 'sqs-requests': 2.234, 'dynamodb-write-units': 1, 'lambda-milliseconds': 12.5 })).toBe(
      '1 write unit, 2.23 SQS requests, 12.5 ms of functions on this machine',
    );
  });
});
