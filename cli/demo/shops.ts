export interface City {
  readonly name: string;
  readonly country: string;
  readonly timeZone: string;
  readonly latitude: number;
  readonly longitude: number;
}

/** Amounts are minor units. */
export interface Shop {
  readonly slug: string;
  readonly name: string;
  readonly city: City;
  /** ISO 18245. */
  readonly category: string;
  readonly currency: string;
  /** More than a card tester takes, less than what is large at night. */
  readonly amounts: readonly [from: number, to: number];
  readonly settlementCurrency: string;
  readonly feeBasisPoints: number;
  readonly feeFixedMinor: number;
  readonly online: boolean;
}

function city(name: string, country: string, timeZone: string, latitude: number, longitude: number): City {
  return { name, country, timeZone, latitude, longitude };
}

export const cities = {
  newYork: city('New York', 'US', 'America/New_York', 40.7128, -74.006),
  london: city('London', 'GB', 'Europe/London', 51.5074, -0.1278),
  berlin: city('Berlin', 'DE', 'Europe/Berlin', 52.52, 13.405),
  tokyo: city('Tokyo', 'JP', 'Asia/Tokyo', 35.6762, 139.6503),
  kuwait: city('Kuwait City', 'KW', 'Asia/Kuwait', 29.3759, 47.9774),
  mexico: city('Mexico City', 'MX', 'America/Mexico_City', 19.4326, -99.1332),
};

type Terms = Partial<Pick<Shop, 'settlementCurrency' | 'feeBasisPoints' | 'feeFixedMinor' | 'online'>>;

function shop(
  slug: string,
  name: string,
  home: City,
  category: string,
  currency: string,
  amounts: Shop['amounts'],
  terms: Terms = {},
): Shop {
  const usual = { settlementCurrency: currency, feeBasisPoints: 190, feeFixedMinor: 10, online: false };
  return { slug, name, city: home, category, currency, amounts, ...usual, ...terms };
}

const { newYork, london, berlin, tokyo, kuwait, mexico } = cities;
const online = { online: true, feeBasisPoints: 290, feeFixedMinor: 30 };

export const shops: readonly Shop[] = [
  shop('delancey_deli', 'Delancey Deli', newYork, '5411', 'USD', [350, 6200]),
  shop('brooklyn_coffee', 'Brooklyn Coffee', newYork, '5814', 'USD', [325, 1900]),
  shop('canal_camera', 'Canal Camera, Inc.', newYork, '5732', 'USD', [2400, 18_000], { feeBasisPoints: 150 }),
  shop('village_pharmacy', 'Village Pharmacy', newYork, '5912', 'USD', [400, 5400]),
  shop('subway_tickets', 'Subway Tickets', newYork, '4111', 'USD', [290, 3300], { feeFixedMinor: 4 }),
  shop('soho_books', 'Soho Books', london, '5942', 'GBP', [599, 5400]),
  shop('camden_market', 'Camden Market', london, '5651', 'GBP', [900, 9900]),
  shop('thames_dining', 'Thames Dining', london, '5812', 'GBP', [1250, 9800], { feeBasisPoints: 210 }),
  shop('westend_stage', 'West End Stage', london, '7922', 'GBP', [2500, 14_000], {
    settlementCurrency: 'EUR',
  }),
  shop('kreuzberg_bakery', 'Bäckerei Kreuzberg', berlin, '5462', 'EUR', [240, 1900]),
  shop('spree_bikes', 'Spree Räder', berlin, '5940', 'EUR', [1200, 18_000]),
  shop('mitte_markt', 'Mitte Markt', berlin, '5411', 'EUR', [400, 9000], { feeBasisPoints: 90 }),
  shop('alex_audio', 'Alex Audio', berlin, '5732', 'EUR', [1900, 17_000], { settlementCurrency: 'USD' }),
  shop('shibuya_ramen', 'Shibuya Ramen', tokyo, '5812', 'JPY', [800, 4800], { feeFixedMinor: 8 }),
  shop('ginza_watches', 'Ginza Watches', tokyo, '5944', 'JPY', [5000, 30_000], { feeFixedMinor: 8 }),
  shop('akiba_games', 'Akiba Games', tokyo, '5945', 'JPY', [1800, 16_000], {
    settlementCurrency: 'USD',
  }),
  shop('souq_spices', 'Souq Spices', kuwait, '5499', 'KWD', [2500, 19_500], { feeFixedMinor: 30 }),
  shop('gulf_dates', 'Gulf Dates', kuwait, '5441', 'KWD', [3250, 24_000], { feeFixedMinor: 30 }),
  shop('marina_fashion', 'Marina Fashion', kuwait, '5691', 'KWD', [8000, 55_000], {
    settlementCurrency: 'EUR',
  }),
  shop('taqueria_roma', 'Taquería Roma', mexico, '5812', 'MXN', [6500, 62_000], { feeFixedMinor: 200 }),
  shop('mercado_coyoacan', 'Mercado Coyoacán', mexico, '5411', 'MXN', [9000, 140_000]),
  shop('hotel_reforma', 'Hotel Reforma', mexico, '7011', 'MXN', [90_000, 320_000], {
    settlementCurrency: 'USD',
  }),
  shop('pixel_games', 'Pixel Games', newYork, '5816', 'USD', [499, 5900], online),
  shop('nordic_films', 'Nordic Films', berlin, '5815', 'EUR', [399, 2900], online),
  shop('gift_card_hub', 'Gift Card Hub', london, '5947', 'GBP', [1000, 9000], online),
  shop('lucky_bets', 'Lucky Bets', london, '7995', 'GBP', [500, 7500], online),
];

export function shopNamed(slug: string): Shop {
  const found = shops.find((each) => each.slug === slug);
  if (found === undefined) throw new RangeError(`there is no shop ${slug}`);
  return found;
}
