import type { BusinessDate } from '../domain/business-date.ts';
import { isReview } from '../domain/decision.ts';
import { decisionIdOf } from '../domain/identifiers.ts';
import type { StagedFact } from '../domain/settlement.ts';
import type { LedgerTable, WrittenEntry } from '../store/ledger.ts';
import type { StagedTable } from '../store/staged-transactions.ts';

export interface HeldServices {
  readonly ledger: Pick<LedgerTable, 'heldOf'>;
  readonly staged: Pick<StagedTable, 'getMany'>;
}

export interface Undecided {
  readonly fact: StagedFact;
  readonly entry: WrittenEntry;
}

/** Each entry needs its fact and its decision: a hundred reads at once. */
const CHUNK_SIZE = 50;
/** A page may be short if most are decided, or belong to other clients. */
const EXAMINED_LIMIT = 2000;

/** Lists held transactions without a decision. @returns `last` if others may follow that entry */
export async function listHeld(
  {
    businessDate,
    after,
    limit,
  }: { readonly businessDate: BusinessDate; readonly after: string | undefined; readonly limit: number },
  mayBeSeen: (fact: StagedFact) => boolean,
  services: HeldServices,
): Promise<{ readonly items: readonly Undecided[]; readonly last?: WrittenEntry }> {
  const waiting: Undecided[] = [];
  let last: WrittenEntry | undefined;
  let examined = 0;
  for await (const chunk of inChunks(services.ledger.heldOf(businessDate, after), CHUNK_SIZE)) {
    waiting.push(...(await undecided(chunk, services)).filter(({ fact }) => mayBeSeen(fact)));
    examined += chunk.length;
    last = chunk.at(-1);
    if (waiting.length > limit || examined >= EXAMINED_LIMIT) break;
  }
  const items = waiting.slice(0, limit);
  const end = waiting.length > limit ? items.at(-1)?.entry : examined >= EXAMINED_LIMIT ? last : undefined;
  return { items, ...(end === undefined ? {} : { last: end }) };
}

async function undecided(entries: readonly WrittenEntry[], services: HeldServices): Promise<Undecided[]> {
  const ids = entries.map(({ factId }) => factId);
  const facts = await services.staged.getMany([...ids, ...ids.map(decisionIdOf)]);
  return entries.flatMap((entry) => {
    const fact = facts.get(entry.factId);
    const isDecided = facts.has(decisionIdOf(entry.factId));
    return fact === undefined || isReview(fact) || isDecided ? [] : [{ fact, entry }];
  });
}

async function* inChunks<T>(items: AsyncIterable<T>, size: number): AsyncGenerator<T[], void, undefined> {
  let chunk: T[] = [];
  for await (const item of items) {
    chunk.push(item);
    if (chunk.length < size) continue;
    yield chunk;
    chunk = [];
  }
  if (chunk.length > 0) yield chunk;
}
