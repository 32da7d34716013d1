import { CfnOutput, Duration, Stack, TimeZone, type StackProps } from 'aws-cdk-lib';
import { HttpMethod } from 'aws-cdk-lib/aws-apigatewayv2';
import { Dashboard, GraphWidget, Metric } from 'aws-cdk-lib/aws-cloudwatch';
import { AttributeType, ProjectionType, type Table } from 'aws-cdk-lib/aws-dynamodb';
import type { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Schedule, ScheduleExpression, ScheduleTargetInput } from 'aws-cdk-lib/aws-scheduler';
import { SqsSendMessage } from 'aws-cdk-lib/aws-scheduler-targets';
import type { Topic } from 'aws-cdk-lib/aws-sns';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import {
  cardIndexAttributes,
  environmentNames as names,
  metrics,
  scopes,
  smallAmountIndexAttributes,
  stagedIndexAttributes,
  tables,
  type ReconcileMessage,
} from '../lambda/card-settlement/contract.ts';
import { alarmTopic } from './alarm-topic.ts';
import type { StageConfig } from './config.ts';
import { dataTable } from './data-table.ts';
import type { IdentityStack } from './identity-stack.ts';
import { JwtHttpApi } from './jwt-http-api.ts';
import { outputOperated } from './operator-outputs.ts';
import { QueueWorker, tempoOf } from './queue-worker.ts';
import { RunbookAlarm } from './runbook-alarm.ts';
import { apiNameOf, metricsNamespaceOf } from './stage-names.ts';

export interface CardSettlementStackProps extends StackProps {
  readonly config: StageConfig;
  readonly identity: IdentityStack;
  /** Addresses that get a mail for each alarm. */
  readonly alarmEmails: readonly string[];
}

/**
 * The batch tempo. Transactions are staged one by one; after the cut-off, a run finds what the ledger lacks and sends
 * it to be settled, in tens, until staged and settled are equal.
 */
export class CardSettlementStack extends Stack {
  private readonly config: StageConfig;
  private readonly logRetention: RetentionDays;
  private readonly staged: Table;
  private readonly ledger: Table;
  private readonly businessDays: Table;
  private readonly merchants: Table;
  private readonly alarms: Topic;

  constructor(scope: Construct, id: string, props: CardSettlementStackProps) {
    super(scope, id, props);
    const { config } = props;
    this.config = config;
    this.logRetention = config.logRetentionDays;
    this.alarms = alarmTopic(this, props.alarmEmails);

    this.staged = this.stagedTransactions();
    this.ledger = this.ledgerTable();
    this.businessDays = this.table('BusinessDays', tables.businessDays);
    this.merchants = this.table('Merchants', tables.merchants);

    const settlement = this.settlementWorker();
    const reconcile = this.reconcileWorker(settlement);
    this.schedule(reconcile);
    this.reconcileAlarms();
    const api = this.httpApi(props.identity, reconcile.queue);
    new Dashboard(this, 'Dashboard', {
      widgets: [
        api.widgets(),
        settlement.widgets(),
        reconcile.widgets(),
        [
          new GraphWidget({
            title: 'Business days',
            left: [this.dayMetric(metrics.breaksFound), this.dayMetric(metrics.daysBlocked)],
          }),
        ],
      ],
    });

    new CfnOutput(this, 'ApiUrl', { value: api.url });
    // A later deployment that names no address subscribes these again.
    if (props.alarmEmails.length > 0) {
      new CfnOutput(this, 'AlarmEmail', { value: props.alarmEmails.join(',') });
    }
    outputOperated(this);
  }

  private stagedTransactions(): Table {
    const { partitionKey, byBusinessDate, byCard, bySmallAmount, timeToLive } = tables.stagedTransactions;
    const staged = this.table('StagedTransactions', { partitionKey }, timeToLive);
    for (const [index, attributes] of [
      [byBusinessDate, stagedIndexAttributes],
      [byCard, cardIndexAttributes],
      [bySmallAmount, smallAmountIndexAttributes],
    ] as const) {
      staged.addGlobalSecondaryIndex({
        indexName: index.name,
        partitionKey: { name: index.partitionKey, type: AttributeType.STRING },
        sortKey: { name: index.sortKey, type: AttributeType.STRING },
        projectionType: ProjectionType.INCLUDE,
        nonKeyAttributes: [...attributes],
      });
    }
    return staged;
  }

  private ledgerTable(): Table {
    const { byHeld, ...keys } = tables.ledger;
    const ledger = this.table('Ledger', keys);
    ledger.addGlobalSecondaryIndex({
      indexName: byHeld.name,
      partitionKey: { name: byHeld.partitionKey, type: AttributeType.STRING },
      sortKey: { name: byHeld.sortKey, type: AttributeType.STRING },
      projectionType: ProjectionType.ALL,
    });
    return ledger;
  }

  private table(
    id: string,
    keys: { readonly partitionKey: string; readonly sortKey?: string },
    timeToLive?: string,
  ): Table {
    return dataTable(this, id, this.config, {
      partitionKey: { name: keys.partitionKey, type: AttributeType.STRING },
      ...(keys.sortKey === undefined ? {} : { sortKey: { name: keys.sortKey, type: AttributeType.STRING } }),
      ...(timeToLive === undefined ? {} : { timeToLiveAttribute: timeToLive }),
    });
  }

  private settlementWorker(): QueueWorker {
    const { settlement } = this.config;
    const worker = new QueueWorker(this, 'Settlement', {
      entry: 'card-settlement/settle/handler',
      description: 'Settles staged transactions into the ledger',
      environment: {
        [names.stagedTransactionsTable]: this.staged.tableName,
        [names.ledgerTable]: this.ledger.tableName,
        [names.businessDaysTable]: this.businessDays.tableName,
        [names.merchantsTable]: this.merchants.tableName,
        [names.fraudSettings]: JSON.stringify(this.config.fraud),
      },
      logRetention: this.logRetention,
      ...tempoOf(settlement),
      reportsBatchItemFailures: true,
      deadLetters: {
        impact: 'Transactions could not be settled, and their business day cannot be balanced.',
        runbookHeading: 'A message in the settlement dead-letter queue',
      },
      alarmTopic: this.alarms,
    });
    worker.worker.allow(['dynamodb:BatchGetItem'], [this.staged.tableArn]);
    const { byCard, bySmallAmount } = tables.stagedTransactions;
    worker.worker.allow(
      ['dynamodb:Query'],
      [indexArn(this.staged, byCard.name), indexArn(this.staged, bySmallAmount.name)],
    );
    worker.worker.allow(['dynamodb:GetItem', 'dynamodb:PutItem'], [this.ledger.tableArn]);
    worker.worker.allow(['dynamodb:Query'], [this.merchants.tableArn]);
    worker.worker.allow(
      ['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:UpdateItem', 'dynamodb:Query'],
      [this.businessDays.tableArn],
    );
    return worker;
  }

  private reconcileWorker(settlement: QueueWorker): QueueWorker {
    const { reconcile, calendar, sealWaitSeconds } = this.config;
    const worker = new QueueWorker(this, 'Reconcile', {
      entry: 'card-settlement/reconcile/handler',
      description: 'Compares what was staged with the ledger, and sends what it lacks',
      environment: {
        [names.stagedTransactionsTable]: this.staged.tableName,
        [names.ledgerTable]: this.ledger.tableName,
        [names.businessDaysTable]: this.businessDays.tableName,
        [names.settlementQueueUrl]: settlement.queue.queueUrl,
        [names.businessTimeZone]: calendar.timeZone,
        [names.businessCutOff]: calendar.cutOff,
        [names.sealWaitSeconds]: String(sealWaitSeconds),
        [names.settlementWindowSeconds]: String(this.config.settlement.windowSeconds),
        [names.settlementHorizonSeconds]: String(settlement.horizon.toSeconds()),
        [names.metricsNamespace]: metricsNamespaceOf(this.config.stage),
      },
      logRetention: this.logRetention,
      ...tempoOf(reconcile),
      // A run asks for the next one of its series: after waits that double up to 15 minutes, until nothing is missing.
      allowsRecursion: true,
      deadLetters: {
        impact: 'A business day could not be reconciled; the schedule tries again within 15 minutes.',
        runbookHeading: 'A message in the reconcile dead-letter queue',
      },
      alarmTopic: this.alarms,
    });
    worker.worker.function.addEnvironment(names.reconcileQueueUrl, worker.queue.queueUrl);
    worker.worker.allow(
      ['dynamodb:Query'],
      [indexArn(this.staged, tables.stagedTransactions.byBusinessDate.name)],
    );
    worker.worker.allow(['dynamodb:Query'], [this.ledger.tableArn]);
    worker.worker.allow(
      ['dynamodb:GetItem', 'dynamodb:UpdateItem', 'dynamodb:BatchWriteItem', 'dynamodb:Query'],
      [this.businessDays.tableArn],
    );
    worker.worker.allow(['sqs:SendMessage'], [settlement.queue.queueArn, worker.queue.queueArn]);
    worker.worker.allow(['sqs:GetQueueAttributes'], [settlement.queue.queueArn]);
    return worker;
  }

  /** At the cut-off, and every 15 minutes from then on: a day balances by itself sooner; this is the safety net. */
  private schedule({ queue, deadLetterQueue }: QueueWorker): void {
    const { timeZone, cutOff } = this.config.calendar;
    const minute = Number(cutOff.slice(3)) % 15;
    const message: ReconcileMessage = { kind: 'due-days' };
    new Schedule(this, 'Schedule', {
      description: 'Reconciles the business days that are due',
      schedule: ScheduleExpression.cron({ minute: `${minute}/15`, timeZone: TimeZone.of(timeZone) }),
      target: new SqsSendMessage(queue, {
        input: ScheduleTargetInput.fromObject(message),
        retryAttempts: 3,
        maxEventAge: Duration.minutes(15),
        deadLetterQueue,
      }),
    });
  }

  private reconcileAlarms(): void {
    new RunbookAlarm(this, 'BreaksAlarm', {
      impact:
        'The books of a business day differ: transactions are missing from the ledger when they should be there.',
      runbookHeading: 'A business day has breaks',
      metric: this.dayMetric(metrics.breaksFound),
      topic: this.alarms,
    });
    new RunbookAlarm(this, 'BlockedAlarm', {
      impact: 'A business day waits for FX rates: nothing is lost, and nothing that needs a rate is settled.',
      runbookHeading: 'A business day is blocked',
      metric: this.dayMetric(metrics.daysBlocked),
      topic: this.alarms,
    });
    new RunbookAlarm(this, 'ScheduleAlarm', {
      impact:
        'The schedule has not been heard of for 45 minutes: days are not sealed at their cut-off, and balance late.',
      runbookHeading: 'The schedule is silent',
      metric: this.dayMetric(metrics.scheduleTicks),
      // The metric never reaches this value, so only silence rings.
      threshold: 1_000_000,
      periods: 3,
      ringsOnSilence: true,
      topic: this.alarms,
    });
  }

  private dayMetric(metricName: string): Metric {
    return new Metric({
      namespace: metricsNamespaceOf(this.config.stage),
      metricName,
      dimensionsMap: { service: 'reconcile-business-day' },
      statistic: 'Maximum',
      period: Duration.minutes(15),
    });
  }

  private httpApi(identity: IdentityStack, reconcileQueue: Queue): JwtHttpApi {
    const { calendar } = this.config;
    const calendarEnvironment = {
      [names.businessTimeZone]: calendar.timeZone,
      [names.businessCutOff]: calendar.cutOff,
    };
    const days = { [names.businessDaysTable]: this.businessDays.tableName };
    const ledger = { [names.ledgerTable]: this.ledger.tableName };
    const staged = { [names.stagedTransactionsTable]: this.staged.tableName };
    const reconcileQueueUrl = { [names.reconcileQueueUrl]: reconcileQueue.queueUrl };

    const api = new JwtHttpApi(this, 'HttpApi', {
      apiName: apiNameOf(this.config.stage, 'card-settlement'),
      description: 'Card transactions and their settlement',
      issuer: identity.issuer,
      audience: [identity.gatewayClient.userPoolClientId, identity.operatorClient.userPoolClientId],
      throttle: this.config.throttle,
      logRetention: this.logRetention,
      alarmTopic: this.alarms,
      notFoundId: 'NotFound',
    });
    const { GET, POST, PUT } = HttpMethod;
    const { read, write, operate } = scopes;
    const stagedTable = this.staged.tableArn;
    const ledgerTable = this.ledger.tableArn;
    const daysTable = this.businessDays.tableArn;
    api.serve([
      {
        id: 'AcceptTransaction',
        entry: 'card-settlement/intake/handler',
        description: 'Stages a transaction',
        routes: [[POST, '/transactions', write]],
        environment: { ...calendarEnvironment, ...days, ...staged },
        may: [
          [
            ['dynamodb:GetItem', 'dynamodb:PutItem'],
            [stagedTable, daysTable],
          ],
        ],
      },
      {
        id: 'GetTransaction',
        entry: 'card-settlement/intake/get-transaction-handler',
        description: 'Shows a transaction',
        routes: [[GET, '/transactions/{transactionId}', read]],
        environment: { ...staged, ...ledger },
        may: [[['dynamodb:GetItem'], [stagedTable, ledgerTable]]],
      },
      {
        id: 'ListTransactions',
        entry: 'card-settlement/review/list-held-handler',
        description: 'Lists transactions that wait for review',
        routes: [[GET, '/transactions', read]],
        environment: { ...staged, ...ledger },
        timeout: Duration.seconds(29),
        may: [
          [['dynamodb:BatchGetItem'], [stagedTable]],
          [['dynamodb:Query'], [indexArn(this.ledger, tables.ledger.byHeld.name)]],
        ],
      },
      {
        id: 'ReviewTransaction',
        entry: 'card-settlement/review/handler',
        description: 'Releases or rejects a held transaction',
        routes: [
          [POST, '/transactions/{transactionId}/release', operate],
          [POST, '/transactions/{transactionId}/reject', operate],
        ],
        environment: { ...calendarEnvironment, ...days, ...staged, ...ledger },
        may: [
          [
            ['dynamodb:GetItem', 'dynamodb:PutItem'],
            [stagedTable, daysTable],
          ],
          [['dynamodb:GetItem'], [ledgerTable]],
        ],
      },
      {
        id: 'PutTerminalTotals',
        entry: 'card-settlement/terminals/handler',
        description: "Records a terminal's own totals of a date",
        routes: [[PUT, '/terminals/{terminalId}/totals/{businessDate}', write]],
        environment: { ...calendarEnvironment, ...days },
        may: [[['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:Query'], [daysTable]]],
      },
      {
        id: 'PutMerchant',
        entry: 'card-settlement/merchants/handler',
        description: 'Records a merchant profile',
        routes: [[PUT, '/merchants/{merchantId}', operate]],
        environment: { ...calendarEnvironment, [names.merchantsTable]: this.merchants.tableName },
        may: [[['dynamodb:Query', 'dynamodb:PutItem'], [this.merchants.tableArn]]],
      },
      {
        id: 'PutFxRates',
        entry: 'card-settlement/rates/handler',
        description: 'Records the FX rates of a date',
        routes: [[PUT, '/fx-rates/{businessDate}', operate]],
        environment: { ...calendarEnvironment, ...days, ...reconcileQueueUrl },
        may: [
          [['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:UpdateItem', 'dynamodb:Query'], [daysTable]],
          [['sqs:SendMessage'], [reconcileQueue.queueArn]],
        ],
      },
      {
        id: 'RequestReconcile',
        entry: 'card-settlement/reconcile/request-run-handler',
        description: 'Asks for a reconcile run',
        routes: [[POST, '/business-days/{businessDate}/reconcile', operate]],
        environment: { ...calendarEnvironment, ...reconcileQueueUrl },
        may: [[['sqs:SendMessage'], [reconcileQueue.queueArn]]],
      },
      {
        id: 'GetBusinessDay',
        entry: 'card-settlement/reconcile/get-days-handler',
        description: 'Shows business days',
        routes: [
          [GET, '/business-days', read],
          [GET, '/business-days/{businessDate}', read],
        ],
        environment: days,
        may: [[['dynamodb:GetItem', 'dynamodb:Query'], [daysTable]]],
      },
      {
        id: 'GetSettlement',
        entry: 'card-settlement/settlements/handler',
        description: 'Shows the settlement of a date',
        routes: [
          [GET, '/settlements/{businessDate}', read],
          [GET, '/settlements/{businessDate}/merchants/{merchantId}', read],
        ],
        environment: { ...days, ...ledger },
        timeout: Duration.seconds(29),
        may: [
          [['dynamodb:GetItem', 'dynamodb:Query'], [daysTable]],
          [['dynamodb:Query'], [ledgerTable]],
        ],
      },
    ]);
    return api;
  }
}

function indexArn(table: Table, indexName: string): string {
  return `${table.tableArn}/index/${indexName}`;
}
