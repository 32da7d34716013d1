import type { Draw } from '../../../tools/simulate/draw.ts';

/**
 * Runs something once for every way in which its choices can fall: depth first, the last choice that had another way
 * out is taken anew, and those after it again from the first.
 *
 * @param run must ask the same questions as long as it gets the same answers
 * @returns how many ways there are
 */
export async function everyInterleaving(
  run: (choose: Draw, number: number) => Promise<void>,
): Promise<number> {
  let path: number[] | undefined = [];
  let count = 0;
  while (path !== undefined) {
    const taken: number[] = [];
    const widths: number[] = [];
    const given: readonly number[] = path;
    await run((below) => {
      const choice = given[taken.length] ?? 0;
      taken.push(choice);
      widths.push(below);
      return choice;
    }, count);
    count += 1;
    const last = taken.findLastIndex((choice, index) => choice + 1 < (widths[index] ?? 0));
    path = last === -1 ? undefined : [...taken.slice(0, last), (taken[last] ?? 0) + 1];
  }
  return count;
}
