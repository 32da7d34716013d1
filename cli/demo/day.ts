import { createHash } from 'node:crypto';
import type { BusinessCalendar, BusinessDate } from '../../lambda/card-settlement/domain/business-date.ts';
import { burst, cardTesting, duplicates, impossibleTravel, nightLarge, spike } from './attacks.ts';
import { localText, windowOf, type Window } from './clock.ts';
import { terminalsOf, type DemoEvent, type NewCard } from './event.ts';
import { equalGifts, honestSales, refunds, reversals, someOf, traveller } from './honest.ts';
import { seededChance, type Chance } from './random.ts';
import { shops } from './shops.ts';

type Row = Readonly<Record<string, string>>;

export interface DemoDay {
  readonly businessDate: BusinessDate;
  readonly transactions: readonly Row[];
  readonly merchants: readonly Row[];
  readonly gifts: readonly string[];
  readonly miscounts: string;
}

/** Fewer leave no room for all kinds. */
export const fewestTransactions = 200;

const TRANSACTIONS_PER_ATTACK = 1000;
const REFUND_PERCENT = 2;
const REVERSAL_PERCENT = 1;

/** The same arguments give the same day. Different days share merchants, but no cards, terminals or transactions. */
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

/** Its first letter keeps digits beside it from looking like a card number. */
function nameOf(seed: number, count: number, date: BusinessDate): string {
  const digest = createHash('sha256')
    .update(JSON.stringify([seed, count, date]))
    .digest('hex');
  return `r${digest.slice(0, 8)}`;
}

function eventsOf(chance: Chance, window: Window, newCard: NewCard, count: number): DemoEvent[] {
  const times = Math.max(1, Math.floor(count / TRANSACTIONS_PER_ATTACK));
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
  const refundCount = Math.ceil((count * REFUND_PERCENT) / 100);
  const reversalCount = Math.ceil((count * REVERSAL_PERCENT) / 100);
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
