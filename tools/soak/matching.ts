import type { Findings } from './record.ts';

/** A table holds each accepted id once, and nothing else. @param options.state where its items are, such as `staged` */
export async function matchItems<Fact, Item>(
  accepted: ReadonlyMap<string, Fact>,
  items: AsyncIterable<Item> | Iterable<Item>,
  findings: Findings,
  options: {
    readonly state: string;
    readonly idOf: (item: Item) => string;
    readonly placeOf: (either: Fact | Item) => string;
    readonly isSame: (fact: Fact, item: Item) => boolean;
    readonly each?: (item: Item) => void;
  },
): Promise<void> {
  const { state, idOf, placeOf, isSame, each } = options;
  const missing = new Map(accepted);
  for await (const item of items) {
    const id = idOf(item);
    const fact = accepted.get(id);
    const place = placeOf(item);
    if (fact === undefined) findings.add(`${state}, but never accepted`, place, id);
    else if (!missing.delete(id)) findings.add(`${state} more than once`, place, id);
    else if (!isSame(fact, item)) findings.add(`${state}, but not as accepted`, place, id);
    each?.(item);
  }
  for (const [id, fact] of missing) findings.add(`accepted, but not ${state}`, placeOf(fact), id);
}
