import { formatAmount, formatCount } from '../money.ts';
import { countOf, printable } from '../screen.ts';
import type { Break } from './business-day.ts';
import type { DateResult } from './settle.ts';

/** Identifiers that a line names before it says `…`. */
const shownIds = 3;

/** A break of a date, in a line for a person. */
export function describeBreak({ kind, subject, count, ids = [], expected = [], actual = [] }: Break): string {
  const lines = expected.map((reported) => {
    const { type, currency } = reported;
    const staged = actual.find((line) => line.type === type && line.currency === currency);
    const name = `${type} ${currency}`;
    return `${name} ${figuresOf(reported)} reported, ${staged === undefined ? 'none' : figuresOf(staged)} staged`;
  });
  const some = ids.slice(0, shownIds).join(', ');
  const transactions = [
    ...(count === undefined ? [] : [countOf(count, 'transaction')]),
    ...(some === '' ? [] : [ids.length > shownIds ? `${some}…` : some]),
  ];
  return printable(`${kind} ${subject}: ${[...transactions, ...lines].join('; ')}`, 500);
}

function figuresOf({ count, amount, currency }: NonNullable<Break['expected']>[number]): string {
  return `${formatCount(count)} of ${formatAmount(amount, currency)}`;
}

/**
 * What is wrong with the breaks of a replay's dates, in lines for a person; none if there are just those that it asked
 * for by a wrong report. Terminals that the replay did not play answer for themselves.
 */
export function breakFaults(
  dates: readonly DateResult[],
  played: ReadonlySet<string>,
  miscount: string | undefined,
): string[] {
  const isAskedFor = ({ kind, subject }: Break): boolean =>
    kind === 'terminal-totals' && subject === miscount;
  const isOfOthers = ({ kind, subject }: Break): boolean =>
    kind === 'terminal-totals' && !played.has(subject);
  const faults = dates.flatMap((date) => {
    const count = breaksOf(date).filter((each) => !isAskedFor(each) && !isOfOthers(each)).length;
    return count === 0 ? [] : [`${date.businessDate}: ${countOf(count, 'break')} found`];
  });
  if (miscount !== undefined && !dates.some((date) => breaksOf(date).some(isAskedFor)))
    faults.push(`The wrong totals of the terminal ${printable(miscount)} were not found out.`);
  return faults;
}

function breaksOf({ day }: DateResult): readonly Break[] {
  return day?.breaks ?? [];
}
