import type { HostEvent } from '../../local/index.ts';
import { createChatBooks, type ChatBooks } from './chat-books.ts';
import { createFindings, type Findings } from './findings.ts';
import { createMeter, type Meter } from './measure.ts';
import { createSettlementBooks, type SettlementBooks } from './settlement-books.ts';
import { createTally, type Tally } from './tally.ts';

/** All that a soak writes down while it runs. */
export interface SoakRecord {
  readonly transactions: SettlementBooks;
  readonly chat: ChatBooks;
  readonly findings: Findings;
  readonly meter: Meter;
  /** What was done to the app, by kind. */
  readonly faults: Tally;
  /** What that did: requests that were sent again, invocations that failed, messages that came again. */
  readonly consequences: Tally;
  /** Redriven messages, by dead-letter queue. */
  readonly deadLetters: Tally;
}

export function createRecord(): SoakRecord {
  return {
    transactions: createSettlementBooks(),
    chat: createChatBooks(),
    findings: createFindings(),
    meter: createMeter(),
    faults: createTally(),
    consequences: createTally(),
    deadLetters: createTally(),
  };
}

/** Counts what the host tells of. @param isTwice whether the pipe says all twice just now */
export function noteEvent(
  event: HostEvent,
  { faults, consequences }: Pick<SoakRecord, 'faults' | 'consequences'>,
  isTwice: boolean,
): void {
  if (event.type === 'invocation' && event.outcome !== 'success')
    consequences.add(`invocations ended by ${event.errorType ?? event.outcome}`);
  if (event.type === 'batch') consequences.add('messages that came again', event.failed);
  if (event.type !== 'pipe') return;
  if (isTwice) faults.add('stream records doubled', event.size - event.failed);
  if (event.errorMessage !== undefined) consequences.add('pipe batches tried again');
}
