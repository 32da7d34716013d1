import { environmentNames as names } from '../../../lambda/card-settlement/contract.ts';
import { stageConfig } from '../../../lib/config.ts';

/** The environment of the card half's functions in a simulation. Import it before them: some of it they read at once. */

const { settlement, reconcile, calendar, sealWaitSeconds, fraud } = stageConfig('sandbox');

/** As `QueueWorker` makes it of a tempo. */
function queueOf(name: string, tempo: typeof settlement) {
  const visibilityTimeoutSeconds = 6 * tempo.timeoutSeconds + tempo.windowSeconds;
  return { ...tempo, queueUrl: `http://simulated.test/000000000000/${name}`, visibilityTimeoutSeconds };
}

export const queues = {
  settlement: queueOf('settlement', settlement),
  reconcile: queueOf('reconcile', reconcile),
};

export const tableNames = {
  staged: 'StagedTransactions',
  ledger: 'Ledger',
  businessDays: 'BusinessDays',
  merchants: 'Merchants',
};

export { calendar };

const { maxReceiveCount, visibilityTimeoutSeconds, windowSeconds } = queues.settlement;

Object.assign(process.env, {
  POWERTOOLS_LOG_LEVEL: 'SILENT',
  POWERTOOLS_METRICS_DISABLED: 'true',
  [names.stagedTransactionsTable]: tableNames.staged,
  [names.ledgerTable]: tableNames.ledger,
  [names.businessDaysTable]: tableNames.businessDays,
  [names.merchantsTable]: tableNames.merchants,
  [names.reconcileQueueUrl]: queues.reconcile.queueUrl,
  [names.settlementQueueUrl]: queues.settlement.queueUrl,
  [names.businessTimeZone]: calendar.timeZone,
  [names.businessCutOff]: calendar.cutOff,
  [names.sealWaitSeconds]: String(sealWaitSeconds),
  [names.settlementWindowSeconds]: String(windowSeconds),
  [names.settlementHorizonSeconds]: String(maxReceiveCount * visibilityTimeoutSeconds + windowSeconds),
  [names.fraudSettings]: JSON.stringify(fraud),
});
