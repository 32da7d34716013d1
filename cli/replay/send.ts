import * as v from 'valibot';
import { responses } from '../../lambda/card-settlement/api.ts';
import {
  ApiUnreachableError,
  describeRefusal,
  problemTypeOf,
  type ApiResponse,
  type CallApi,
} from '../shared/api.ts';
import { CommandError } from '../shared/command-error.ts';
import { forEachConcurrently } from '../shared/concurrency.ts';
import { noteAccepted, nothingAccepted, type Accepted } from './accepted.ts';
import type { CsvRow } from './csv.ts';
import { parseMerchantRow, parseTransactionRow, shiftInstant, type TransactionRow } from './rows.ts';
import { idempotencyKey } from './shift.ts';

export interface Failure {
  readonly line: number;
  readonly reason: string;
}

interface Failures {
  failed: number;
  readonly failures: Failure[];
}

export interface ReplayTally extends Failures {
  staged: number;
  /** Accepted by an earlier replay. */
  replayed: number;
  /** Failed because of their age; not in `failures`. */
  tooOld: number;
  readonly accepted: Accepted;
}

export interface MerchantTally extends Failures {
  sent: number;
}

const SHOWN_FAILURES = 20;

export function emptyTally(): ReplayTally {
  return { staged: 0, replayed: 0, failed: 0, tooOld: 0, failures: [], accepted: nothingAccepted() };
}

export interface Sending {
  readonly rows: AsyncIterable<CsvRow>;
  readonly days: number;
  readonly tally: ReplayTally;
  readonly onAccepted?: (row: TransactionRow, transactionId: string) => void;
}

/** Rows that name an original follow it, because they need its id at the API. */
export async function sendTransactions(
  options: Sending & {
    readonly originals: ReadonlySet<string>;
    readonly call: CallApi;
    readonly concurrency: number;
  },
): Promise<void> {
  const { rows, originals, days, call, concurrency, tally, onAccepted } = options;
  /** The API's ids of the originals, by the file's. */
  const identifiers = new Map<string, string>();
  let waiting: TransactionRow[] = [];

  async function send(row: TransactionRow): Promise<void> {
    const original = row.originalTransactionId;
    const response = await calling(call, {
      method: 'POST',
      path: '/transactions',
      headers: { 'idempotency-key': idempotencyKey(row.transactionId, days) },
      body: {
        ...row.body,
        occurredAt: shiftInstant(row.occurredAtText, days),
        ...(original === undefined ? {} : { originalTransactionId: identifiers.get(original) }),
      },
    });
    const answer = v.safeParse(responses.StagedTransaction, response.body);
    if (response.status > 201 || !answer.success) {
      if (problemTypeOf(response) === 'occurred-at-too-old') {
        tally.tooOld += 1;
        tally.failed += 1;
      } else fail(tally, row.line, describeRefusal(response));
      return;
    }
    const { transactionId } = answer.output;
    if (response.status === 201) tally.staged += 1;
    else tally.replayed += 1;
    noteAccepted(tally.accepted, row, answer.output);
    onAccepted?.(row, transactionId);
    if (originals.has(row.transactionId)) identifiers.set(row.transactionId, transactionId);
  }

  await forEachConcurrently(rows, concurrency, async (csvRow) => {
    const row = 'fault' in csvRow ? csvRow.fault : parseTransactionRow(csvRow.line, csvRow.values);
    if (typeof row === 'string') fail(tally, csvRow.line, row);
    else if (row.originalTransactionId === undefined) await send(row);
    else waiting.push(row);
  });
  // A refund may name another refund, so this takes rounds.
  for (let round = waiting; round.length > 0; round = waiting) {
    const ready = round.filter(({ originalTransactionId = '' }) => identifiers.has(originalTransactionId));
    waiting = round.filter((row) => !ready.includes(row));
    if (ready.length === 0) break;
    await forEachConcurrently(ready, concurrency, send);
  }
  for (const { line, originalTransactionId } of waiting) {
    fail(tally, line, `its original ${originalTransactionId} is not in the file, or was not accepted`);
  }
}

export async function sendMerchants(
  call: CallApi,
  rows: AsyncIterable<CsvRow>,
  tally: MerchantTally,
  concurrency: number,
): Promise<void> {
  await forEachConcurrently(rows, concurrency, async (csvRow) => {
    const row = 'fault' in csvRow ? csvRow.fault : parseMerchantRow(csvRow.values);
    if (typeof row === 'string') {
      fail(tally, csvRow.line, row);
      return;
    }
    const path = `/merchants/${encodeURIComponent(row.merchantId)}`;
    const response = await calling(call, { method: 'PUT', path, body: row.profile });
    if (response.status < 300) tally.sent += 1;
    else fail(tally, csvRow.line, describeRefusal(response));
  });
}

function fail(tally: Failures, line: number, reason: string): void {
  tally.failed += 1;
  if (tally.failures.length < SHOWN_FAILURES) tally.failures.push({ line, reason });
}

/** @throws CommandError if no further row would fare better */
async function calling(call: CallApi, request: Parameters<CallApi>[0]): Promise<ApiResponse> {
  let response;
  try {
    response = await call(request);
  } catch (error) {
    if (!(error instanceof ApiUnreachableError)) throw error;
    throw new CommandError(error.message, {
      hint: 'The same command finishes the rest when it does: what has been sent is not sent twice.',
      cause: error,
    });
  }
  if (response.status !== 401 && response.status !== 403) return response;
  throw new CommandError(`The API no longer accepts the token: ${describeRefusal(response)}.`, {
    hint: 'Are the outputs those of the deployment that runs now?',
  });
}
