import * as v from 'valibot';
import { FxRatesBody, RateCurrency } from '../../lambda/card-settlement/domain/fx.ts';
import { ReviewBody } from '../../lambda/card-settlement/domain/decision.ts';
import { MerchantProfile } from '../../lambda/card-settlement/domain/merchant.ts';
import { TerminalTotalsBody } from '../../lambda/card-settlement/domain/terminal-totals.ts';
import {
  CountryCode,
  CurrencyCode,
  Identifier,
  Transaction,
} from '../../lambda/card-settlement/domain/transaction.ts';
import { ConversationId, Sequence } from '../../lambda/chat/contract.ts';
import { PostedMessage, UserId } from '../../lambda/chat/domain/message.ts';
import { componentSchemas, type JsonSchema } from './json-schema.ts';

/**
 * The schemas of the document. Requests are the very ones that handlers parse with. Responses are written down here,
 * of the same parts; they are open, because a later version may answer more.
 */

/** Sums may pass 2^53, so amounts that are added up are text. */
const MinorUnits = v.pipe(v.string(), v.regex(/^-?\d+$/));
const Instant = v.pipe(v.string(), v.isoTimestamp());
const Count = v.pipe(v.number(), v.integer(), v.minValue(0));
const BusinessDate = FxRatesBody.entries.rateDate;
const Hash = v.pipe(v.string(), v.regex(/^[0-9a-f]{32}$/));
const NotificationId = v.pipe(v.string(), v.regex(/^[0-9a-f]{32}-\d{7}$/));
const Cursor = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{1,4096}$/));

const entryStatuses = ['settled', 'held', 'reversed', 'rejected'] as const;
const decisionTypes = ['release', 'reject', 'reversal'] as const;

const Rules = v.array(
  v.object({
    rule: v.string(),
    score: v.number(),
    inputs: v.record(v.string(), v.union([v.string(), v.number()])),
  }),
);

/** A decision's entry has its transaction's id with a suffix. */
const EntryId = v.pipe(v.string(), v.regex(/^[0-9a-f]{32}(?:#decision)?$/));

const LedgerEntry = v.object({
  transactionId: EntryId,
  merchantId: Identifier,
  businessDate: BusinessDate,
  status: v.picklist(entryStatuses),
  type: v.picklist([...Transaction.entries.type.options, 'release', 'reject']),
  movesFrom: v.exactOptional(v.picklist(entryStatuses)),
  amount: MinorUnits,
  currency: CurrencyCode,
  settlementCurrency: CurrencyCode,
  gross: MinorUnits,
  fee: MinorUnits,
  net: MinorUnits,
  conversion: v.exactOptional(
    v.object({
      base: RateCurrency,
      source: v.string(),
      rateDate: BusinessDate,
      fromRate: v.string(),
      toRate: v.string(),
    }),
  ),
  withoutProfile: v.boolean(),
  score: v.number(),
  rules: Rules,
  settledAt: Instant,
});

const SignedCount = v.pipe(v.number(), v.integer());
const CountAndAmount = v.object({ count: SignedCount, amount: MinorUnits });
const TerminalLine = v.object({
  type: Transaction.entries.type,
  currency: CurrencyCode,
  count: Count,
  amount: MinorUnits,
});

const BusinessDay = v.object({
  businessDate: BusinessDate,
  status: v.picklist(['open', 'sealed', 'blocked', 'balanced']),
  revision: v.pipe(v.number(), v.integer(), v.minValue(1)),
  asOf: v.exactOptional(Instant),
  ratesMissing: v.exactOptional(v.array(CurrencyCode)),
  totals: v.record(
    v.string(),
    v.object({
      staged: CountAndAmount,
      settled: CountAndAmount,
      held: CountAndAmount,
      reversed: CountAndAmount,
      rejected: CountAndAmount,
    }),
  ),
  breaks: v.array(
    v.object({
      kind: v.picklist(['unsettled', 'unstaged', 'mismatched', 'straggler', 'terminal-totals']),
      subject: v.string(),
      count: v.exactOptional(Count),
      ids: v.exactOptional(v.array(v.string())),
      expected: v.exactOptional(v.array(TerminalLine)),
      actual: v.exactOptional(v.array(TerminalLine)),
    }),
  ),
});

const Decision = {
  decision: v.picklist(decisionTypes),
  businessDate: BusinessDate,
  decidedAt: Instant,
  reason: v.exactOptional(v.string()),
};

const AcceptedTransaction = {
  ...Transaction.entries,
  transactionId: Hash,
  businessDate: BusinessDate,
  stagedAt: Instant,
};

const HeldTransaction = v.object({
  ...AcceptedTransaction,
  status: v.literal('held'),
  score: v.number(),
  rules: Rules,
  settledAt: Instant,
});

const MerchantTotals = v.object({
  merchantId: Identifier,
  currency: CurrencyCode,
  count: Count,
  gross: MinorUnits,
  fees: MinorUnits,
  net: MinorUnits,
});

const Message = v.object({
  messageId: Hash,
  conversationId: ConversationId,
  sequence: Sequence,
  from: UserId,
  to: UserId,
  text: PostedMessage.entries.text,
  sentAt: Instant,
});

const Notification = v.object({
  notificationId: NotificationId,
  messageId: Hash,
  conversationId: ConversationId,
  sequence: Sequence,
  from: UserId,
  text: PostedMessage.entries.text,
  sentAt: Instant,
});

const Conversation = v.object({
  conversationId: ConversationId,
  with: UserId,
  lastSequence: Sequence,
  readSequence: v.union([v.literal(0), Sequence]),
});

function pageOf<S extends v.GenericSchema>(item: S) {
  return { items: v.array(item), cursor: v.exactOptional(Cursor) };
}

/** By their names in the document. */
export const schemas = {
  Identifier,
  BusinessDate,
  CurrencyCode,
  RateCurrency,
  CountryCode,
  MinorUnits,
  Instant,
  Cursor,
  Transaction,
  MerchantProfile,
  FxRates: FxRatesBody,
  StagedTransaction: v.object({
    transactionId: Hash,
    businessDate: BusinessDate,
    status: v.literal('staged'),
  }),
  TransactionView: v.object({
    ...AcceptedTransaction,
    status: v.picklist(['staged', ...entryStatuses]),
    decision: v.exactOptional(v.object(Decision)),
    entries: v.array(LedgerEntry),
  }),
  HeldTransaction,
  HeldTransactionPage: v.object(pageOf(HeldTransaction)),
  Review: ReviewBody,
  Reviewed: v.object({ transactionId: Hash, ...Decision }),
  TerminalTotals: TerminalTotalsBody,
  TerminalLine,
  LedgerEntry,
  ReconcileRequested: v.object({ businessDate: BusinessDate }),
  CountAndAmount,
  BusinessDay,
  BusinessDayPage: v.object(pageOf(BusinessDay)),
  MerchantTotals,
  SettlementPage: v.object({
    businessDate: BusinessDate,
    final: v.boolean(),
    ...pageOf(MerchantTotals),
  }),
  MerchantSettlementPage: v.object({
    businessDate: BusinessDate,
    merchantId: Identifier,
    ...pageOf(LedgerEntry),
  }),
  UserId,
  ConversationId,
  Sequence,
  NotificationId,
  PostedMessage,
  WrittenMessage: v.object({
    messageId: Hash,
    conversationId: ConversationId,
    sequence: Sequence,
    sentAt: Instant,
  }),
  Message,
  MessagePage: v.object(pageOf(Message)),
  Notification,
  NotificationPage: v.object(pageOf(Notification)),
  Conversation,
  ConversationPage: v.object(pageOf(Conversation)),
  /** RFC 9457. */
  Problem: v.object({
    type: v.pipe(v.string(), v.regex(/^urn:duotempo:problem:[a-z0-9-]+$/)),
    title: v.string(),
    status: v.pipe(v.number(), v.integer(), v.minValue(400), v.maxValue(599)),
    detail: v.exactOptional(v.string()),
    errors: v.exactOptional(v.array(v.object({ pointer: v.string(), detail: v.string() }))),
  }),
  /** What API Gateway itself answers. */
  GatewayMessage: v.object({ message: v.string() }),
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
  PostedMessage:
    'Who posts it stands in the token; `to` must be another user. `text` is counted in code points.',
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

/** Of what requests carry. Those of dates are old by now: such a request is refused for that. */
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

/** `components.schemas`. */
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
