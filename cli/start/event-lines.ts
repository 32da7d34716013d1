import * as v from 'valibot';
import type { HostEvent } from '../../local/index.ts';
import { formatAmount, formatCount } from '../shared/money.ts';
import { parseJson } from '../shared/files.ts';
import { countOf, printable } from '../shared/screen.ts';

export type EventKind =
  'staged' | 'settled' | 'decided' | 'day' | 'written' | 'delivered' | 'refused' | 'warning' | 'error';

/** What an event of the host is on the screen. */
export interface EventLine {
  readonly kind: EventKind;
  /** One line, without the time. */
  readonly text: string;
  /** How many transactions (of other kinds: things) it tells of. */
  readonly count: number;
}

const whole = v.pipe(v.number(), v.integer());
/** Amounts travel as decimal text where they may exceed 2^53. */
const minorUnits = v.union([
  whole,
  v.pipe(
    v.string(),
    v.regex(/^-?\d+$/),
    v.transform((text) => BigInt(text)),
  ),
]);
const figures = v.object({ count: whole, amount: minorUnits });
const currencyTotals = v.object({
  staged: figures,
  settled: figures,
  held: figures,
  reversed: figures,
  rejected: figures,
});

const logSchema = v.looseObject({
  level: v.optional(v.string(), 'INFO'),
  message: v.string(),
  /** Which day, and of what error, a warning or an error speaks. */
  businessDate: v.optional(v.string()),
  errorName: v.optional(v.string()),
  errorMessage: v.optional(v.string()),
  error: v.optional(v.looseObject({ name: v.optional(v.string()), message: v.optional(v.string()) })),
});
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
const breaksSchema = v.object({ breaks: v.array(v.object({ kind: v.string(), subject: v.string() })) });
const reconciledSchema = v.object({ businessDate: v.string(), sent: whole, missing: whole });
const daySchema = v.object({
  businessDate: v.string(),
  revision: v.optional(whole),
  totals: v.optional(v.record(v.string(), currencyTotals)),
});

/** What the screen says about an event; undefined for one that nobody wants to read. */
export function describeEvent(event: HostEvent): EventLine | undefined {
  if (event.type === 'log') return describeLog(shortName(event.functionName), event.line);
  if (event.type === 'invocation') return describeInvocation(event);
  // A grant that the app lacks: it is told once, and nothing else would say it of a pipe or of lost log lines.
  if (event.type === 'access-denied') return { kind: 'error', text: printable(event.message), count: 1 };
  if (event.type === 'recursion') {
    const messages = countOf(event.messages, 'message');
    const text = `${shortName(event.functionName)}: invoked 16 times by one chain; ${messages} dropped`;
    return { kind: 'error', text, count: 1 };
  }
  if (event.type !== 'http' || event.status < 400) return undefined;
  return {
    kind: event.status < 500 ? 'refused' : 'error',
    text: printable(`${event.status} ${event.method} ${event.path}`),
    count: 1,
  };
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

/** Where many events of a kind come at once: one line for all of them. */
export function describeMany(lines: readonly EventLine[], kind: EventKind): string {
  const transactions = lines.reduce((sum, line) => sum + line.count, 0);
  return many[kind](lines.length, transactions);
}

function describeLog(functionName: string, text: string): EventLine | undefined {
  const log = v.safeParse(logSchema, parseJson(text));
  if (!log.success) return undefined;
  const { level, message } = log.output;
  if (level === 'WARN' || level === 'ERROR' || level === 'CRITICAL') {
    return {
      kind: level === 'WARN' ? 'warning' : 'error',
      text: describeTrouble(functionName, log.output),
      count: 1,
    };
  }
  if (message === 'transaction staged') return describeStaged('staged', log.output);
  if (message === 'sale reversed') return describeStaged('reversed', { type: 'reversal', ...log.output });
  if (message === 'transaction reviewed') return describeReviewed(log.output);
  if (message === 'batch settled') return describeSettled(log.output);
  if (message === 'message written' || message === 'message delivered') return describeMessage(log.output);
  if (message === 'day reconciled') return describeReconciled(log.output);
  if (message === 'day sealed' || message === 'day balanced')
    return describeDay(message.slice(4), log.output);
  return undefined;
}

const shownBreaks = 3;

function describeTrouble(functionName: string, log: v.InferOutput<typeof logSchema>): string {
  const { message, businessDate, error } = log;
  const breaks = v.is(breaksSchema, log) ? log.breaks : [];
  const shown = breaks.slice(0, shownBreaks).map(({ kind, subject }) => `${kind} ${subject}`);
  const more = breaks.length - shown.length;
  const reason = [
    log.errorName ?? error?.name,
    log.errorMessage ?? error?.message,
    [...shown, ...(more > 0 ? [`and ${formatCount(more)} more`] : [])].join(', '),
  ]
    .filter(Boolean)
    .join(': ');
  const what = businessDate === undefined ? message : `${businessDate} ${message}`;
  return printable([functionName, what, reason].filter(Boolean).join(': '));
}

/** A run that sent nothing is no news: the schedule has one every 15 minutes. */
function describeReconciled(log: unknown): EventLine | undefined {
  const parsed = v.safeParse(reconciledSchema, log);
  if (!parsed.success || parsed.output.sent === 0) return undefined;
  const { businessDate, sent } = parsed.output;
  return {
    kind: 'day',
    text: printable(`${businessDate}  sent ${formatCount(sent)} to be settled`),
    count: 1,
  };
}

function describeStaged(what: string, log: unknown): EventLine | undefined {
  if (!v.is(stagedSchema, log)) return undefined;
  const { merchantId, businessDate, type, amount, currency } = v.parse(stagedSchema, log);
  const signed = BigInt(type === 'sale' ? amount : -amount);
  return {
    kind: 'staged',
    text: printable(`${what}  ${formatAmount(signed, currency)}  ${merchantId}  ${businessDate}`),
    count: 1,
  };
}

function describeReviewed(log: unknown): EventLine | undefined {
  const parsed = v.safeParse(reviewedSchema, log);
  if (!parsed.success) return undefined;
  const { transactionId, decision, businessDate } = parsed.output;
  const done = decision === 'release' ? 'released' : 'rejected';
  return { kind: 'decided', text: printable(`${done}  ${transactionId}  ${businessDate}`), count: 1 };
}

function describeSettled(log: unknown): EventLine | undefined {
  const parsed = v.safeParse(settledSchema, log);
  if (!parsed.success) return undefined;
  const { count, settled = count, held, decided, known, blocked, failed, milliseconds } = parsed.output;
  const rest = [
    ...(held > 0 ? [`held ${formatCount(held)}`] : []),
    ...(decided > 0 ? [`decided ${formatCount(decided)}`] : []),
    ...(known > 0 ? [`known already ${formatCount(known)}`] : []),
    ...(blocked > 0 ? [`blocked ${formatCount(blocked)}`] : []),
    ...(failed > 0 ? [`failed ${formatCount(failed)}`] : []),
  ];
  const text = [`settled ${formatCount(settled)} in ${Math.round(milliseconds)} ms`, ...rest].join(', ');
  return { kind: 'settled', text, count: settled };
}

function describeDay(what: string, log: unknown): EventLine | undefined {
  const parsed = v.safeParse(daySchema, log);
  if (!parsed.success) return undefined;
  const { businessDate, revision = 1, totals = {} } = parsed.output;
  const sums = Object.entries(totals).map(([currency, total]) => describeTotals(currency, total));
  const name = revision > 1 ? `${what} (revision ${revision})` : what;
  return { kind: 'day', text: printable([businessDate, name, ...sums].join('  ')), count: 1 };
}

const messageSchema = v.looseObject({
  message: v.string(),
  conversationId: v.string(),
  sequence: whole,
  pushed: v.optional(whole),
});

/** A conversation is named by the beginning of its id, and a message by its number: who and what is nobody's here. */
function describeMessage(log: unknown): EventLine | undefined {
  const parsed = v.safeParse(messageSchema, log);
  if (!parsed.success) return undefined;
  const { message, conversationId, sequence, pushed } = parsed.output;
  const written = message === 'message written';
  const where = `#${sequence} of conversation ${conversationId.slice(0, 8)}`;
  const text = written
    ? `wrote message ${where}`
    : `delivered message ${where} to ${countOf(pushed ?? 0, 'device')}`;
  return { kind: written ? 'written' : 'delivered', text: printable(text), count: 1 };
}

const outcomes = ['settled', 'held', 'reversed', 'rejected'] as const;

/** `5,039 staged = 5,030 settled + 9 held, 335,945.57 USD`; the rest, if any, is said to be missing. */
function describeTotals(currency: string, totals: v.InferOutput<typeof currencyTotals>): string {
  // Where a date has only the decision on a transaction, what it was taken from counts less than nothing.
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

function describeInvocation(event: Extract<HostEvent, { type: 'invocation' }>): EventLine | undefined {
  const functionName = shortName(event.functionName);
  if (event.outcome === 'success') return undefined;
  if (event.outcome === 'throttled') return { kind: 'warning', text: `${functionName}: throttled`, count: 1 };
  const reason = [event.errorType, event.errorMessage].filter(Boolean).join(': ');
  return { kind: 'error', text: printable(`${functionName} failed: ${reason}`), count: 1 };
}

/** What a person calls a function, of the name that was generated: `Stack-SettlementWorkerFunctionD570AB31-1a2b3c`. */
function shortName(functionName: string): string {
  const generated = /^[^-]+-(?<name>.+?)(?:Function)?(?:[0-9A-F]{8})?(?:-[0-9A-Za-z]{6,})?$/;
  return generated.exec(functionName)?.groups?.name ?? functionName;
}
