import * as v from 'valibot';
import { decisionIdOf } from '../../lambda/card-settlement/domain/identifiers.ts';
import { describeRefusal, problemTypeOf, type ApiResponse, type CallApi } from '../../cli/shared/api.ts';
import { errorMessage } from '../../cli/shared/command-error.ts';
import type { Findings } from './findings.ts';
import { atRate } from './pace.ts';
import type { Random } from './random.ts';
import type { KnownSale, Report } from './sales.ts';
import type { SettlementBooks } from './settlement-books.ts';

/** Of the reports: what two requests bring at the same moment. */
const TWICE_RATE = 0.04;
/** Sales among which those are that are reversed and paid back. */
const RECENT_SALES = 400;
const UNDER_WAY = 4;

const acceptedSchema = v.object({ transactionId: v.string(), businessDate: v.string() });

export interface IntakeOptions {
  /** With the gateway's token; it tries again until there is an answer that stands. */
  readonly call: CallApi;
  readonly random: Random;
  readonly next: (now: Date, recent: readonly KnownSale[]) => Report;
  readonly perSecond: number;
  readonly books: SettlementBooks;
  readonly findings: Findings;
  /** @param milliseconds from the first attempt to the answer that stands */
  readonly onAccepted: (milliseconds: number) => void;
  readonly signal: AbortSignal;
}

/** Reports transactions at a steady rate until the signal, and writes down what was accepted. */
export async function runIntake(options: IntakeOptions): Promise<void> {
  const { call, random, next, perSecond, books, findings, onAccepted, signal } = options;
  const recent: KnownSale[] = [];

  const send = async ({ key, transaction }: Report): Promise<void> => {
    const startedAt = performance.now();
    let response: ApiResponse;
    try {
      response = await call({
        method: 'POST',
        path: '/transactions',
        body: transaction,
        headers: { 'idempotency-key': key },
      });
    } catch (error) {
      findings.add(`a transaction was never answered: ${errorMessage(error)}`, 'intake', key);
      return;
    }
    const { type, terminalId, currency, amount } = transaction;
    const accepted = v.safeParse(acceptedSchema, response.body);
    if (response.status >= 300 || !accepted.success) {
      if (type === 'reversal' && mayBeRefused(response)) return;
      findings.add(`a ${type} was refused: ${describeRefusal(response)}`, 'intake', key);
      return;
    }
    onAccepted(performance.now() - startedAt);
    const { transactionId, businessDate } = accepted.output;
    const consistent = books.accept(type === 'reversal' ? decisionIdOf(transactionId) : transactionId, {
      businessDate,
      currency,
      type,
      amount: type === 'sale' ? amount : -amount,
      terminalId,
    });
    if (!consistent) findings.add('accepted twice, and not as the same', 'intake', transactionId);
    if (type !== 'sale') return;
    if (recent.push({ transactionId, transaction }) > RECENT_SALES) recent.shift();
  };

  await atRate({ perSecond, atMost: UNDER_WAY, signal }, async () => {
    const report = next(new Date(), recent);
    // A terminal that had no answer asks again while the first request is still under way.
    await Promise.all([send(report), ...(random.chance(TWICE_RATE) ? [send(report)] : [])]);
  });
}

/** A sale may be decided otherwise, or its date sealed, before its reversal comes. */
function mayBeRefused(response: ApiResponse): boolean {
  return response.status === 409 && ['already-decided', 'day-closed'].includes(problemTypeOf(response) ?? '');
}
