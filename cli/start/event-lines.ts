import * as v from 'valibot';
import { responses } from '../../lambda/card-settlement/api.ts';
import type { HostEvent } from '../../local/index.ts';
import { outcomes, type BusinessDay } from '../shared/business-day.ts';
import { parseJson } from '../shared/files.ts';
import { formatAmount, formatCount } from '../shared/money.ts';
import { countOf, printable } from '../shared/screen.ts';

export type EventKind =
  | 'staged'
  | 'settled'
  | 'decided'
  | 'day'
  | 'written'
  | 'delivered'
  | 'refused'
  | 'warning'
  | 'error';

export interface EventLine {
  readonly kind: EventKind;
  readonly text: string;
  readonly count: number;
}

/** Undefined if the event is not worth a line. */
export function describeEvent(event: HostEvent): EventLine | undefined {
  if (event.type === 'log') return describeLog(shortName(event.functionName), event.line);
  if (event.type === 'invocation') return describeInvocation(event);
  // The app lacks a grant. Nothing else would tell of it for a pipe, or for lost log lines.
  if (event.type === 'access-denied') return lineOf('error', event.message);
  if (event.type === 'recursion') {
    const messages = countOf(event.messages, 'message');
    return lineOf(
      'error',
      `${shortName(event.functionName)}: invoked 16 times by one chain; ${messages} dropped`,
    );
  }
  if (event.type !== 'http' || event.status < 400) return undefined;
  return lineOf(event.status < 500 ? 'refused' : 'error', `${event.status} ${event.method} ${event.path}`);
}

function lineOf(kind: EventKind, text: string, count = 1): EventLine {
  return { kind, text: printable(text), count };
}

const many: Record<EventKind, (lines: number, transactions: number) => string> = {
  staged: (_, transactions) => `staged ${countOf(transactions, 'transaction')}`,
  settled: (batches, transactions) =>
    `settled ${countOf(transactions, 'transaction')} in ${countOf(batches, 'batch', 'batches')}`,
  decided: (lines) => `decided on ${countOf(lines, 'transaction')}`,
  day: (lines) => countOf(lines, 'change of a day', 'changes of days'),
  written: (lines) => `wrote ${countOf(lines, 'message')}`,
  delivered: (lines) => `delivered ${countOf(lines, 'message')}`,
  refused: (lines) => `refused ${countOf(lines, 'request')}`,
  warning: (lines) => countOf(lines, 'warning'),
  error: (lines) => countOf(lines, 'error'),
};

export function describeMany(lines: readonly EventLine[], kind: EventKind): string {
  const transactions = lines.reduce((sum, line) => sum + line.count, 0);
  return many[kind](lines.length, transactions);
}

const logSchema = v.looseObject({
  level: v.optional(v.string(), 'INFO'),
  message: v.string(),
  businessDate: v.optional(v.string()),
  errorName: v.optional(v.string()),
  errorMessage: v.optional(v.string()),
  error: v.optional(v.looseObject({ name: v.optional(v.string()), message: v.optional(v.string()) })),
});
type Log = v.InferOutput<typeof logSchema>;

function describeLog(functionName: string, text: string): EventLine | undefined {
  const log = v.safeParse(logSchema, parseJson(text));
  if (!log.success) return undefined;
  const { level, message } = log.output;
  if (level === 'WARN') return lineOf('warning', describeTrouble(functionName, log.output));
  if (level === 'ERROR' || level === 'CRITICAL')
    return lineOf('error', describeTrouble(functionName, log.output));
  return news.get(message)?.(log.output);
}

const breaksSchema = v.object({ breaks: v.array(v.object({ kind: v.string(), subject: v.string() })) });

const SHOWN_BREAKS = 3;

function describeTrouble(functionName: string, log: Log): string {
  const { message, businessDate, error } = log;
  const breaks = v.is(breaksSchema, log) ? log.breaks : [];
  const shown = breaks.slice(0, SHOWN_BREAKS).map(({ kind, subject }) => `${kind} ${subject}`);
  const more = breaks.length - shown.length;
  const reason = [
    log.errorName ?? error?.name,
    log.errorMessage ?? error?.message,
    [...shown, ...(more > 0 ? [`and ${formatCount(more)} more`] : [])].join(', '),
  ]
    .filter(Boolean)
    .join(': ');
  const what = businessDate === undefined ? message : `${businessDate} ${message}`;
  return [functionName, what, reason].filter(Boolean).join(': ');
}

const whole = v.pipe(v.number(), v.integer());

const stagedSchema = v.object({
  merchantId: v.string(),
  businessDate: v.string(),
  type: v.optional(v.string(), 'sale'),
  amount: whole,
  currency: v.string(),
});
const settledSchema = v.object({
  count: whole,
  settled: v.optional(whole),
  held: v.optional(whole, 0),
  decided: v.optional(whole, 0),
  known: v.optional(whole, 0),
  blocked: v.optional(whole, 0),
  failed: v.optional(whole, 0),
  milliseconds: v.number(),
});
const reviewedSchema = v.object({
  transactionId: v.string(),
  decision: v.picklist(['release', 'reject']),
  businessDate: v.string(),
});
const reconciledSchema = v.object({ businessDate: v.string(), sent: whole });
const daySchema = v.object({
  businessDate: v.string(),
  revision: v.optional(whole, 1),
  totals: v.optional(responses.BusinessDay.entries.totals, {}),
});
const messageSchema = v.object({
  conversationId: v.string(),
  sequence: whole,
  pushed: v.optional(whole, 0),
});

const news = new Map<string, (log: Log) => EventLine | undefined>([
  ['transaction staged', parsedBy(stagedSchema, (staged) => describeStaged('staged', staged))],
  [
    'sale reversed',
    parsedBy(stagedSchema, (staged) => describeStaged('reversed', { ...staged, type: 'reversal' })),
  ],
  [
    'transaction reviewed',
    parsedBy(reviewedSchema, ({ transactionId, decision, businessDate }) => {
      const done = decision === 'release' ? 'released' : 'rejected';
      return lineOf('decided', `${done}  ${transactionId}  ${businessDate}`);
    }),
  ],
  ['batch settled', parsedBy(settledSchema, describeSettled)],
  ['message written', parsedBy(messageSchema, (message) => lineOf('written', `wrote ${placeOf(message)}`))],
  [
    'message delivered',
    parsedBy(messageSchema, (message) =>
      lineOf('delivered', `delivered ${placeOf(message)} to ${countOf(message.pushed, 'device')}`),
    ),
  ],
  [
    'day reconciled',
    // The schedule runs every 15 minutes: a run that sent nothing is no news.
    parsedBy(reconciledSchema, ({ businessDate, sent }) =>
      sent === 0 ? undefined : lineOf('day', `${businessDate}  sent ${formatCount(sent)} to be settled`),
    ),
  ],
  ['day sealed', parsedBy(daySchema, (day) => describeDay('sealed', day))],
  ['day balanced', parsedBy(daySchema, (day) => describeDay('balanced', day))],
]);

function parsedBy<S extends v.GenericSchema>(
  schema: S,
  describe: (log: v.InferOutput<S>) => EventLine | undefined,
): (log: Log) => EventLine | undefined {
  return (log) => {
    const parsed = v.safeParse(schema, log);
    return parsed.success ? describe(parsed.output) : undefined;
  };
}

function describeStaged(
  what: string,
  { merchantId, businessDate, type, amount, currency }: v.InferOutput<typeof stagedSchema>,
): EventLine {
  const signed = BigInt(type === 'sale' ? amount : -amount);
  return lineOf('staged', `${what}  ${formatAmount(signed, currency)}  ${merchantId}  ${businessDate}`);
}

function describeSettled(log: v.InferOutput<typeof settledSchema>): EventLine {
  const { count, settled = count, milliseconds } = log;
  const rest = (['held', 'decided', 'known', 'blocked', 'failed'] as const)
    .filter((name) => log[name] > 0)
    .map((name) => `${name === 'known' ? 'known already' : name} ${formatCount(log[name])}`);
  const text = [`settled ${formatCount(settled)} in ${Math.round(milliseconds)} ms`, ...rest].join(', ');
  return lineOf('settled', text, settled);
}

function describeDay(
  what: string,
  { businessDate, revision, totals }: v.InferOutput<typeof daySchema>,
): EventLine {
  const sums = Object.entries(totals).map(([currency, total]) => describeTotals(currency, total));
  const name = revision > 1 ? `${what} (revision ${revision})` : what;
  return lineOf('day', [businessDate, name, ...sums].join('  '));
}

/** `5,039 staged = 5,030 settled + 9 held, 335,945.57 USD`; and how many are missing, if any. */
function describeTotals(currency: string, totals: BusinessDay['totals'][string]): string {
  // If a date has only the decision on a transaction, a count may be below zero.
  const reached = outcomes.filter((outcome) => totals[outcome].count !== 0);
  const sum = reached.map((outcome) => `${formatCount(totals[outcome].count)} ${outcome}`).join(' + ');
  const missing = totals.staged.count - reached.reduce((count, outcome) => count + totals[outcome].count, 0);
  const staged = `${formatCount(totals.staged.count)} staged`;
  const comparison =
    missing === 0
      ? `= ${sum || 'nothing'}`
      : `≠ ${sum || 'nothing settled'}, ${formatCount(missing)} missing`;
  return `${staged} ${comparison}, ${formatAmount(BigInt(totals.staged.amount), currency)}`;
}

/** A message's text and people are private. */
function placeOf({ conversationId, sequence }: v.InferOutput<typeof messageSchema>): string {
  return `message #${sequence} of conversation ${conversationId.slice(0, 8)}`;
}

function describeInvocation(event: Extract<HostEvent, { type: 'invocation' }>): EventLine | undefined {
  const functionName = shortName(event.functionName);
  if (event.outcome === 'success') return undefined;
  if (event.outcome === 'throttled') return lineOf('warning', `${functionName}: throttled`);
  const reason = [event.errorType, event.errorMessage].filter(Boolean).join(': ');
  return lineOf('error', `${functionName} failed: ${reason}`);
}

/** `Stack-SettlementWorkerFunctionD570AB31-1a2b3c` → `SettlementWorker`. */
function shortName(functionName: string): string {
  const generated = /^[^-]+-(?<name>.+?)(?:Function)?(?:[0-9A-F]{8})?(?:-[0-9A-Za-z]{6,})?$/;
  return generated.exec(functionName)?.groups?.name ?? functionName;
}
