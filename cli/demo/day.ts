import { createHash } from 'node:crypto';
import type { BusinessCalendar, BusinessDate } from '../../lambda/card-settlement/domain/business-date.ts';
import { burst, cardTesting, duplicates, impossibleTravel, nightLarge, spike } from './attacks.ts';
import { localText, windowOf, type Window } from './clock.ts';
import { terminalsOf, type DemoEvent, type NewCard } from './event.ts';
import { equalGifts, honestSales, refunds, reversals, someOf, traveller } from './honest.ts';
import { seededChance, type Chance } from './random.ts';
import { shops } from './shops.ts';

/** A row of a CSV file, by column. */
type Row = Readonly<Record<string, string>>;

/** A day of card transactions, as the files of `replay` have it. */
export interface DemoDay {
  readonly businessDate: BusinessDate;
  readonly transactions: readonly Row[];
  readonly merchants: readonly Row[];
  /** `transaction_id`s of five equal sales an hour apart, which are honest. */
  readonly gifts: readonly string[];
  /** A terminal of the day: the one that is to report wrong totals. */
  readonly miscounts: string;
}

/** Fewest transactions that a day has room for all kinds with. */
export const fewestTransactions = 200;

/** So many of each attack for every so many transactions. */
const transactionsPerAttack = 1000;
const refundPercent = 2;
const reversalPercent = 1;

/**
 * A business day by chance from a seed: the same for the same seed, number and date. Its cards, terminals and
 * transactions have names of their own, so that two days in one system have nothing to do with each other; its merchants
 * are always the same.
 *
 * @param options.count of transactions in all, refunds and reversals included
 */
export function demoDay(options: {
  readonly seed: number;
  readonly count: number;
  readonly date: BusinessDate;
  readonly calendar: BusinessCalendar;
}): DemoDay {
  const { seed, count, date, calendar } = options;
  const run = nameOf(seed, count, date);
  const chance = seededChance(seed);
  let cards = 0;
  const newCard: NewCard = () => {
    cards += 1;
    return `tok_${run}_${cards}`;
  };
  const events = eventsOf(chance, windowOf(date, calendar), newCard, count).toSorted(
    (one, other) => one.at - other.at,
  );
  const ids = new Map(events.map((event, index) => [event, `demo_${run}_${index + 1}`]));
  const busy = chance.pick(events.filter(({ type, shop }) => type === 'sale' && !shop.online));
  return {
    businessDate: date,
    transactions: events.map((event) => rowOf(event, run, ids)),
    merchants: shops.map((shop) => ({
      merchant_id: `mer_${shop.slug}`,
      merchant_name: shop.name,
      country: shop.city.country,
      settlement_currency: shop.settlementCurrency,
      fee_basis_points: String(shop.feeBasisPoints),
      fee_fixed_minor: String(shop.feeFixedMinor),
    })),
    gifts: events.flatMap((event) => (event.gift ? [ids.get(event) ?? ''] : [])),
    miscounts: terminalName(busy, run),
  };
}

/** Begins with a letter, so that its digits and those beside it never look like the number of a card. */
function nameOf(seed: number, count: number, date: BusinessDate): string {
  const digest = createHash('sha256')
    .update(JSON.stringify([seed, count, date]))
    .digest('hex');
  return `r${digest.slice(0, 8)}`;
}

function eventsOf(chance: Chance, window: Window, newCard: NewCard, count: number): DemoEvent[] {
  const times = Math.max(1, Math.floor(count / transactionsPerAttack));
  const special = Array.from({ length: times }, () => [
    ...cardTesting(chance, window, newCard),
    ...burst(chance, window, newCard),
    ...[1, 2, 3].flatMap(() => impossibleTravel(chance, window, newCard)),
    ...[1, 2].flatMap(() => spike(chance, window, newCard)),
    ...[1, 2, 3, 4].flatMap(() => nightLarge(chance, window, newCard)),
    ...duplicates(chance, window, newCard),
    ...equalGifts(chance, window, newCard),
    ...traveller(chance, window, newCard),
  ]).flat();
  const refundCount = Math.ceil((count * refundPercent) / 100);
  const reversalCount = Math.ceil((count * reversalPercent) / 100);
  const honest = honestSales(chance, window, newCard, count - special.length - refundCount - reversalCount);
  const undone = someOf(chance, window, honest, refundCount + reversalCount);
  return [
    ...special,
    ...honest,
    ...refunds(chance, window, undone.slice(0, refundCount)),
    ...reversals(chance, undone.slice(refundCount)),
  ];
}

function rowOf(event: DemoEvent, run: string, ids: ReadonlyMap<DemoEvent, string>): Row {
  const { shop, original } = event;
  const { city } = shop;
  return {
    transaction_id: ids.get(event) ?? '',
    occurred_at: localText(event.at, city.timeZone),
    card_token: event.card,
    merchant_id: `mer_${shop.slug}`,
    merchant_category_code: shop.category,
    amount_minor: String(event.amount),
    currency: shop.currency,
    merchant_country: city.country,
    merchant_latitude: shop.online ? '' : String(city.latitude),
    merchant_longitude: shop.online ? '' : String(city.longitude),
    type: event.type,
    terminal_id: terminalName(event, run),
    original_transaction_id: original === undefined ? '' : (ids.get(original) ?? ''),
    is_fraud: event.kind ?? '',
  };
}

function terminalName({ shop, terminal }: DemoEvent, run: string): string {
  return `till_${run}_${shop.slug}_${Math.min(terminal, terminalsOf(shop))}`;
}
