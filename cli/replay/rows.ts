import { addDays } from '../../lambda/card-settlement/domain/business-date.ts';
import type { CsvRow } from './csv.ts';

export const transactionColumns = [
  'transaction_id',
  'occurred_at',
  'card_token',
  'merchant_id',
  'merchant_category_code',
  'amount_minor',
  'currency',
] as const;

export const merchantColumns = [
  'merchant_id',
  'merchant_name',
  'country',
  'settlement_currency',
  'fee_basis_points',
  'fee_fixed_minor',
] as const;

/** Optional, and never sent. */
const LABEL_COLUMN = 'is_fraud';

export const plainLabel = 'fraud';

/** Checked only as far as sending requires; the API judges the rest. */
export interface TransactionRow {
  readonly line: number;
  readonly transactionId: string;
  readonly originalTransactionId: string | undefined;
  readonly occurredAt: Date;
  /** The body of `POST /transactions`, without `occurredAt` and `originalTransactionId`. */
  readonly body: {
    readonly merchantId: string;
    readonly terminalId: string;
    readonly type: string;
    readonly cardToken: string;
    readonly amount: number;
    readonly currency: string;
    readonly merchantCategoryCode: string;
    readonly merchantCountry?: string;
    readonly location?: { readonly latitude: number; readonly longitude: number };
  };
  readonly occurredAtText: string;
  /** The kind of fraud; undefined for an honest row. Never sent. */
  readonly label: string | undefined;
}

type Values = Readonly<Record<string, string>>;

const instantPattern = /^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:[Zz]|[+-]\d{2}:\d{2})$/;

export function parseTransactionRow(line: number, values: Values): TransactionRow | string {
  const missing = transactionColumns.filter(
    (column) => values[column] === undefined || values[column] === '',
  );
  if (missing.length > 0) return `${missing.join(', ')} ${missing.length === 1 ? 'is' : 'are'} empty`;

  const occurredAtText = values.occurred_at ?? '';
  const occurredAt = new Date(occurredAtText);
  if (!instantPattern.test(occurredAtText) || !isRealDate(occurredAtText.slice(0, 10), occurredAt)) {
    return `occurred_at is no instant such as 2026-01-31T23:59:59Z: ${occurredAtText}`;
  }
  const amount = parseInteger(values.amount_minor);
  if (amount === undefined) {
    return `amount_minor is no whole number of the currency's minor unit: ${values.amount_minor}`;
  }
  const location = parseLocation(values);
  if (typeof location === 'string') return location;

  const merchantId = values.merchant_id ?? '';
  return {
    line,
    transactionId: values.transaction_id ?? '',
    originalTransactionId: values.original_transaction_id || undefined,
    occurredAt,
    occurredAtText,
    body: {
      merchantId,
      terminalId: values.terminal_id || defaultTerminalId(merchantId),
      type: values.type || 'sale',
      cardToken: values.card_token ?? '',
      amount,
      currency: values.currency ?? '',
      merchantCategoryCode: values.merchant_category_code ?? '',
      ...(values.merchant_country ? { merchantCountry: values.merchant_country } : {}),
      ...(location ? { location } : {}),
    },
    label: labelOf(values[LABEL_COLUMN]),
  };
}

/** `1` and `true` mean fraud; nothing, `0` and `false` mean none; any other text is a kind of fraud. */
function labelOf(text = ''): string | undefined {
  const label = text.toLowerCase();
  if (['', '0', 'false'].includes(label)) return undefined;
  return label === '1' || label === 'true' ? plainLabel : label;
}

/** `days` × 24 h later, with the same offset. */
export function shiftInstant(text: string, days: number): string {
  return `${addDays(text.slice(0, 10), days)}${text.slice(10)}`;
}

export interface Survey {
  readonly rows: number;
  readonly last: Date | undefined;
  readonly originals: ReadonlySet<string>;
  readonly terminals: ReadonlySet<string>;
  readonly labelled: boolean;
}

export async function survey(rows: AsyncIterable<CsvRow>): Promise<Survey> {
  let count = 0;
  let last: Date | undefined;
  const originals = new Set<string>();
  const terminals = new Set<string>();
  let labelled = false;
  for await (const csvRow of rows) {
    count += 1;
    const row = 'fault' in csvRow ? csvRow.fault : parseTransactionRow(csvRow.line, csvRow.values);
    if (typeof row === 'string') continue;
    terminals.add(row.body.terminalId);
    labelled ||= 'values' in csvRow && LABEL_COLUMN in csvRow.values;
    if (last === undefined || row.occurredAt > last) last = row.occurredAt;
    if (row.originalTransactionId !== undefined) originals.add(row.originalTransactionId);
  }
  return { rows: count, last, originals, terminals, labelled };
}

export interface MerchantRow {
  readonly merchantId: string;
  readonly profile: Readonly<Record<string, unknown>>;
}

export function parseMerchantRow(values: Values): MerchantRow | string {
  const merchantId = values.merchant_id ?? '';
  if (merchantId === '') return 'merchant_id is empty';
  const feeBasisPoints = parseInteger(values.fee_basis_points);
  const feeFixedMinor = parseInteger(values.fee_fixed_minor);
  if (feeBasisPoints === undefined)
    return `fee_basis_points is no whole number: ${values.fee_basis_points || 'empty'}`;
  if (feeFixedMinor === undefined)
    return `fee_fixed_minor is no whole number: ${values.fee_fixed_minor || 'empty'}`;
  return {
    merchantId,
    profile: {
      name: values.merchant_name,
      country: values.country,
      settlementCurrency: values.settlement_currency,
      feeBasisPoints,
      feeFixedMinor,
    },
  };
}

function defaultTerminalId(merchantId: string): string {
  return `${merchantId.slice(0, 62)}-1`;
}

/** `new Date` takes 31 February for 3 March. */
function isRealDate(date: string, instant: Date): boolean {
  if (Number.isNaN(instant.getTime())) return false;
  const midnight = new Date(`${date}T00:00:00Z`);
  return !Number.isNaN(midnight.getTime()) && midnight.toISOString().startsWith(date);
}

function parseInteger(text: string | undefined): number | undefined {
  if (text === undefined || !/^-?\d{1,15}$/.test(text)) return undefined;
  return Number(text);
}

function parseLocation(values: Values): { latitude: number; longitude: number } | undefined | string {
  const { merchant_latitude: latitude = '', merchant_longitude: longitude = '' } = values;
  if (latitude === '' && longitude === '') return undefined;
  const decimal = /^[+-]?\d+(?:\.\d+)?$/;
  if (!decimal.test(latitude) || !decimal.test(longitude)) {
    return `merchant_latitude and merchant_longitude are no place: ${latitude || 'empty'}, ${longitude || 'empty'}`;
  }
  return { latitude: Number(latitude), longitude: Number(longitude) };
}
