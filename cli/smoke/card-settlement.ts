import { randomUUID } from 'node:crypto';
import * as v from 'valibot';
import { accessTokensOf } from '../shared/tokens.ts';
import { createCallApi, describeRefusal, type ApiResponse, type CallApi } from '../shared/api.ts';
import { CommandError } from '../shared/command-error.ts';
import { createHttpClient } from '../shared/http.ts';
import type { Outputs } from '../shared/outputs.ts';
import { requestReconcile } from '../shared/business-day.ts';
import { createSteps, eventually, type OnResult, type Places, type StepResult } from './steps.ts';

/** A batch may wait 20 s to fill, and a run and a cold start come before and after. */
const settlePatienceSeconds = 45;

/** So few that a system that is down is found out in time. */
const retries = { attempts: 3, longestPauseMilliseconds: 1000 };

/** In minor units; above what the rule on card testing looks at. */
const amount = 500;

const look = (outputs: readonly string[], ...headings: readonly string[]): Places => ({
  stack: 'DuotempoCardSettlement',
  outputs,
  headings: [...headings, 'Following one request through the log'],
});
const intake = look(['AcceptTransactionFunction', 'AcceptTransactionLogGroup', 'HttpApiAccessLogGroup']);

const stagedSchema = v.object({ transactionId: v.string(), businessDate: v.string() });
const statusSchema = v.object({ status: v.string() });

/**
 * The batch tempo from outside: a sale of this moment, by a merchant, a terminal and a card of this run alone. It is
 * reversed in the end: the books keep both, and add up to nothing.
 */
export async function smokeCardSettlement(
  outputs: Outputs,
  run: string,
  onResult: OnResult,
): Promise<readonly StepResult[]> {
  const http = createHttpClient({ connections: 2, timeoutSeconds: 15 });
  const tokens = {
    gateway: accessTokensOf('gateway', outputs, http),
    operator: accessTokensOf('operator', outputs, http),
  };
  const { ApiUrl: apiUrl } = outputs.DuotempoCardSettlement;
  const gateway = createCallApi({ http, apiUrl, tokens: tokens.gateway, retries });
  const operator = createCallApi({ http, apiUrl, tokens: tokens.operator, retries });
  const { step, results } = createSteps(onResult);
  const merchantId = `mer_smoke_${run}`;
  const sale = {
    merchantId,
    terminalId: `till_smoke_${run}`,
    type: 'sale',
    cardToken: `tok_smoke_${run}`,
    amount,
    currency: 'USD',
    merchantCategoryCode: '5411',
    occurredAt: new Date().toISOString(),
  };
  try {
    await step('tokens of gateway and operator', look(['HttpApiAccessLogGroup']), async () => {
      await Promise.all([tokens.gateway.get(), tokens.operator.get()]);
      return { detail: 'by client credentials' };
    });
    const key = `smoke-${run}`;
    const staged = await step('a sale is taken', intake, async () => {
      const response = await post(gateway, sale, key);
      expectStatus(response, [201, 200]);
      const { transactionId, businessDate } = v.parse(stagedSchema, response.body);
      return { transactionId, businessDate, detail: `${transactionId} of ${businessDate}` };
    });
    const { transactionId = '', businessDate = '' } = staged ?? {};
    await step('the same again is the same sale', intake, async () => {
      const response = await post(gateway, sale, key);
      expectStatus(response, [200]);
      const isSame = v.parse(stagedSchema, response.body).transactionId === transactionId;
      if (!isSame || response.headers['idempotent-replayed'] !== 'true') {
        throw new CommandError('It was taken for another sale.');
      }
      return { detail: '200, replayed' };
    });
    await step('a sale that is none is refused', intake, async () => {
      const response = await post(gateway, { ...sale, amount: -amount }, randomUUID());
      expectStatus(response, [400, 422]);
      return { detail: describeRefusal(response) };
    });
    await step('its day is reconciled, and the sale settled', settling, async () => {
      await requestReconcile(operator, businessDate);
      const status = await eventually('The sale is to be settled', settlePatienceSeconds, async () => {
        const response = await gateway({ method: 'GET', path: `/transactions/${transactionId}` });
        expectStatus(response, [200]);
        const found = v.parse(statusSchema, response.body).status;
        return found === 'staged' ? undefined : found;
      });
      if (status !== 'settled') throw new CommandError(`The sale is ${status}.`);
      return { detail: status };
    });
    await step('the settlement file has it', reading, async () => ({
      detail: await lineOf(gateway, businessDate, merchantId),
    }));
    const reverse = async (): Promise<ApiResponse> =>
      post(gateway, { ...sale, type: 'reversal', originalTransactionId: transactionId }, `${key}-reversal`);
    await step('the sale is reversed, and leaves nothing to pay', intake, async () => {
      const response = await reverse();
      // Its books were closed meanwhile: at the cut-off.
      if (response.status === 409) return { detail: `not any more: ${describeRefusal(response)}` };
      expectStatus(response, [201, 200]);
      return { detail: `${response.status}` };
    });
    // Whatever failed: the sale is not to be paid.
    if (staged !== undefined && results.at(-1)?.status === 'skipped') await reverse().catch(() => undefined);
    return results;
  } finally {
    http.close();
  }
}

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

async function post(call: CallApi, body: object, key: string): Promise<ApiResponse> {
  return call({ method: 'POST', path: '/transactions', body, headers: { 'idempotency-key': key } });
}

/** @throws CommandError with the id by which the log finds the request */
export function expectStatus(response: ApiResponse, wanted: readonly number[]): void {
  if (wanted.includes(response.status)) return;
  const id = String(response.headers['apigw-requestid'] ?? 'none');
  throw new CommandError(
    `It was answered ${describeRefusal(response)}, not ${wanted.join(' or ')} (apigw-requestid ${id}).`,
  );
}

/** The merchant's line of the settlement file; of a day too long for one, its settled entry. */
async function lineOf(call: CallApi, businessDate: string, merchantId: string): Promise<string> {
  const path = `/settlements/${businessDate}`;
  const response = await call({ method: 'GET', path, headers: { accept: 'text/csv' } });
  if (response.status === 422) {
    const entries = await call({ method: 'GET', path: `${path}/merchants/${merchantId}` });
    expectStatus(entries, [200]);
    const { items } = v.parse(v.object({ items: v.array(statusSchema) }), entries.body);
    if (items.length !== 1) throw new CommandError('The merchant has no entry, or more than one.');
    return 'the day is too long for one file: the entry stands in the settlement of its merchant';
  }
  expectStatus(response, [200]);
  const line = `D,${merchantId},USD,1,${amount},0,${amount}`;
  const lines = String(response.body).split(/\r?\n/);
  if (lines.includes(line)) return line;
  throw new CommandError(`The file of ${businessDate} has no line ${line}.`);
}
