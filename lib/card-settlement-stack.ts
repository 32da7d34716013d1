import { CfnOutput, Duration, Stack, TimeZone, type StackProps } from 'aws-cdk-lib';
import { HttpMethod } from 'aws-cdk-lib/aws-apigatewayv2';
import { Dashboard, GraphWidget, Metric } from 'aws-cdk-lib/aws-cloudwatch';
import { Schedule, ScheduleExpression, ScheduleTargetInput } from 'aws-cdk-lib/aws-scheduler';
import { SqsSendMessage } from 'aws-cdk-lib/aws-scheduler-targets';
import type { Topic } from 'aws-cdk-lib/aws-sns';
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
import { DataTable, type DataTableProps } from './data-table.ts';
import type { IdentityStack } from './identity-stack.ts';
import { JwtHttpApi } from './jwt-http-api.ts';
import { outputOperated } from './operator-outputs.ts';
import { QueueWorker } from './queue-worker.ts';
import { RunbookAlarm } from './runbook-alarm.ts';
import { apiNameOf, metricsNamespaceOf } from './stage-names.ts';

export interface CardSettlementStackProps extends StackProps {
  readonly config: StageConfig;
  readonly identity: IdentityStack;
  readonly alarmEmails: readonly string[];
}

/** The batch tempo: after the cut-off, runs have what the ledger lacks settled in tens, until the books are equal. */
export class CardSettlementStack extends Stack {
  private readonly config: StageConfig;
  private readonly staged: DataTable;
  private readonly ledger: DataTable;
  private readonly businessDays: DataTable;
  private readonly merchants: DataTable;
  private readonly alarms: Topic;

  constructor(scope: Construct, id: string, props: CardSettlementStackProps) {
    super(scope, id, props);
    this.config = props.config;
    this.alarms = alarmTopic(this, props.alarmEmails);

    this.staged = this.stagedTransactions();
    this.ledger = this.table('Ledger', names.ledgerTable, tables.ledger);
    this.ledger.addIndex(tables.ledger.byHeld);
    this.businessDays = this.table('BusinessDays', names.businessDaysTable, tables.businessDays);
    this.merchants = this.table('Merchants', names.merchantsTable, tables.merchants);

    const settlement = this.settlementWorker();
    const reconcile = this.reconcileWorker(settlement);
    this.schedule(reconcile);
    this.reconcileAlarms();
    const api = this.httpApi(props.identity, reconcile);
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
    // A later deployment without addresses keeps these.
    if (props.alarmEmails.length > 0) {
      new CfnOutput(this, 'AlarmEmail', { value: props.alarmEmails.join(',') });
    }
    outputOperated(this);
  }

  private stagedTransactions(): DataTable {
    const { byBusinessDate, byCard, bySmallAmount, ...keys } = tables.stagedTransactions;
    const staged = this.table('StagedTransactions', names.stagedTransactionsTable, keys);
    staged.addIndex(byBusinessDate, stagedIndexAttributes);
    staged.addIndex(byCard, cardIndexAttributes);
    staged.addIndex(bySmallAmount, smallAmountIndexAttributes);
    return staged;
  }

  private table(id: string, variable: string, keys: DataTableProps['keys']): DataTable {
    return new DataTable(this, id, { config: this.config, variable, keys });
  }

  private settlementWorker(): QueueWorker {
    return new QueueWorker(this, 'Settlement', {
      entry: 'card-settlement/settle/handler',
      description: 'Settles staged transactions into the ledger',
      environment: { [names.fraudSettings]: JSON.stringify(this.config.fraud) },
      access: [
        this.staged.access('BatchGetItem'),
        this.staged.query(tables.stagedTransactions.byCard),
        this.staged.query(tables.stagedTransactions.bySmallAmount),
        this.ledger.access('GetItem', 'PutItem'),
        this.merchants.access('Query'),
        this.businessDays.access('GetItem', 'PutItem', 'UpdateItem', 'Query'),
      ],
      urlVariable: names.settlementQueueUrl,
      logRetention: this.config.logRetentionDays,
      tempo: this.config.settlement,
      reportsBatchItemFailures: true,
      deadLetters: {
        impact: 'Transactions could not be settled, and their business day cannot be balanced.',
        runbookHeading: 'A message in the settlement dead-letter queue',
      },
      alarmTopic: this.alarms,
    });
  }

  private reconcileWorker(settlement: QueueWorker): QueueWorker {
    const { reconcile, sealWaitSeconds } = this.config;
    return new QueueWorker(this, 'Reconcile', {
      entry: 'card-settlement/reconcile/handler',
      description: 'Compares what was staged with the ledger, and sends what it lacks',
      environment: {
        ...this.calendar(),
        [names.sealWaitSeconds]: String(sealWaitSeconds),
        [names.settlementWindowSeconds]: String(this.config.settlement.windowSeconds),
        [names.settlementHorizonSeconds]: String(settlement.horizon.toSeconds()),
        [names.metricsNamespace]: metricsNamespaceOf(this.config.stage),
      },
      access: [
        this.staged.query(tables.stagedTransactions.byBusinessDate),
        this.ledger.access('Query'),
        this.businessDays.access('GetItem', 'UpdateItem', 'BatchWriteItem', 'Query'),
        settlement.access('SendMessage'),
        settlement.access('GetQueueAttributes'),
      ],
      urlVariable: names.reconcileQueueUrl,
      logRetention: this.config.logRetentionDays,
      tempo: reconcile,
      // A run requests the next one of its series, until nothing is missing. The waits double, up to 15 minutes.
      sendsToItself: true,
      deadLetters: {
        impact: 'A business day could not be reconciled; the schedule tries again within 15 minutes.',
        runbookHeading: 'A message in the reconcile dead-letter queue',
      },
      alarmTopic: this.alarms,
    });
  }

  /** At the cut-off and every 15 minutes after it. Days balance sooner without it; this is the safety net. */
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

  private calendar(): Readonly<Record<string, string>> {
    const { timeZone, cutOff } = this.config.calendar;
    return { [names.businessTimeZone]: timeZone, [names.businessCutOff]: cutOff };
  }

  private httpApi(identity: IdentityStack, reconcile: QueueWorker): JwtHttpApi {
    const api = new JwtHttpApi(this, 'HttpApi', {
      apiName: apiNameOf(this.config.stage, 'card-settlement'),
      description: 'Card transactions and their settlement',
      issuer: identity.issuer,
      audience: [identity.gatewayClient.userPoolClientId, identity.operatorClient.userPoolClientId],
      throttle: this.config.throttle,
      logRetention: this.config.logRetentionDays,
      alarmTopic: this.alarms,
      notFoundId: 'NotFound',
    });
    const { GET, POST, PUT } = HttpMethod;
    const { read, write, operate } = scopes;
    const { staged, ledger, businessDays: days, merchants } = this;
    api.serve([
      {
        id: 'AcceptTransaction',
        entry: 'card-settlement/intake/handler',
        description: 'Stages a transaction',
        routes: [[POST, '/transactions', write]],
        environment: this.calendar(),
        access: [staged.access('GetItem', 'PutItem'), days.access('GetItem', 'PutItem')],
      },
      {
        id: 'GetTransaction',
        entry: 'card-settlement/intake/get-transaction-handler',
        description: 'Shows a transaction',
        routes: [[GET, '/transactions/{transactionId}', read]],
        access: [staged.access('GetItem'), ledger.access('GetItem')],
      },
      {
        id: 'ListTransactions',
        entry: 'card-settlement/review/list-held-handler',
        description: 'Lists transactions that wait for review',
        routes: [[GET, '/transactions', read]],
        timeout: Duration.seconds(29),
        access: [staged.access('BatchGetItem'), ledger.query(tables.ledger.byHeld)],
      },
      {
        id: 'ReviewTransaction',
        entry: 'card-settlement/review/handler',
        description: 'Releases or rejects a held transaction',
        routes: [
          [POST, '/transactions/{transactionId}/release', operate],
          [POST, '/transactions/{transactionId}/reject', operate],
        ],
        environment: this.calendar(),
        access: [
          staged.access('GetItem', 'PutItem'),
          days.access('GetItem', 'PutItem'),
          ledger.access('GetItem'),
        ],
      },
      {
        id: 'PutTerminalTotals',
        entry: 'card-settlement/terminals/handler',
        description: "Records a terminal's own totals of a date",
        routes: [[PUT, '/terminals/{terminalId}/totals/{businessDate}', write]],
        environment: this.calendar(),
        access: [days.access('GetItem', 'PutItem', 'Query')],
      },
      {
        id: 'PutMerchant',
        entry: 'card-settlement/merchants/handler',
        description: 'Records a merchant profile',
        routes: [[PUT, '/merchants/{merchantId}', operate]],
        environment: this.calendar(),
        access: [merchants.access('Query', 'PutItem')],
      },
      {
        id: 'PutFxRates',
        entry: 'card-settlement/rates/handler',
        description: 'Records the FX rates of a date',
        routes: [[PUT, '/fx-rates/{businessDate}', operate]],
        environment: this.calendar(),
        access: [days.access('GetItem', 'PutItem', 'UpdateItem', 'Query'), reconcile.access('SendMessage')],
      },
      {
        id: 'RequestReconcile',
        entry: 'card-settlement/reconcile/request-run-handler',
        description: 'Asks for a reconcile run',
        routes: [[POST, '/business-days/{businessDate}/reconcile', operate]],
        environment: this.calendar(),
        access: [reconcile.access('SendMessage')],
      },
      {
        id: 'GetBusinessDay',
        entry: 'card-settlement/reconcile/get-days-handler',
        description: 'Shows business days',
        routes: [
          [GET, '/business-days', read],
          [GET, '/business-days/{businessDate}', read],
        ],
        access: [days.access('GetItem', 'Query')],
      },
      {
        id: 'GetSettlement',
        entry: 'card-settlement/settlements/handler',
        description: 'Shows the settlement of a date',
        routes: [
          [GET, '/settlements/{businessDate}', read],
          [GET, '/settlements/{businessDate}/merchants/{merchantId}', read],
        ],
        timeout: Duration.seconds(29),
        access: [days.access('GetItem', 'Query'), ledger.access('Query')],
      },
    ]);
    return api;
  }
}
