import { describe, expect, it } from '@jest/globals';
import type { BusinessDay } from '../../../cli/shared/business-day.ts';
import { checkSettlement, type SettlementEvidence } from '../../../tools/soak/check-settlement.ts';
import { createFindings, findingText } from '../../../tools/soak/record.ts';
import { createSettlementBooks, type AcceptedFact } from '../../../tools/soak/books.ts';
import type { LedgerItem, StagedItem } from '../../../tools/soak/tables.ts';

/**
 * Goal: the checks of a soak can fail: each loss, each double and each difference is found, and named.
 * Method: books that agree, and one thing changed in them.
 */

const date = '2026-11-20';

const fact = (changes: Partial<AcceptedFact> = {}): AcceptedFact => ({
  businessDate: date,
  currency: 'USD',
  type: 'sale',
  amount: 500,
  terminalId: 'till-1',
  ...changes,
});
const staged = (transactionId: string, changes: Partial<StagedItem> = {}): StagedItem => ({
  transactionId,
  businessDate: date,
  type: 'sale',
  amount: 500n,
  currency: 'USD',
  ...changes,
});
const entry = (transactionId: string, changes: Partial<LedgerItem> = {}): LedgerItem => ({
  transactionId,
  businessDate: date,
  type: 'sale',
  status: 'settled',
  amount: 500n,
  gross: 500n,
  fee: 10n,
  net: 490n,
  currency: 'USD',
  ...changes,
});
const negated = { amount: -500n, gross: -500n, fee: -10n, net: -490n };

/**
 * A day with a sale that is settled, one that is held, one that was held and is rejected, one that is reversed, and a
 * refund.
 */
function books(): { accepted: [string, AcceptedFact][]; staged: StagedItem[]; ledger: LedgerItem[] } {
  return {
    accepted: [
      ['settled', fact()],
      ['held', fact()],
      ['rejected', fact()],
      ['rejected#decision', { ...fact({ type: 'reject', amount: 0 }), terminalId: undefined }],
      ['reversed', fact()],
      ['reversed#decision', fact({ type: 'reversal', amount: -500 })],
      ['refund', fact({ type: 'refund', amount: -200 })],
    ],
    staged: [
      staged('settled'),
      staged('held'),
      staged('rejected'),
      staged('rejected#decision', { type: 'reject' }),
      staged('reversed'),
      staged('reversed#decision', { type: 'reversal' }),
      staged('refund', { type: 'refund', amount: 200n }),
    ],
    ledger: [
      entry('settled'),
      entry('held', { status: 'held' }),
      entry('rejected', { status: 'held' }),
      entry('rejected#decision', { type: 'reject', status: 'rejected', movesFrom: 'held' }),
      entry('reversed'),
      entry('reversed#decision', {
        type: 'reversal',
        status: 'reversed',
        movesFrom: 'settled',
        ...negated,
      }),
      entry('refund', { type: 'refund', amount: -200n, gross: -200n, fee: 0n, net: -200n }),
    ],
  };
}

const day = (changes: Partial<BusinessDay> = {}): BusinessDay => ({
  businessDate: date,
  status: 'balanced',
  revision: 1,
  totals: {
    USD: {
      staged: { count: 6, amount: '1300' },
      settled: { count: 2, amount: '300' },
      held: { count: 1, amount: '500' },
      reversed: { count: 2, amount: '0' },
      rejected: { count: 1, amount: '500' },
    },
  },
  breaks: [],
  ...changes,
});

type Books = ReturnType<typeof books>;

async function found(change: (books: Books) => void = () => undefined, ended = day()): Promise<string[]> {
  const changed = books();
  change(changed);
  const findings = createFindings();
  const evidence: SettlementEvidence = {
    accepted: new Map(changed.accepted),
    staged: changed.staged,
    ledger: changed.ledger,
    days: new Map([[date, ended]]),
  };
  await checkSettlement(evidence, findings);
  return findings.all().map(findingText);
}

const without = <T extends { readonly transactionId: string }>(items: T[], id: string): T[] =>
  items.splice(
    items.findIndex(({ transactionId }) => transactionId === id),
    1,
  );

describe('the books of a date', () => {
  it('are conserved: by the client, by the ledger, and by the API', async () => {
    expect(await found()).toEqual([]);
    const findings = createFindings();
    const { accepted, ...tables } = books();
    const { rows, statuses } = await checkSettlement(
      { accepted: new Map(accepted), ...tables, days: new Map([[date, day()]]) },
      findings,
    );
    expect(rows).toEqual([
      {
        businessDate: date,
        currency: 'USD',
        status: 'balanced',
        accepted: { count: 6, amount: 1300n },
        settled: { count: 2, amount: 300n },
        held: { count: 1, amount: 500n },
        reversed: { count: 2, amount: 0n },
        rejected: { count: 1, amount: 500n },
      },
    ]);
    expect(Object.fromEntries(statuses)).toEqual({
      settled: 'settled',
      held: 'held',
      rejected: 'rejected',
      reversed: 'reversed',
      refund: 'settled',
    });
  });

  it('lose a sale: it was accepted, and is not staged', async () => {
    expect(await found(({ staged: items }) => void without(items, 'settled'))).toEqual([
      '2026-11-20 USD: accepted, but not staged: settled',
    ]);
  });

  it('lose an entry: it was accepted, and is not in the ledger', async () => {
    const texts = await found(({ ledger }) => void without(ledger, 'settled'));
    expect(texts).toContain('2026-11-20 USD: accepted, but not in the ledger: settled');
    expect(texts).toContain('2026-11-20 USD: accepted 6 of 1300, but the ledger comes to 5 of 800');
  });

  it('double an entry', async () => {
    const texts = await found(({ ledger }) => void ledger.push(entry('settled')));
    expect(texts).toContain('2026-11-20 USD: in the ledger more than once: settled');
    expect(texts).toContain('2026-11-20 USD: accepted 6 of 1300, but the ledger comes to 7 of 1800');
  });

  it('settle on another date than was answered', async () => {
    const texts = await found(({ ledger }) => {
      without(ledger, 'settled');
      ledger.push(entry('settled', { businessDate: '2026-11-21' }));
    });
    expect(texts).toContain('2026-11-21 USD: in the ledger, but not as accepted: settled');
  });

  it('stage what was refused', async () => {
    const texts = await found(({ staged: items, ledger }) => {
      items.push(staged('refused'));
      ledger.push(entry('refused'));
    });
    expect(texts).toContain('2026-11-20 USD: staged, but never accepted: refused');
    expect(texts).toContain('2026-11-20 USD: in the ledger, but never accepted: refused');
  });

  it('stage another amount', async () => {
    const texts = await found(({ staged: items }) => {
      without(items, 'refund');
      items.push(staged('refund', { type: 'refund', amount: 201n }));
    });
    expect(texts).toEqual(['2026-11-20 USD: staged, but not as accepted: refund']);
  });

  it('reverse a sale to something else than nothing, though its amount is right', async () => {
    const texts = await found(({ ledger }) => {
      without(ledger, 'reversed#decision');
      ledger.push(
        entry('reversed#decision', {
          ...{ type: 'reversal', status: 'reversed', movesFrom: 'settled' },
          ...{ ...negated, fee: 0n, net: -500n },
        }),
      );
    });
    expect(texts).toEqual(['2026-11-20 USD: reversed, but the sum is not zero: reversed']);
  });

  it('decide from a status that the transaction does not have', async () => {
    const texts = await found(({ ledger }) => {
      without(ledger, 'rejected');
      ledger.push(entry('rejected'));
    });
    expect(texts).toContain('2026-11-20 USD: decided from another status than it had: rejected');
  });

  it('call a sale reversed that nobody reversed', async () => {
    const texts = await found(({ ledger }) => {
      without(ledger, 'held');
      ledger.push(entry('held', { status: 'reversed' }));
    });
    expect(texts).toContain('the ledger: reversed by no decision: held');
  });

  it('differ from what the day says, and have breaks', async () => {
    const { USD } = day().totals;
    if (USD === undefined) throw new Error('the day has totals');
    const other = { ...USD, settled: { count: 2, amount: '301' }, held: { count: 1, amount: '499' } };
    expect(await found(undefined, day({ totals: { USD: other } }))).toEqual([
      '2026-11-20 USD: settled in the ledger 2 of 300, but the day says 2 of 301',
      '2026-11-20 USD: held in the ledger 1 of 500, but the day says 1 of 499',
    ]);
    const texts = await found(undefined, day({ breaks: [{ kind: 'terminal-totals', subject: 'till-1' }] }));
    expect(texts).toEqual(['2026-11-20: a break: {"kind":"terminal-totals","subject":"till-1"}']);
  });

  it('say of a date what nobody reported', async () => {
    const { USD } = day().totals;
    const texts = await found(undefined, day({ totals: { ...day().totals, ...(USD && { EUR: USD }) } }));
    expect(texts).toEqual(['2026-11-20 EUR: totals of what nobody reported']);
  });
});

describe("the client's books", () => {
  it('know a fact that is accepted again, and tell when it is another', () => {
    const { accept, facts } = createSettlementBooks();
    expect(accept('a', fact())).toBe(true);
    expect(accept('a', fact())).toBe(true);
    expect(accept('a', fact({ businessDate: '2026-11-21' }))).toBe(false);
    expect(facts.size).toBe(1);
  });

  it('add up what each terminal has to report of a date, reversals on a line of their own, reviews on none', () => {
    const { accept, terminalTotals } = createSettlementBooks();
    for (const [id, each] of books().accepted) accept(id, each);
    accept('later', fact({ businessDate: '2026-11-21', currency: 'EUR' }));
    const lines = terminalTotals().find(({ businessDate }) => businessDate === date)?.lines;
    expect(lines).toEqual([
      { type: 'sale', currency: 'USD', count: 4, amount: 2000n },
      { type: 'reversal', currency: 'USD', count: 1, amount: 500n },
      { type: 'refund', currency: 'USD', count: 1, amount: 200n },
    ]);
    expect(terminalTotals()).toContainEqual({
      terminalId: 'till-1',
      businessDate: '2026-11-21',
      lines: [{ type: 'sale', currency: 'EUR', count: 1, amount: 500n }],
    });
  });
});
