import { noonOf, type System } from '../system.ts';

export const balanced = (day: Record<string, unknown>): boolean => day['status'] === 'balanced';

/** Stages sales of 1.00, 2.00 … USD on a date, a few at a time, and gives their ids. */
export async function stageMany(
  system: System,
  date: string,
  count: number,
  merchants = 3,
): Promise<string[]> {
  const ids: string[] = [];
  for (let from = 0; from < count; from += 20) {
    const numbers = Array.from({ length: Math.min(20, count - from) }, (_, index) => from + index);
    ids.push(
      ...(await Promise.all(
        numbers.map(async (number) =>
          system.stage({
            occurredAt: noonOf(date),
            amount: 100 * (number + 1),
            merchantId: `mer_${date}_${number % merchants}`,
          }),
        ),
      )),
    );
  }
  return ids;
}

/** What staging `count` sales of 1.00, 2.00 … adds up to, in both books. */
export function totalsOf(count: number) {
  const all = { count, amount: String((100 * count * (count + 1)) / 2) };
  const none = { count: 0, amount: '0' };
  return { USD: { staged: all, settled: all, held: none, reversed: none, rejected: none } };
}

export async function reconcile(system: System, date: string): Promise<void> {
  const { status } = await system.call('operator', 'POST', `/business-days/${date}/reconcile`);
  if (status !== 202) throw new Error(`The request to reconcile was answered ${status}.`);
}
