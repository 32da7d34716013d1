import { systemClock } from '../../shared/clock.ts';
import { createDynamoDbClient } from '../../shared/dynamodb.ts';
import { environmentVariable } from '../../shared/environment.ts';
import { environmentNames } from '../contract.ts';
import { businessDateOf } from '../domain/business-date.ts';
import { hasRate } from '../domain/fx.ts';
import { businessCalendar, runSettings } from '../settings.ts';
import * as days from '../store/business-days.ts';
import { findRates } from '../store/fx-rates.ts';
import { ledgerPagesOfDate } from '../store/ledger.ts';
import { writeMerchantTotals } from '../store/merchant-totals.ts';
import { createSqsClient, reconcileQueueSender } from '../store/reconcile-queue.ts';
import { messagesWaiting, sendForSettlement } from '../store/settlement-queue.ts';
import { stagedOfDate } from '../store/staged-transactions.ts';
import { terminalReportsOf } from '../store/terminal-totals.ts';
import * as walks from '../store/walks.ts';
import type { DueDaysServices } from './due-days.ts';
import type { DayServices } from './list-days.ts';
import type { RequestRunServices } from './request-run.ts';
import type { RunServices } from './run.ts';

const DAYS_PAGE = 100;

/** A run's ports, on what the environment names. Simulations pass their own clients and clock. */
export function buildServices(
  client = createDynamoDbClient(),
  sqs = createSqsClient(),
  now: () => Date = systemClock,
): RunServices & DueDaysServices {
  const settings = runSettings();
  const daysTable = environmentVariable(environmentNames.businessDaysTable);
  const stagedTable = environmentVariable(environmentNames.stagedTransactionsTable);
  const ledgerTable = environmentVariable(environmentNames.ledgerTable);
  const settlementQueueUrl = environmentVariable(environmentNames.settlementQueueUrl);
  return {
    settings,
    now,
    openDate: () => businessDateOf(now(), settings.calendar),
    daysFrom: (from) => days.daysOf(client, daysTable, { from, newestFirst: true }, DAYS_PAGE),
    readDay: (businessDate) => days.readDay(client, daysTable, businessDate),
    acquireLease: (businessDate, request) => days.acquireLease(client, daysTable, businessDate, request),
    requestRerun: (businessDate, by, at) => days.requestRerun(client, daysTable, businessDate, by, at),
    finishRun: (day, by) => days.finishRun(client, daysTable, day, by),
    releaseLease: (businessDate, holder) => days.releaseLease(client, daysTable, businessDate, holder),
    handOver: (businessDate, from, run) => days.handOver(client, daysTable, businessDate, from, run),
    takeUp: (businessDate, asked, run) => days.takeUp(client, daysTable, businessDate, asked, run),
    saveWalk: (businessDate, saved) => walks.saveWalk(client, daysTable, businessDate, saved),
    loadWalk: (businessDate, run) => walks.loadWalk(client, daysTable, businessDate, run),
    ratesFound: async (businessDate, currencies) => {
      const rates = await findRates(client, daysTable, businessDate);
      return rates !== undefined && currencies.every((currency) => hasRate(rates, currency));
    },
    sendReconcileMessage: reconcileQueueSender(sqs, environmentVariable(environmentNames.reconcileQueueUrl)),
    messagesWaiting: () => messagesWaiting(sqs, settlementQueueUrl),
    noteSends: (businessDate, sends) => walks.noteSends(client, daysTable, businessDate, sends),
    notedSends: (businessDate) => walks.notedSends(client, daysTable, businessDate),
    books: {
      staged: (businessDate, after) => stagedOfDate(client, stagedTable, businessDate, after),
      ledger: (businessDate, after) => ledgerPagesOfDate(client, ledgerTable, businessDate, after),
      terminalReports: (businessDate) => terminalReportsOf(client, daysTable, businessDate),
      send: (factIds) => sendForSettlement(sqs, settlementQueueUrl, factIds),
      writeMerchantTotals: (day, totals) => writeMerchantTotals(client, daysTable, day, totals),
    },
  };
}

/** Ports of the route that asks for a run. */
export function buildRequestServices(): RequestRunServices {
  return {
    calendar: businessCalendar(),
    now: systemClock,
    sendReconcileMessage: reconcileQueueSender(
      createSqsClient(),
      environmentVariable(environmentNames.reconcileQueueUrl),
    ),
  };
}

/** Ports of the routes that show days. */
export function buildDayServices(): DayServices {
  const client = createDynamoDbClient();
  const table = environmentVariable(environmentNames.businessDaysTable);
  return {
    readDay: (businessDate) => days.readDay(client, table, businessDate),
    newestDays: (to, pageItems) =>
      days.daysOf(client, table, { ...(to === undefined ? {} : { to }), newestFirst: true }, pageItems),
  };
}
