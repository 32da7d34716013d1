import { daytime, night, startWithin, type Window } from './clock.ts';
import { minute, type DemoEvent, type Kind, type NewCard } from './event.ts';
import { sale } from './honest.ts';
import type { Chance } from './random.ts';
import { shopNamed, type Shop } from './shops.ts';

/** Attacks are labelled as a whole, though no rule can recognize their first transactions. */

/** Fifteen stolen cards within nine minutes at one shop, with at most 2.00 each. */
export function cardTesting(chance: Chance, window: Window, newCard: NewCard): DemoEvent[] {
  const shop = shopNamed(chance.pick(['nordic_films', 'pixel_games']));
  const start = startWithin(chance, window, shop.city.timeZone, [0, 24], 10);
  return Array.from({ length: 15 }, (_, number) => {
    const at = start + (number * 35 + chance.whole(0, 20)) * 1000;
    return labelled('card-testing', sale(chance, at, newCard(), shop, chance.whole(50, 200)));
  });
}

export function burst(chance: Chance, window: Window, newCard: NewCard): DemoEvent[] {
  const shop = shopNamed('lucky_bets');
  const card = newCard();
  const start = startWithin(chance, window, shop.city.timeZone, [0, 24], 10);
  return Array.from({ length: 16 }, (_, number) => {
    const at = start + (number * 33 + chance.whole(0, 15)) * 1000;
    // Different amounts: equal ones would also count as duplicates.
    return labelled('burst', sale(chance, at, card, shop, 1000 + number * 100 + chance.whole(0, 99)));
  });
}

const farApart = [
  ['brooklyn_coffee', 'shibuya_ramen'],
  ['thames_dining', 'canal_camera'],
  ['kreuzberg_bakery', 'souq_spices'],
  ['taqueria_roma', 'camden_market'],
] as const;

/** The owner pays in one city; an hour later a copy of the card pays far away. */
export function impossibleTravel(chance: Chance, window: Window, newCard: NewCard): DemoEvent[] {
  const [home, away] = chance.pick(farApart);
  const card = newCard();
  const start = startWithin(chance, window, shopNamed(home).city.timeZone, [0, 24], 90);
  const later = start + chance.whole(40, 90) * minute;
  return [
    sale(chance, start, card, shopNamed(home), shopNamed(home).amounts[0]),
    labelled('impossible-travel', sale(chance, later, card, shopNamed(away), shopNamed(away).amounts[0])),
  ];
}

const plundered = [
  ['brooklyn_coffee', 'canal_camera'],
  ['kreuzberg_bakery', 'alex_audio'],
  ['soho_books', 'camden_market'],
] as const;

/** A spike alone scores too low to be held. The owner's five small purchases in half a day add to its score. */
export function spike(chance: Chance, window: Window, newCard: NewCard): DemoEvent[] {
  const [cheap, dear] = chance.pick(plundered);
  const [little, large] = [shopNamed(cheap), shopNamed(dear)];
  const card = newCard();
  const start = startWithin(chance, window, little.city.timeZone, [6, 22], 8 * 60);
  const owned = Array.from({ length: 5 }, (_, number) =>
    sale(
      chance,
      start + (number * 80 + chance.whole(0, 30)) * minute,
      card,
      little,
      littleAmount(chance, little),
    ),
  );
  const stolen = [20, 90].map((times, number) => {
    const at = start + (7 * 60 + 20 * number + chance.whole(0, 15)) * minute;
    return labelled('spike', sale(chance, at, card, large, times * little.amounts[0]));
  });
  return [...owned, ...stolen];
}

function littleAmount(chance: Chance, { amounts: [from] }: Shop): number {
  return chance.whole(from, 2 * from);
}

export function nightLarge(chance: Chance, window: Window, newCard: NewCard): DemoEvent[] {
  const [slug, amount] = chance.pick([
    ['canal_camera', 89_900],
    ['ginza_watches', 180_000],
    ['marina_fashion', 310_000],
    ['camden_market', 61_000],
  ] as const);
  const shop = shopNamed(slug);
  const at = startWithin(chance, window, shop.city.timeZone, night);
  return [labelled('night', sale(chance, at, newCard(), shop, amount + 10 * chance.whole(0, 900)))];
}

export function duplicates(chance: Chance, window: Window, newCard: NewCard): DemoEvent[] {
  const shop = shopNamed(chance.pick(['delancey_deli', 'mitte_markt', 'mercado_coyoacan']));
  const start = startWithin(chance, window, shop.city.timeZone, daytime, 5);
  const first = sale(chance, start, newCard(), shop);
  return [0, 1, 2, 3, 4].map((number) => {
    const again = { ...first, at: start + (number * 60 + (number === 0 ? 0 : chance.whole(0, 45))) * 1000 };
    return number === 0 ? again : labelled('duplicate', again);
  });
}

function labelled(kind: Kind, event: DemoEvent): DemoEvent {
  return { ...event, kind };
}
