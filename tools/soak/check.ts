import * as v from 'valibot';
import type { CallApi } from '../../cli/shared/api.ts';
import { errorMessage } from '../../cli/shared/command-error.ts';
import type { BusinessDay } from '../../cli/shared/business-day.ts';
import { checkChat, type RecipientRow } from './check-chat.ts';
import { checkSettlement, type SettlementResult } from './check-settlement.ts';
import type { ConservationRow } from './conservation.ts';
import type { Findings } from './findings.ts';
import type { MemoryThirds } from './measure.ts';
import type { Random } from './random.ts';
import type { SoakRecord } from './record.ts';
import type { Tables } from './tables.ts';

/** Transactions whose status is asked of the API, too. */
const ASKED_STATUSES = 100;
/** A shorter run is still loading code when its middle third begins. */
const MEMORY_CHECK_SECONDS = 120;
/** The last third's memory to the middle third's. */
export const memoryGrowthLimit = 1.15;

export interface CheckOptions {
  readonly record: SoakRecord;
  readonly tables: Tables;
  readonly operator: CallApi;
  readonly random: Random;
  readonly days: ReadonlyMap<string, BusinessDay>;
  /** What a new device of each user was pushed when all was still. */
  readonly lastHello: ReadonlyMap<string, readonly string[]>;
  /** How long the load lasted. */
  readonly seconds: number;
}

/** Holds all that was written down against the app's tables and answers. */
export async function check(options: CheckOptions): Promise<{
  readonly settlement: readonly ConservationRow[];
  readonly recipients: readonly RecipientRow[];
}> {
  const { record, tables, operator, random, days, lastHello, seconds } = options;
  const { transactions, chat, findings, meter } = record;
  // What was never tried shows nothing.
  if (transactions.facts.size === 0) findings.add('nothing was accepted', 'intake');
  if (chat.accepted.size === 0) findings.add('nothing was accepted', 'chat');
  const { rows, statuses } = await checkSettlement(
    { accepted: transactions.facts, staged: tables.staged(), ledger: tables.ledger(), days },
    findings,
  );
  await checkStatuses(operator, statuses, random, findings);
  const recipients = await checkChat(
    {
      accepted: chat.accepted,
      sightings: chat.sightings,
      messages: tables.messages(),
      notifications: tables.notifications(),
      lastHello,
    },
    findings,
  );
  if (seconds >= MEMORY_CHECK_SECONDS) checkMemory(meter.thirds(), findings);
  return { settlement: rows, recipients };
}

/** Some transactions, as the API shows them: each has the one status that the ledger gives it. */
async function checkStatuses(
  operator: CallApi,
  statuses: SettlementResult['statuses'],
  random: Random,
  findings: Findings,
): Promise<void> {
  const ids = [...statuses.keys()];
  for (let asked = 0; asked < Math.min(ASKED_STATUSES, ids.length); asked += 1) {
    const id = random.pick(ids);
    try {
      const response = await operator({ method: 'GET', path: `/transactions/${id}` });
      const { status } = v.parse(v.object({ status: v.string() }), response.body);
      if (status !== statuses.get(id))
        findings.add(`${statuses.get(id)} in the ledger, but ${status} says the API`, 'the API', id);
    } catch (error) {
      findings.add(`its status cannot be read: ${errorMessage(error)}`, 'the API', id);
    }
  }
}

export function checkMemory([, middle, last]: MemoryThirds, findings: Findings): void {
  if (last <= memoryGrowthLimit * middle) return;
  const [from, to] = [Math.round(middle), Math.round(last)];
  findings.add(`memory grew from ${from} MB in the middle third to ${to} MB in the last`, 'this process');
}
