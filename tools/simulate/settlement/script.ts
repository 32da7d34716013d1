import { calendar, tableNames } from './environment.ts';
import * as fc from 'fast-check';
import {
  addDays,
  cutOffOf,
  type BusinessDate,
} from '../../../lambda/card-settlement/domain/business-date.ts';
import type { FxRates } from '../../../lambda/card-settlement/domain/fx.ts';
import type { MerchantProfile } from '../../../lambda/card-settlement/domain/merchant.ts';
import type { TerminalLine } from '../../../lambda/card-settlement/domain/terminal-totals.ts';
import type { Transaction } from '../../../lambda/card-settlement/domain/transaction.ts';
import { merchantsTable } from '../../../lambda/card-settlement/store/merchants.ts';
import { terminalTotalsTable } from '../../../lambda/card-settlement/store/terminal-totals.ts';
import { fxRates, profile, sale } from './facts.ts';
import type { Answer, World } from './world.ts';

/*
 * What clients and operators do on a few business dates, at instants that the script alone decides: two worlds that play
 * one script differ in what happens to messages, functions and calls, and in nothing else.
 */

/** The clocks of New York change on the second. */
export const DATES = ['2026-03-07', '2026-03-08', '2026-03-09'] as const;

const profiles: Readonly<Record<string, MerchantProfile>> = {
  mer_dollar: profile({ settlementCurrency: 'USD', feeBasisPoints: 290, feeFixedMinor: 30 }),
  mer_euro: profile({ settlementCurrency: 'EUR', feeBasisPoints: 175, feeFixedMinor: 0 }),
  mer_yen: profile({ settlementCurrency: 'JPY', feeBasisPoints: 333, feeFixedMinor: 5 }),
};

const merchantIds = [...Object.keys(profiles), 'mer_without_profile'];
const terminalIds = ['till-1', 'till-2'] as const;

/** A client's or operator's act. `of` picks among what was posted before, by remainder. */
export type Step =
  | {
      readonly kind: 'sale' | 'refund';
      readonly merchant: number;
      readonly card: number;
      readonly terminal: number;
      readonly amount: number;
      readonly currency: string;
      /** The same again, under other keys, within minutes. */
      readonly copies: number;
    }
  | { readonly kind: 'reversal'; readonly of: number }
  /** A sale of the date before, reported when that date is over. */
  | { readonly kind: 'late-sale'; readonly merchant: number; readonly amount: number }
  | { readonly kind: 'reconcile' }
  /** The same; hours later, when all is settled, held transactions are decided on. */
  | {
      readonly kind: 'review';
      readonly reviews: readonly { readonly type: 'release' | 'reject'; readonly of: number }[];
    };

export interface Script {
  readonly dates: readonly (readonly Step[])[];
  /** The first date's rates come an hour after its cut-off. */
  readonly ratesComeLate: boolean;
  /** The second terminal counts one sale too many. */
  readonly terminalMiscounts: boolean;
  /** So many sales come while the run that an operator asks for seals the day: they may go to it or to the next. */
  readonly lastMinuteSales?: number;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** By then an open day is settled, whatever happened to its messages: a resend comes every 16 minutes. */
const REVIEW_AFTER = 4 * HOUR;
const REVIEWS_PER_DATE = 2;
/**
 * By then the date before is sealed, and what needs no rate is settled, whatever happened to runs and messages: what
 * comes late goes to the next date, and late rates change no verdict.
 */
const QUIET_AFTER = 2 * HOUR;
/** Where rates come late, a day waits for them so long after its cut-off. */
const RATES_LATE_BY = HOUR;

const trade = fc.record({
  kind: fc.constantFrom('sale' as const, 'sale' as const, 'refund' as const),
  merchant: fc.nat({ max: merchantIds.length - 1 }),
  card: fc.nat({ max: 3 }),
  terminal: fc.nat({ max: terminalIds.length - 1 }),
  amount: fc.integer({ min: 1, max: 200_000 }),
  currency: fc.constantFrom('USD', 'EUR', 'JPY', 'KWD'),
  copies: fc.constantFrom(0, 0, 1, 2),
});

const step: fc.Arbitrary<Step> = fc.oneof(
  { arbitrary: trade, weight: 6 },
  { arbitrary: fc.record({ kind: fc.constant('reversal' as const), of: fc.nat({ max: 99 }) }), weight: 3 },
  {
    arbitrary: fc.record({
      kind: fc.constant('late-sale' as const),
      merchant: fc.nat({ max: merchantIds.length - 1 }),
      amount: fc.integer({ min: 1, max: 20_000 }),
    }),
    weight: 1,
  },
  { arbitrary: fc.constant<Step>({ kind: 'reconcile' }), weight: 1 },
  {
    arbitrary: fc.record({
      kind: fc.constant('review' as const),
      reviews: fc.array(
        fc.record({ type: fc.constantFrom('release' as const, 'reject' as const), of: fc.nat({ max: 99 }) }),
        { minLength: 1, maxLength: 4 },
      ),
    }),
    weight: 2,
  },
);

function scriptsWith(least: { readonly dates: number; readonly steps: number }): fc.Arbitrary<Script> {
  const steps = fc.array(step, { minLength: least.steps, maxLength: 10 });
  return fc.record({
    dates: fc.array(steps, { minLength: least.dates, maxLength: DATES.length }),
    // A day without rates is looked at for hours: one script of its own is enough.
    ratesComeLate: fc.constant(false),
    terminalMiscounts: fc.boolean(),
  });
}

export const scripts = scriptsWith({ dates: 2, steps: 3 });
/** Their counterexamples shrink to a step. */
export const anyScripts = scriptsWith({ dates: 1, steps: 0 });

export interface Posted {
  readonly transaction: Transaction;
  readonly transactionId: string;
  readonly businessDate: BusinessDate;
}

export interface Played {
  readonly posted: readonly Posted[];
  readonly answers: readonly string[];
}

export const scriptStartsAt = new Date(startOf(DATES[0]));

export async function play(script: Script, world: World): Promise<Played> {
  const posted: Posted[] = [];
  const copies: Posted[] = [];
  const answers: string[] = [];
  const trades = (): Posted[] => posted.filter(({ transaction: { type } }) => type !== 'reversal');
  let keyCount = 0;

  /** Same key, same body: whatever a world does to the request, it comes to one transaction or to none. */
  async function post(label: string, transaction: Transaction): Promise<void> {
    const key = `key-${(keyCount += 1)}`;
    const answer = await world.meanwhile(() => world.post(transaction, key));
    answers.push(`${label} ${key}: ${wordsOf(answer)}`);
    // Whoever reverses a reversed sale is told that it is.
    const isNew = !posted.some(
      (each) => transaction.type === 'reversal' && sameReversal(each.transaction, transaction),
    );
    if (answer.slug !== undefined || !isNew) return;
    const { transactionId, businessDate } = answer.body;
    posted.push({ transaction, transactionId: String(transactionId), businessDate: String(businessDate) });
  }

  async function act(one: Step, at: number): Promise<void> {
    const occurredAt = localTime(at - 10_000);
    if (one.kind === 'sale' || one.kind === 'refund') {
      const transaction = sale({
        type: one.kind,
        merchantId: merchantIds[one.merchant] ?? '',
        cardToken: `tok_${one.card}`,
        terminalId: terminalIds[one.terminal] ?? '',
        amount: one.amount,
        currency: one.currency,
        occurredAt,
      });
      for (let copy = 0; copy <= one.copies; copy++) {
        const again = at + copy * MINUTE;
        await world.advance(again);
        await post(one.kind, { ...transaction, occurredAt: localTime(again - 10_000) });
        const [last] = posted.slice(-1);
        if (copy > 0 && last !== undefined) copies.push(last);
      }
    } else if (one.kind === 'late-sale' && at > startOf(DATES[1])) {
      // A card of its own: that it comes late must change no other's history.
      const merchantId = merchantIds[one.merchant] ?? '';
      const cardToken = `tok_late_${keyCount}`;
      const yesterday = localTime(at - 24 * HOUR);
      await post('late sale', sale({ merchantId, cardToken, amount: one.amount, occurredAt: yesterday }));
    } else if (one.kind === 'reversal') {
      const original = picked(trades(), one.of);
      if (original === undefined) return;
      await post('reversal', {
        ...original.transaction,
        type: 'reversal',
        occurredAt,
        originalTransactionId: original.transactionId,
      });
    }
  }

  async function reviewAll(
    one: Step & { readonly kind: 'review' },
    date: BusinessDate,
    at: number,
  ): Promise<void> {
    for (const half of [1, 2]) {
      world.requestReconcile(date);
      await world.advance(at + (half * REVIEW_AFTER) / 2);
    }
    for (const [index, { type, of }] of one.reviews.entries()) {
      // Copies are held, and so mostly what there is to decide on.
      const chosen = picked(of % 4 === 0 ? trades() : copies, of);
      if (chosen === undefined) continue;
      const reason = `review ${index}`;
      const answer = await world.meanwhile(() => world.review(chosen.transactionId, type, reason));
      answers.push(`${type} ${chosen.transactionId}: ${wordsOf(answer)}`);
    }
  }

  async function rush(date: BusinessDate, cutOff: number, sales: number): Promise<void> {
    world.requestReconcile(date);
    world.skip(MINUTE / 60);
    const occurredAt = localTime(cutOff - 10_000);
    const merchantId = merchantIds[0] ?? '';
    await world.meanwhile(() =>
      Promise.all(
        Array.from({ length: sales }, (_, number) =>
          world.post(
            sale({ merchantId, cardToken: `tok_rush_${date}_${number}`, occurredAt }),
            `rush-${date}-${number}`,
          ),
        ),
      ),
    );
  }

  for (const [merchantId, each] of Object.entries(profiles)) {
    await merchantsTable(world.aws.client, tableNames.merchants).record(
      merchantId,
      each,
      addDays(DATES[0], 1),
    );
  }
  for (const [index, steps] of script.dates.entries()) {
    const date = DATES[index] ?? '';
    let at = startOf(date);
    const putRates = async (of: BusinessDate): Promise<void> => {
      const answer = await world.putRates(of, ratesOf(of));
      // A repetition may find them frozen already.
      if (answer.slug !== undefined && answer.slug !== 'rates-frozen') throw new Error(answer.slug);
    };
    await world.advance(at);
    if (!(index === 0 && script.ratesComeLate)) await putRates(date);
    let reviewsLeft = REVIEWS_PER_DATE;
    if (index === 1 && script.ratesComeLate) {
      await world.advance(at + RATES_LATE_BY);
      await putRates(DATES[0]);
    }
    if (index > 0) at += QUIET_AFTER;
    for (const one of steps) {
      at += 10 * MINUTE;
      await world.advance(at);
      if (one.kind === 'reconcile') world.requestReconcile(date);
      else if (one.kind !== 'review') await act(one, at);
      else if (reviewsLeft > 0) {
        reviewsLeft -= 1;
        await reviewAll(one, date, at);
        at += REVIEW_AFTER;
      }
    }
    at = Math.max(at, startOf(date) + 20 * HOUR);
    await world.advance(at);
    for (const [terminal, terminalId] of terminalIds.entries()) {
      const totals = terminalTotals(
        posted.filter((each) => each.businessDate === date && each.transaction.terminalId === terminalId),
        terminal === 1 && script.terminalMiscounts,
      );
      const report = { clientId: 'gateway-client', terminalId, totals };
      await terminalTotalsTable(world.aws.client, tableNames.businessDays).record(date, report, world.now());
    }
    const cutOff = cutOffOf(date, calendar).getTime();
    await world.advance(cutOff);
    if (script.lastMinuteSales === undefined) continue;
    await rush(date, cutOff, script.lastMinuteSales);
    // Some may belong to the next date, and that has to end.
    if (index === script.dates.length - 1)
      await world.advance(cutOffOf(addDays(date, 1), calendar).getTime());
  }
  await world.settleDown();
  return { posted, answers };
}

function sameReversal(one: Transaction, other: Transaction): boolean {
  return one.type === 'reversal' && one.originalTransactionId === other.originalTransactionId;
}

function startOf(date: BusinessDate): number {
  return cutOffOf(addDays(date, -1), calendar).getTime() + MINUTE;
}

function picked<T>(all: readonly T[], of: number): T | undefined {
  return all[of % Math.max(1, all.length)];
}

/** New York's winter time throughout: the offset is the point of sale's own business. */
function localTime(at: number): string {
  return `${new Date(at - 5 * HOUR).toISOString().slice(0, -1)}-05:00`;
}

/** A repetition answers 200 where the first answered 201. */
function wordsOf({ status, slug, body }: Answer): string {
  return slug ?? `${status === 200 || status === 201 ? 'accepted' : status} ${String(body['businessDate'])}`;
}

function ratesOf(date: BusinessDate): FxRates {
  const cents = 90 + Number(date.slice(-1));
  return fxRates({ rateDate: date, rates: { EUR: `0.${cents}13`, JPY: `1${cents}.25`, KWD: '0.30815' } });
}

function terminalTotals(posted: readonly Posted[], miscounts: boolean): TerminalLine[] {
  const lines = new Map<string, TerminalLine>();
  for (const { transaction } of posted) {
    const { type, currency } = transaction;
    const line = lines.get(`${type}#${currency}`) ?? { type, currency, count: 0, amount: 0n };
    lines.set(`${type}#${currency}`, {
      ...line,
      count: line.count + 1,
      amount: line.amount + BigInt(transaction.amount),
    });
  }
  const all = [...lines.values()];
  return miscounts
    ? all.map((line, index) => (index === 0 ? { ...line, count: line.count + 1 } : line))
    : all;
}
