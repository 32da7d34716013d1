import { randomUUID } from 'node:crypto';
import * as v from 'valibot';
import { responses } from '../../lambda/card-settlement/api.ts';
import { createCallApi, describeRefusal, type ApiResponse, type CallApi } from '../shared/api.ts';
import { requestReconcile } from '../shared/business-day.ts';
import { CommandError } from '../shared/command-error.ts';
import { createHttpClient } from '../shared/http.ts';
import type { Outputs } from '../shared/outputs.ts';
import { accessTokensOf } from '../shared/tokens.ts';
import {
  createSteps,
  eventually,
  expectStatus,
  placesIn,
  RETRIES,
  type OnResult,
  type StepResult,
} from './steps.ts';

/** A batch may wait 20 s to fill, between a run and a cold start. */
const SETTLE_PATIENCE_SECONDS = 45;

/** Minor units; above what the rule on card testing looks at. */
const AMOUNT = 500;

const look = placesIn('DuotempoCardSettlement');
const intake = look(['AcceptTransactionFunction', 'AcceptTransactionLogGroup', 'HttpApiAccessLogGroup']);
const settling = look(
  [
    'ReconcileQueueUrl',
    'ReconcileDeadLetterQueueUrl',
    'ReconcileWorkerFunction',
    'ReconcileWorkerLogGroup',
    'SettlementQueueUrl',
    'SettlementDeadLetterQueueUrl',
    'SettlementWorkerFunction',
    'SettlementWorkerLogGroup',
  ],
  'A message in the settlement dead-letter queue',
  'A message in the reconcile dead-letter queue',
);
const reading = look(['GetSettlementFunction', 'GetSettlementLogGroup', 'LedgerTable']);

/** The batch tempo: a sale with its own merchant, terminal and card, reversed at the end so that nothing is paid. */
export async function smokeCardSettlement(
  outputs: Outputs,
  run: string,
  onResult: OnResult,
): Promise<readonly StepResult[]> {
  const http = createHttpClient({ connections: 2, timeoutSeconds: 15 });
  const { ApiUrl: apiUrl } = outputs.DuotempoCardSettlement;
  const [gatewayTokens, operatorTokens] = [
    accessTokensOf('gateway', outputs, http),
    accessTokensOf('operator', outputs, http),
  ];
  const gateway = createCallApi({ http, apiUrl, tokens: gatewayTokens, retries: RETRIES });
  const operator = createCallApi({ http, apiUrl, tokens: operatorTokens, retries: RETRIES });
  const { step, results } = createSteps(onResult);
  const merchantId = `mer_smoke_${run}`;
  const sale = {
    merchantId,
    terminalId: `till_smoke_${run}`,
    type: 'sale',
    cardToken: `tok_smoke_${run}`,
    amount: AMOUNT,
    currency: 'USD',
    merchantCategoryCode: '5411',
    occurredAt: new Date().toISOString(),
  };
  const key = `smoke-${run}`;
  try {
    await step('tokens of gateway and operator', look(['HttpApiAccessLogGroup']), async () => {
      await Promise.all([gatewayTokens.get(), operatorTokens.get()]);
      return { detail: 'by client credentials' };
    });
    const staged = await step('a sale is taken', intake, async () => {
      const response = await post(gateway, sale, key);
      expectStatus(response, [201, 200]);
      const { transactionId, businessDate } = v.parse(responses.StagedTransaction, response.body);
      return { transactionId, businessDate, detail: `${transactionId} of ${businessDate}` };
    });
    const { transactionId = '', businessDate = '' } = staged ?? {};
    await step('the same again is the same sale', intake, async () => {
      const response = await post(gateway, sale, key);
      expectStatus(response, [200]);
      const again = v.parse(responses.StagedTransaction, response.body);
      if (again.transactionId !== transactionId || response.headers['idempotent-replayed'] !== 'true')
        throw new CommandError('It was taken for another sale.');
      return { detail: '200, replayed' };
    });
    await step('a sale that is none is refused', intake, async () => {
      const response = await post(gateway, { ...sale, amount: -AMOUNT }, randomUUID());
      expectStatus(response, [400, 422]);
      return { detail: describeRefusal(response) };
    });
    await step('its day is reconciled, and the sale settled', settling, async () => {
      await requestReconcile(operator, businessDate);
      return { detail: await settled(gateway, transactionId) };
    });
    await step('the settlement file has it', reading, async () => ({
      detail: await lineOf(gateway, businessDate, merchantId),
    }));
    const reverse = async (): Promise<ApiResponse> =>
      post(gateway, { ...sale, type: 'reversal', originalTransactionId: transactionId }, `${key}-reversal`);
    await step('the sale is reversed, and leaves nothing to pay', intake, async () => {
      const response = await reverse();
      // The cut-off may have closed its books meanwhile.
      if (response.status === 409) return { detail: `not any more: ${describeRefusal(response)}` };
      expectStatus(response, [201, 200]);
      return { detail: `${response.status}` };
    });
    // Whatever failed, the sale must not be paid.
    if (staged !== undefined && results.at(-1)?.status === 'skipped') await reverse().catch(() => undefined);
    return results;
  } finally {
    http.close();
  }
}

async function post(call: CallApi, body: object, key: string): Promise<ApiResponse> {
  return call({ method: 'POST', path: '/transactions', body, headers: { 'idempotency-key': key } });
}

async function settled(call: CallApi, transactionId: string): Promise<string> {
  const status = await eventually('The sale is to be settled', SETTLE_PATIENCE_SECONDS, async () => {
    const response = await call({ method: 'GET', path: `/transactions/${transactionId}` });
    expectStatus(response, [200]);
    const view = v.parse(responses.TransactionView, response.body);
    return view.status === 'staged' ? undefined : view.status;
  });
  if (status !== 'settled') throw new CommandError(`The sale is ${status}.`);
  return status;
}

async function lineOf(call: CallApi, businessDate: string, merchantId: string): Promise<string> {
  const path = `/settlements/${businessDate}`;
  const response = await call({ method: 'GET', path, headers: { accept: 'text/csv' } });
  if (response.status === 422) {
    const entries = await call({ method: 'GET', path: `${path}/merchants/${merchantId}` });
    expectStatus(entries, [200]);
    const { items } = v.parse(responses.MerchantSettlementPage, entries.body);
    if (items.length !== 1) throw new CommandError('The merchant has no entry, or more than one.');
    return 'the day is too long for one file: the entry stands in the settlement of its merchant';
  }
  expectStatus(response, [200]);
  const line = `D,${merchantId},USD,1,${AMOUNT},0,${AMOUNT}`;
  if (String(response.body).split(/\r?\n/).includes(line)) return line;
  throw new CommandError(`The file of ${businessDate} has no line ${line}.`);
}
