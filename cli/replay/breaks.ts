import { formatAmount, formatCount } from '../shared/money.ts';
import { countOf, printable } from '../shared/screen.ts';
import { stagedCount, type Break } from '../shared/business-day.ts';
import type { DateResult } from './settle.ts';

const SHOWN_IDS = 3;

export function describeBreak({ kind, subject, count, ids = [], expected = [], actual = [] }: Break): string {
  const lines = expected.map((reported) => {
    const staged = lineLike(actual, reported);
    const name = `${reported.type} ${reported.currency}`;
    return `${name} ${figuresOf(reported)} reported, ${staged === undefined ? 'none' : figuresOf(staged)} staged`;
  });
  const some = ids.slice(0, SHOWN_IDS).join(', ');
  const transactions = [
    ...(count === undefined ? [] : [countOf(count, 'transaction')]),
    ...(some === '' ? [] : [ids.length > SHOWN_IDS ? `${some}…` : some]),
  ];
  return printable(`${kind} ${subject}: ${[...transactions, ...lines].join('; ')}`, 500);
}

function figuresOf({ count, amount, currency }: Line): string {
  return `${formatCount(count)} of ${formatAmount(BigInt(amount), currency)}`;
}

export function breakFaults(
  dates: readonly DateResult[],
  played: ReadonlySet<string>,
  miscount: string | undefined,
): string[] {
  const isAskedFor = ({ kind, subject }: Break): boolean =>
    kind === 'terminal-totals' && subject === miscount;
  const faults = dates.flatMap((date) => {
    const count = breaksOf(date).filter(
      (each) => !isAskedFor(each) && !isOfOthers(each, date, played),
    ).length;
    return count === 0 ? [] : [`${date.businessDate}: ${countOf(count, 'break')} found`];
  });
  if (miscount !== undefined && !dates.some((date) => breaksOf(date).some(isAskedFor)))
    faults.push(`The wrong totals of the terminal ${printable(miscount)} were not found out.`);
  return faults;
}

/** Others report other terminals, or use one of the same name: then more was staged than the file has. */
function isOfOthers(
  { kind, subject, expected = [], actual = [] }: Break,
  { day, accepted }: DateResult,
  played: ReadonlySet<string>,
): boolean {
  if (kind !== 'terminal-totals') return false;
  if (!played.has(subject)) return true;
  const othersAreThere = day !== undefined && stagedCount(day) > accepted;
  return (
    othersAreThere &&
    expected.every((reported) => {
      const staged = lineLike(actual, reported);
      return (
        staged !== undefined &&
        staged.count >= reported.count &&
        BigInt(staged.amount) >= BigInt(reported.amount)
      );
    })
  );
}

export function noteOnOthers(dates: readonly DateResult[], played: ReadonlySet<string>): string | undefined {
  const count = dates.flatMap((date) =>
    breaksOf(date).filter((each) => played.has(each.subject) && isOfOthers(each, date, played)),
  ).length;
  if (count === 0) return undefined;
  return `At ${countOf(count, 'terminal')} more was staged than this replay played: others used the same names.`;
}

function breaksOf({ day }: DateResult): readonly Break[] {
  return day?.breaks ?? [];
}

type Line = NonNullable<Break['expected']>[number];

function lineLike(lines: readonly Line[], { type, currency }: Line): Line | undefined {
  return lines.find((line) => line.type === type && line.currency === currency);
}
