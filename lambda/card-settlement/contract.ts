import * as v from 'valibot';
import { CalendarDate } from './domain/business-date.ts';

export type { FraudSettings } from './domain/fraud/settings.ts';

/** What infrastructure and functions must agree on: names, and the payloads of the queues. */

/** OAuth scopes of the card API. */
export const scopes = {
  resourceServer: 'duotempo',
  write: 'duotempo/transactions.write',
  read: 'duotempo/transactions.read',
  operate: 'duotempo/settlement.operate',
} as const;

/** Names of the environment variables that the functions read. */
export const environmentNames = {
  stagedTransactionsTable: 'STAGED_TRANSACTIONS_TABLE',
  ledgerTable: 'LEDGER_TABLE',
  businessDaysTable: 'BUSINESS_DAYS_TABLE',
  merchantsTable: 'MERCHANTS_TABLE',
  reconcileQueueUrl: 'RECONCILE_QUEUE_URL',
  settlementQueueUrl: 'SETTLEMENT_QUEUE_URL',
  /** IANA time zone of the business calendar. */
  businessTimeZone: 'BUSINESS_TIME_ZONE',
  /** `HH:MM` */
  businessCutOff: 'BUSINESS_CUT_OFF',
  /** Seconds between a seal and the first run that may balance the day. */
  sealWaitSeconds: 'SEAL_WAIT_SECONDS',
  /** The settlement queue's batching window, in seconds. */
  settlementWindowSeconds: 'SETTLEMENT_WINDOW_SECONDS',
  /** Seconds until a message that was sent is settled or in the dead-letter queue. */
  settlementHorizonSeconds: 'SETTLEMENT_HORIZON_SECONDS',
  /** Scores and thresholds of the fraud rules: `FraudSettings` as JSON. */
  fraudSettings: 'FRAUD_SETTINGS',
  /** The CloudWatch namespace of the stage's metrics, by the name that Powertools reads. */
  metricsNamespace: 'POWERTOOLS_METRICS_NAMESPACE',
} as const;

/** Keys and indexes of the tables. */
export const tables = {
  stagedTransactions: {
    partitionKey: 'transactionId',
    byBusinessDate: {
      name: 'byBusinessDate',
      partitionKey: 'businessDateShard',
      sortKey: 'merchantTransaction',
    },
    byCard: { name: 'byCard', partitionKey: 'cardToken', sortKey: 'occurredTransaction' },
    /** Sparse: only small amounts have the partition key, `<clientId>#<terminalId>`. */
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
    /** Sparse: only held entries have the partition key; whole entries. */
    byHeld: { name: 'byHeld', partitionKey: 'heldDateShard', sortKey: 'merchantTransaction' },
  },
  businessDays: { partitionKey: 'scopeKey', sortKey: 'itemKey' },
  merchants: { partitionKey: 'merchantId', sortKey: 'effectiveFrom' },
} as const;

/** What the reconcile run must know of a staged transaction; the index `byBusinessDate` carries just these, and keys. */
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

/** What fraud rules read of a card's history; the index `byCard` carries just these, and keys. */
export const cardIndexAttributes = [
  'merchantId',
  'type',
  'amount',
  'currency',
  'businessDate',
  'location',
] as const;

/** What they read of a terminal's small sales, in the index `bySmallAmount`. */
export const smallAmountIndexAttributes = ['cardToken', 'businessDate'] as const;

/** CloudWatch metrics that the functions emit and the alarms watch; the namespace is sandbox's. */
export const metrics = {
  namespace: 'Duotempo/CardSettlement',
  breaksFound: 'BreaksFound',
  daysBlocked: 'DaysBlocked',
  /** One for each message of the schedule: what stays away is the schedule, or all that comes after it. */
  scheduleTicks: 'ScheduleTicks',
} as const;

/** Most message receives, by the limits of one request body. */
export const requestBodyLimitBytes = 16 * 1024;

/** What starts a run of a business day. */
export const trigger = ['schedule', 'operator', 'continue', 'rates'] as const;

/** Parts that a walk may have: some two billion transactions. */
export const MOST_WALK_PARTS = 1000;

/** Body of a message on the reconcile queue. */
export const ReconcileMessage = v.variant('kind', [
  /** All days that are due: what EventBridge Scheduler sends. */
  v.strictObject({ kind: v.literal('due-days') }),
  v.strictObject({
    kind: v.literal('business-day'),
    businessDate: CalendarDate,
    trigger: v.picklist(trigger),
    /** Of a run that asked for this one: which it was, and how often the series has waited. */
    after: v.exactOptional(v.pipe(v.string(), v.maxLength(64))),
    attempt: v.exactOptional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(1000))),
  }),
  /** The next part of a walk that one invocation had no time for. */
  v.strictObject({
    kind: v.literal('walk'),
    businessDate: CalendarDate,
    run: v.pipe(v.string(), v.maxLength(64)),
    part: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(MOST_WALK_PARTS)),
  }),
]);
export type ReconcileMessage = v.InferOutput<typeof ReconcileMessage>;

/** A transaction's id, or a decision's: `<transactionId>#decision`. */
export const FactId = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{1,64}(?:#decision)?$/));

/**
 * Body of a message on the settlement queue: which staged fact is to be settled. It names the fact and carries nothing
 * of it, so that no message, however it came there, can settle what was not staged.
 */
export const SettlementMessage = v.strictObject({ factId: FactId });
export type SettlementMessage = v.InferOutput<typeof SettlementMessage>;
