/** Sorted by key. Only one page at a time has to be in memory. */
export type Pages<T> = AsyncIterable<readonly T[]>;

/** Equal keys come in the order of the streams. */
export async function* mergeSorted<T>(
  sources: readonly Pages<T>[],
  keyOf: (item: T) => string,
): AsyncGenerator<T, void, undefined> {
  for await (const page of mergePages(sources, keyOf)) yield* page;
}

/** Ends a page where a source must be read. Awaiting each item would take longer than the rest of a walk. */
export async function* mergePages<T>(
  sources: readonly Pages<T>[],
  keyOf: (item: T) => string,
): AsyncGenerator<readonly T[], void, undefined> {
  const opened = await Promise.all(sources.map((source, index) => openReader(source, keyOf, index)));
  const readers = opened.filter((reader) => reader.key !== undefined).toSorted(byKey);
  while (readers.length > 0) {
    const page: T[] = [];
    let reader = readers.shift();
    while (reader !== undefined) {
      page.push(reader.head());
      if (!reader.advance()) break;
      place(readers, reader);
      reader = readers.shift();
    }
    yield page;
    await reader?.turnPage();
    if (reader?.key !== undefined) place(readers, reader);
  }
}

/** At least one side is present. */
export interface Joined<L, R> {
  readonly left?: L;
  readonly right?: R;
}

/** Full outer join of two sorted streams without repeated keys, in constant memory. */
export async function* mergeJoin<L, R>(
  left: Pages<L>,
  leftKey: (item: L) => string,
  right: Pages<R>,
  rightKey: (item: R) => string,
): AsyncGenerator<readonly Joined<L, R>[], void, undefined> {
  const [lefts, rights] = await Promise.all([openReader(left, leftKey, 0), openReader(right, rightKey, 1)]);
  while (lefts.key !== undefined || rights.key !== undefined) {
    const page: Joined<L, R>[] = [];
    let [isLeftUsed, isRightUsed] = [false, false];
    while (!isLeftUsed && !isRightUsed) {
      const takesLeft = rights.key === undefined || (lefts.key !== undefined && lefts.key <= rights.key);
      const takesRight = lefts.key === undefined || (rights.key !== undefined && rights.key <= lefts.key);
      page.push({
        ...(takesLeft ? { left: lefts.head() } : {}),
        ...(takesRight ? { right: rights.head() } : {}),
      });
      isLeftUsed = takesLeft && !lefts.advance();
      isRightUsed = takesRight && !rights.advance();
    }
    yield page;
    if (isLeftUsed) await lefts.turnPage();
    if (isRightUsed) await rights.turnPage();
  }
}

interface Reader<T> {
  readonly index: number;
  readonly key: string | undefined;
  readonly head: () => T;
  readonly advance: () => boolean;
  readonly turnPage: () => Promise<void>;
}

async function openReader<T>(
  source: Pages<T>,
  keyOf: (item: T) => string,
  index: number,
): Promise<Reader<T>> {
  const pages = source[Symbol.asyncIterator]();
  let page: readonly T[] = [];
  let position = 0;
  let key: string | undefined;
  const take = (): boolean => {
    const item = page[position];
    key = item === undefined ? undefined : keyOf(item);
    return item !== undefined;
  };
  const reader: Reader<T> = {
    index,
    get key() {
      return key;
    },
    head: () => {
      const item = page[position];
      if (item === undefined) throw new RangeError('a reader at its end was asked for an item');
      return item;
    },
    advance: () => {
      position += 1;
      return take();
    },
    turnPage: async () => {
      do {
        const next = await pages.next();
        page = next.done === true ? [] : next.value;
        if (next.done === true) break;
      } while (page.length === 0);
      position = 0;
      take();
    },
  };
  await reader.turnPage();
  return reader;
}

function byKey<T>(one: Reader<T>, other: Reader<T>): number {
  const [a = '', b = ''] = [one.key, other.key];
  if (a !== b) return a < b ? -1 : 1;
  return one.index - other.index;
}

function place<T>(readers: Reader<T>[], reader: Reader<T>): void {
  let [from, to] = [0, readers.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    const other = readers[middle];
    if (other !== undefined && byKey(other, reader) < 0) from = middle + 1;
    else to = middle;
  }
  readers.splice(from, 0, reader);
}
