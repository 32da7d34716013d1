import * as card from '../../lambda/card-settlement/api.ts';
import { CalendarDate } from '../../lambda/card-settlement/domain/business-date.ts';
import { RateCurrency } from '../../lambda/card-settlement/domain/fx.ts';
import { CountryCode, CurrencyCode, Identifier } from '../../lambda/card-settlement/domain/transaction.ts';
import * as chat from '../../lambda/chat/api.ts';
import { ConversationId, Sequence } from '../../lambda/chat/contract.ts';
import { UserId } from '../../lambda/chat/domain/message.ts';
import { Cursor, GatewayMessage, Instant, ProblemBody } from '../../lambda/shared/api.ts';
import { componentSchemas, type JsonSchema } from './json-schema.ts';

/** The very schemas that handlers parse and answer with. */
export const schemas = {
  Identifier,
  BusinessDate: CalendarDate,
  CurrencyCode,
  RateCurrency,
  CountryCode,
  Instant,
  Cursor,
  ...card.requests,
  ...card.responses,
  UserId,
  ConversationId,
  Sequence,
  ...chat.requests,
  ...chat.responses,
  Problem: ProblemBody,
  GatewayMessage,
};

export type SchemaName = keyof typeof schemas;

const cardNumber =
  'Any body, path, query or key that holds a card number is refused (problem `card-number`), plain or in groups with one separator: cards are named by tokens only. UUIDs, ULIDs, Snowflake ids and timestamps are none.';

const descriptions = {
  BusinessDate: 'A date that exists, from 1970 on.',
  CurrencyCode:
    'ISO 4217, without what no market quotes: codes without a minor unit, fund codes, UYW and CUC.',
  RateCurrency: 'ISO 4217, without XXX and XTS.',
  CountryCode: 'ISO 3166-1 alpha-2; its form is checked.',
  MinorUnits: 'A whole number of minor units as text: sums may pass what a JSON number keeps.',
  Cursor: 'Opaque: what the page before gave. Absent on the last page, and only there.',
  Transaction: `A card transaction as a point of sale reports it. \`amount\` is in the currency's minor unit and positive for every type. \`location\` is given only if the card was present. \`originalTransactionId\` is refused for a sale, may stand in a refund, and names the sale that a reversal undoes: the reversal repeats the sale's merchant, card, currency and amount. \`occurredAt\` may be at most 5 minutes ahead and 30 days ago. ${cardNumber}`,
  MerchantProfile: `How a merchant is paid. \`feeBasisPoints\` are hundredths of a percent of a sale's gross amount; \`feeFixedMinor\` is per sale, in the settlement currency's minor unit. ${cardNumber}`,
  FxRates: `One unit of \`base\` is worth \`rates[currency]\` units of each currency. ${cardNumber}`,
  LedgerEntry:
    'What settlement made of a transaction, or of a decision on it. A decision moves its transaction, here and in the totals, from `movesFrom` to `status`; amounts of a reversal are the negation of its sale’s.',
  BusinessDay:
    'Totals are per currency of the transactions: staged = settled + held + reversed + rejected. On a date that has only the decision on an earlier transaction, counts may be negative. A break of kind `terminal-totals` is about a terminal, and keeps no day from being balanced: `expected` are the lines that it reported otherwise than was staged, `actual` what was staged.',
  HeldTransaction: 'What waits for review: held, and neither released, rejected nor reversed.',
  Review: `Why. ${cardNumber}`,
  TerminalTotals: `What a terminal's own books say of a date. Amounts are positive minor units, whatever the type. ${cardNumber}`,
  Problem: 'RFC 9457. `type` is stable; `errors` names every field at fault, and repeats no value.',
  GatewayMessage: 'What API Gateway itself answers.',
  PostedMessage: 'The token names the author; `to` must be another user. `text` is counted in code points.',
  NotificationId: 'Opaque, and URL-safe.',
  Conversation:
    '`with` is the other member; `readSequence` is 0 if the caller has read nothing. Messages behind it are in the history for good, also when their notifications have expired.',
} satisfies Partial<Record<SchemaName, string>>;

const exampleSale = {
  merchantId: 'mer_corner_shop',
  terminalId: 'till-1',
  type: 'sale',
  cardToken: 'tok_1',
  amount: 497,
  currency: 'USD',
  merchantCategoryCode: '5411',
  occurredAt: '2026-11-23T09:15:00-05:00',
};

/** Their dates are old by now, so a server would refuse these requests. */
export const examples = {
  Identifier: ['mer_corner_shop'],
  BusinessDate: ['2026-11-23'],
  Transaction: [
    exampleSale,
    { ...exampleSale, type: 'reversal', originalTransactionId: '1be34723d0c0174802067f6f1b3eb37d' },
  ],
  MerchantProfile: [
    { name: 'Corner Shop', country: 'US', settlementCurrency: 'USD', feeBasisPoints: 250, feeFixedMinor: 10 },
  ],
  FxRates: [{ base: 'USD', source: 'ECB', rateDate: '2026-11-23', rates: { EUR: '0.9213', JPY: '150.25' } }],
  Review: [{ reason: 'The holder knows it.' }],
  TerminalTotals: [{ totals: [{ type: 'sale', currency: 'USD', count: 2, amount: 994 }] }],
  UserId: ['bob'],
  PostedMessage: [{ to: 'bob', text: 'are you there?', clientMessageId: 'm1' }],
} satisfies Partial<Record<SchemaName, readonly unknown[]>>;

export function convertedSchemas(): Record<string, JsonSchema> {
  const described: Readonly<Record<string, string>> = descriptions;
  const exemplified: Readonly<Record<string, JsonSchema['examples']>> = examples;
  return Object.fromEntries(
    Object.entries(componentSchemas(schemas)).map(([name, schema]) => {
      const description = described[name];
      const shown = exemplified[name];
      return [
        name,
        {
          ...schema,
          ...(description === undefined ? {} : { description }),
          ...(shown === undefined ? {} : { examples: shown }),
        },
      ];
    }),
  );
}
