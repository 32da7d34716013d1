import { daytime, isWithin, localHour, night, startWithin, type Window } from './clock.ts';
import { minute, terminalsOf, type DemoEvent, type NewCard } from './event.ts';
import type { Chance } from './random.ts';
import { cities, shopNamed, shops, type City, type Shop } from './shops.ts';

/**
 * Honest people stay below every rule but that on risky categories: at most four uses of a card a day, 40 minutes
 * apart, in one city, nothing large at night, and nothing as small as a card tester's sales.
 */

const MOST_USES = 4;
const APART_MINUTES = 40;
const ONLINE_PERCENT = 15;
const AWAKE_PERCENT = 12;

export function sale(
  chance: Chance,
  at: number,
  card: string,
  shop: Shop,
  amount = chance.amount(...shop.amounts),
): DemoEvent {
  return { at, card, shop, terminal: chance.whole(1, terminalsOf(shop)), amount, type: 'sale' };
}

export function honestSales(chance: Chance, window: Window, newCard: NewCard, count: number): DemoEvent[] {
  const events: DemoEvent[] = [];
  const homes = Object.values(cities);
  while (events.length < count) {
    const home = chance.pick(homes);
    const card = newCard();
    const uses = Math.min(chance.pick([1, 1, 2, 2, 3, MOST_USES]), count - events.length);
    for (const at of instants(chance, window, home, uses)) events.push(honestSale(chance, at, card, home));
  }
  return events;
}

function honestSale(chance: Chance, at: number, card: string, home: City): DemoEvent {
  const isOnline = chance.percent(ONLINE_PERCENT);
  const shop = chance.pick(
    shops.filter((each) => (isOnline ? each.online : !each.online && each.city === home)),
  );
  const [from, to] = shop.amounts;
  const isNight = isWithin(localHour(at, shop.city.timeZone), night);
  return sale(chance, at, card, shop, chance.amount(from, isNight ? Math.min(to, 2 * from) : to));
}

function instants(chance: Chance, { from, to }: Window, home: City, count: number): number[] {
  const found: number[] = [];
  while (found.length < count) {
    const at = from + 1000 * chance.whole(0, Math.floor((to - from) / 1000) - 1);
    const isAwake = isWithin(localHour(at, home.timeZone), [6, 23]) || chance.percent(AWAKE_PERCENT);
    if (isAwake && found.every((other) => Math.abs(other - at) >= APART_MINUTES * minute)) found.push(at);
  }
  return found;
}

export function equalGifts(chance: Chance, window: Window, newCard: NewCard): DemoEvent[] {
  const shop = shopNamed(chance.pick(['soho_books', 'akiba_games', 'spree_bikes']));
  const card = newCard();
  const amount = chance.amount(...shop.amounts);
  let at = startWithin(chance, window, shop.city.timeZone, daytime, 4 * 70);
  return Array.from({ length: 5 }, (): DemoEvent => {
    const gift = { ...sale(chance, at, card, shop, amount), gift: true as const };
    at += chance.whole(61, 69) * minute;
    return gift;
  });
}

/** By plane: two cities in one day, at least nine hours apart. */
export function traveller(chance: Chance, { from, to }: Window, newCard: NewCard): DemoEvent[] {
  const card = newCard();
  const latest = to - 10 * 60 * minute;
  const leaves = from + 1000 * chance.whole(0, Math.floor((latest - from) / 1000));
  const arrives = leaves + chance.whole(9 * 60, 10 * 60 - 1) * minute;
  const coffee = shopNamed('brooklyn_coffee');
  const books = shopNamed('soho_books');
  return [
    sale(chance, leaves, card, coffee),
    sale(chance, arrives, card, books, chance.amount(books.amounts[0], 2 * books.amounts[0])),
  ];
}

/** A later sale leaves no time for a refund or a reversal on the same day. */
const LEFT_MINUTES = 120;

/** Partial or whole, at least half an hour later; one in three names no sale. */
export function refunds(chance: Chance, { to }: Window, sales: readonly DemoEvent[]): DemoEvent[] {
  return sales.map((original): DemoEvent => {
    const { kind: _kind, gift: _gift, ...rest } = original;
    const latest = Math.floor((to - original.at) / minute) - 1;
    return {
      ...rest,
      at: original.at + chance.whole(30, Math.min(latest, 8 * 60)) * minute,
      amount: chance.percent(50) ? original.amount : Math.ceil(original.amount / chance.whole(2, 5)),
      type: 'refund',
      ...(chance.percent(67) ? { original } : {}),
    };
  });
}

export function reversals(chance: Chance, sales: readonly DemoEvent[]): DemoEvent[] {
  return sales.map((original): DemoEvent => {
    const { kind: _kind, gift: _gift, ...rest } = original;
    return { ...rest, at: original.at + chance.whole(20, 240) * 1000, type: 'reversal', original };
  });
}

export function someOf(
  chance: Chance,
  { to }: Window,
  sales: readonly DemoEvent[],
  count: number,
): DemoEvent[] {
  const pool = sales.filter(({ at }) => at < to - LEFT_MINUTES * minute);
  const chosen: DemoEvent[] = [];
  while (chosen.length < count && pool.length > 0)
    chosen.push(...pool.splice(chance.whole(0, pool.length - 1), 1));
  return chosen;
}
