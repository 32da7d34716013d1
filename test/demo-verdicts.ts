import * as v from 'valibot';
import type { DemoDay } from '../cli/demo/day.ts';
import { parseTransactionRow } from '../cli/replay/rows.ts';
import { type BusinessCalendar, businessDateOf } from '../lambda/card-settlement/domain/business-date.ts';
import { assess } from '../lambda/card-settlement/domain/fraud/assessment.ts';
import { isBefore, type Subject, subjectOf } from '../lambda/card-settlement/domain/fraud/history.ts';
import { isSmallSale } from '../lambda/card-settlement/domain/fraud/small-amount.ts';
import type { FxRates } from '../lambda/card-settlement/domain/fx.ts';
import { factOf } from '../lambda/card-settlement/domain/settlement.ts';
import { Transaction } from '../lambda/card-settlement/domain/transaction.ts';
import { stageConfig } from '../lib/config.ts';

/** A row of a demo day, and what the rules say of it. */
export interface DemoVerdict {
  readonly row: DemoDay['transactions'][number];
  readonly held: boolean;
  readonly rules: readonly string[];
}

/**
 * Assesses every sale and refund of a demo day by the pure rules, each in sight of all before it. Rows that the API
 * would refuse throw.
 */
export function verdictsOf(day: DemoDay, rates: FxRates, calendar: BusinessCalendar): DemoVerdict[] {
  const { fraud } = stageConfig('sandbox');
  const rows = day.transactions.map((row) => ({ row, subject: subjectFrom(row, calendar) }));
  const newestFirst = rows.map(({ subject }) => subject).toReversed();
  const trades = newestFirst.filter(({ kind }) => kind !== 'reversal');
  const allSmallSales = newestFirst.filter(isSmallSale);
  return rows
    .filter(({ subject }) => subject.kind !== 'reversal')
    .map(({ row, subject }) => {
      const uses = trades.filter((each) => each.cardToken === subject.cardToken && isBefore(each, subject));
      const smallSales = allSmallSales.filter(
        (each) => each.terminalId === subject.terminalId && isBefore(each, subject),
      );
      const { score, rules } = assess(subject, { uses, smallSales }, rates, fraud);
      return { row, held: score >= fraud.holdScore, rules: rules.map(({ rule }) => rule) };
    });
}

function subjectFrom(row: DemoDay['transactions'][number], calendar: BusinessCalendar): Subject {
  const parsed = parseTransactionRow(1, row);
  if (typeof parsed === 'string') throw new Error(parsed);
  const { body, occurredAtText, occurredAt, originalTransactionId } = parsed;
  const transaction = v.parse(Transaction, {
    ...body,
    occurredAt: occurredAtText,
    ...(originalTransactionId === undefined ? {} : { originalTransactionId }),
  });
  return subjectOf(
    factOf(transaction, {
      factId: parsed.transactionId,
      clientId: 'gateway',
      businessDate: businessDateOf(occurredAt, calendar),
      stagedAt: '2026-11-21T00:00:00.000Z',
      bodyDigest: '',
    }),
  );
}

export function heldOf(
  verdicts: readonly DemoVerdict[],
  wanted: (row: DemoVerdict['row']) => boolean,
): DemoVerdict[] {
  return verdicts.filter(({ row, held }) => held && wanted(row));
}
