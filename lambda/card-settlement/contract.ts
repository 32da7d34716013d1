import * as v from 'valibot';
import { CalendarDate } from './domain/business-date.ts';
import { TRIGGERS } from './domain/business-day.ts';

export type { BusinessCalendar } from './domain/business-date.ts';
export type { FraudSettings } from './domain/fraud/settings.ts';

export const scopes = {
  resourceServer: 'duotempo',
  write: 'duotempo/transactions.write',
  read: 'duotempo/transactions.read',
  operate: 'duotempo/settlement.operate',
} as const;

export const environmentNames = {
  stagedTransactionsTable: 'STAGED_TRANSACTIONS_TABLE',
  ledgerTable: 'LEDGER_TABLE',
  businessDaysTable: 'BUSINESS_DAYS_TABLE',
  merchantsTable: 'MERCHANTS_TABLE',
  reconcileQueueUrl: 'RECONCILE_QUEUE_URL',
  settlementQueueUrl: 'SETTLEMENT_QUEUE_URL',
  businessTimeZone: 'BUSINESS_TIME_ZONE',
  businessCutOff: 'BUSINESS_CUT_OFF',
  /** Seconds between a seal and the first run that may balance the day. */
  sealWaitSeconds: 'SEAL_WAIT_SECONDS',
  settlementWindowSeconds: 'SETTLEMENT_WINDOW_SECONDS',
  /** Seconds after which a sent message is settled or in the dead-letter queue. */
  settlementHorizonSeconds: 'SETTLEMENT_HORIZON_SECONDS',
  fraudSettings: 'FRAUD_SETTINGS',
  metricsNamespace: 'POWERTOOLS_METRICS_NAMESPACE',
} as const;

export const tables = {
  stagedTransactions: {
    partitionKey: 'transactionId',
    byBusinessDate: {
      name: 'byBusinessDate',
      partitionKey: 'businessDateShard',
      sortKey: 'merchantTransaction',
    },
    byCard: { name: 'byCard', partitionKey: 'cardToken', sortKey: 'occurredTransaction' },
    /** Sparse: only small sales have the partition key, `<clientId>#<terminalId>`. */
    bySmallAmount: {
      name: 'bySmallAmount',
      partitionKey: 'smallAmountTerminalId',
      sortKey: 'occurredTransaction',
    },
    timeToLive: 'expiresAt',
  },
  ledger: {
    partitionKey: 'businessDateShard',
    sortKey: 'merchantTransaction',
    /** Sparse: only held entries have the partition key. */
    byHeld: { name: 'byHeld', partitionKey: 'heldDateShard', sortKey: 'merchantTransaction' },
  },
  businessDays: { partitionKey: 'scopeKey', sortKey: 'itemKey' },
  merchants: { partitionKey: 'merchantId', sortKey: 'effectiveFrom' },
} as const;

export const stagedIndexAttributes = [
  'merchantId',
  'type',
  'originalType',
  'amount',
  'currency',
  'stagedAt',
  'clientId',
  'terminalId',
] as const;

export const cardIndexAttributes = [
  'merchantId',
  'type',
  'amount',
  'currency',
  'businessDate',
  'location',
] as const;

export const smallAmountIndexAttributes = ['cardToken', 'businessDate'] as const;

/** The namespace is the sandbox's. */
export const metrics = {
  namespace: 'Duotempo/CardSettlement',
  breaksFound: 'BreaksFound',
  daysBlocked: 'DaysBlocked',
  /** One for each message of the schedule. If they stop, the schedule or something behind it has failed. */
  scheduleTicks: 'ScheduleTicks',
} as const;

export const requestBodyLimitBytes = 16 * 1024;

/** Enough for some two billion transactions. */
export const MOST_WALK_PARTS = 1000;

export const ReconcileMessage = v.variant('kind', [
  /** From EventBridge Scheduler: all days that are due. */
  v.strictObject({ kind: v.literal('due-days') }),
  v.strictObject({
    kind: v.literal('business-day'),
    businessDate: CalendarDate,
    trigger: v.picklist(TRIGGERS),
    /** The run that asked for this one, and how often the series has waited. */
    after: v.exactOptional(v.pipe(v.string(), v.maxLength(64))),
    attempt: v.exactOptional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(1000))),
  }),
  /** The next part of a walk that did not fit one invocation. */
  v.strictObject({
    kind: v.literal('walk'),
    businessDate: CalendarDate,
    run: v.pipe(v.string(), v.maxLength(64)),
    part: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(MOST_WALK_PARTS)),
  }),
]);
export type ReconcileMessage = v.InferOutput<typeof ReconcileMessage>;

/** A transaction's id, or `<transactionId>#decision`. */
export const FactId = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{1,64}(?:#decision)?$/));

/** Names a fact and carries nothing of it, so no message can settle what was not staged. */
export const SettlementMessage = v.strictObject({ factId: FactId });
export type SettlementMessage = v.InferOutput<typeof SettlementMessage>;
