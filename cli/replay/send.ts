import * as v from 'valibot';
import {
  ApiUnreachableError,
  describeRefusal,
  problemTypeOf,
  type ApiResponse,
  type CallApi,
} from '../shared/api.ts';
import { CommandError } from '../shared/command-error.ts';
import { noteAccepted, nothingAccepted, type Accepted } from './accepted.ts';
import { forEachConcurrently } from '../shared/concurrency.ts';
import type { CsvRow } from './csv.ts';
import { parseMerchantRow, parseTransactionRow, shiftInstant, type TransactionRow } from './rows.ts';
import { idempotencyKey } from './shift.ts';

/** A row that did not arrive, and why. */
export interface Failure {
  readonly line: number;
  readonly reason: string;
}

/** What has become of the rows so far. */
export interface ReplayTally {
  /** Accepted now. */
  staged: number;
  /** Accepted by an earlier replay. */
  replayed: number;
  failed: number;
  /** Of the failed ones, those that the API found too old. */
  tooOld: number;
  /** The first failures, for the screen, without those that are too old. */
  readonly failures: Failure[];
  readonly accepted: Accepted;
}

/** More failures than this are counted, but not shown. */
const shownFailures = 20;

export function emptyTally(): ReplayTally {
  return { staged: 0, replayed: 0, failed: 0, tooOld: 0, failures: [], accepted: nothingAccepted() };
}

const acceptedSchema = v.object({ transactionId: v.string(), businessDate: v.string() });

/**
 * Sends every row as the gateway would. Rows that name an original go after it, because they need the identifier that
 * the API gave it; so a sale that the file reverses is accepted before its reversal is sent.
 *
 * @param options.originals the `transaction_id`s that other rows name
 * @param options.tally is updated as answers arrive
 * @param options.onAccepted hears of each row that the API has taken, and how it calls it
 */
export async function sendTransactions(options: {
  readonly rows: AsyncIterable<CsvRow>;
  readonly originals: ReadonlySet<string>;
  readonly days: number;
  readonly call: CallApi;
  readonly concurrency: number;
  readonly tally: ReplayTally;
  readonly onAccepted?: (row: TransactionRow, transactionId: string) => void;
}): Promise<void> {
  const { rows, originals, days, call, concurrency, tally, onAccepted } = options;
  /** The API's identifiers of the originals, by the file's. */
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
    const answer = v.safeParse(acceptedSchema, response.body);
    if (response.status > 201 || !answer.success) {
      if (problemTypeOf(response) === 'occurred-at-too-old') {
        tally.tooOld += 1;
        tally.failed += 1;
        return;
      }
      fail(tally, { line: row.line, reason: describeRefusal(response) });
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
    if (typeof row === 'string') fail(tally, { line: csvRow.line, reason: row });
    else if (row.originalTransactionId === undefined) await send(row);
    else waiting.push(row);
  });
  // A refund may name a refund, so this goes in rounds.
  for (let round = waiting; round.length > 0; round = waiting) {
    const ready = round.filter(({ originalTransactionId = '' }) => identifiers.has(originalTransactionId));
    waiting = round.filter((row) => !ready.includes(row));
    if (ready.length === 0) break;
    await forEachConcurrently(ready, concurrency, send);
  }
  for (const { line, originalTransactionId } of waiting) {
    const reason = `its original ${originalTransactionId} is not in the file, or was not accepted`;
    fail(tally, { line, reason });
  }
}

/** What `sendMerchants` counts. */
export interface MerchantTally {
  sent: number;
  failed: number;
  readonly failures: Failure[];
}

/** Puts every merchant's profile. */
export async function sendMerchants(options: {
  readonly rows: AsyncIterable<CsvRow>;
  readonly call: CallApi;
  readonly concurrency: number;
  readonly tally: MerchantTally;
}): Promise<void> {
  const { rows, call, concurrency, tally } = options;
  await forEachConcurrently(rows, concurrency, async (csvRow) => {
    const row = 'fault' in csvRow ? csvRow.fault : parseMerchantRow(csvRow.line, csvRow.values);
    if (typeof row === 'string') {
      fail(tally, { line: csvRow.line, reason: row });
      return;
    }
    const response = await calling(call, {
      method: 'PUT',
      path: `/merchants/${encodeURIComponent(row.merchantId)}`,
      body: row.profile,
    });
    if (response.status < 300) tally.sent += 1;
    else fail(tally, { line: row.line, reason: describeRefusal(response) });
  });
}

function fail(tally: { failed: number; readonly failures: Failure[] }, failure: Failure): void {
  tally.failed += 1;
  if (tally.failures.length < shownFailures) tally.failures.push(failure);
}

/** Calls the API; where it cannot be reached or lets nobody in, no further row would fare better. */
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
  throw new CommandError(`The API lets the command in no more: ${describeRefusal(response)}.`, {
    hint: 'Are the outputs those of the deployment that runs now?',
  });
}
