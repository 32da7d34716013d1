/** A stream of pages; concatenated, they are sorted by key. Nothing but a page at a time needs to be in memory. */
export type Pages<T> = AsyncIterable<readonly T[]>;

/** Merges sorted streams into one, equal keys in the order of the streams. */
export async function* mergeSorted<T>(
  sources: readonly Pages<T>[],
  keyOf: (item: T) => string,
): AsyncGenerator<T, void, undefined> {
  // The first pages are asked for at once: they are what the merge needs before it can say anything.
  const readers = (await Promise.all(sources.map((source) => openReader(source)))).filter(
    (reader) => reader.current !== undefined,
  );
  while (readers.length > 0) {
    let least = 0;
    for (let index = 1; index < readers.length; index++) {
      if (keyOf(head(readers[index])) < keyOf(head(readers[least]))) least = index;
    }
    const reader = readers[least];
    if (reader === undefined) return;
    yield head(reader);
    if (!advance(reader)) {
      await reader.turnPage();
      if (reader.current === undefined) readers.splice(least, 1);
    }
  }
}

/** What a join found at one key: at least one side. */
export interface Joined<L, R> {
  readonly left?: L;
  readonly right?: R;
}

/** Full outer join of two sorted streams without repeated keys, in constant memory. */
export async function* mergeJoin<L, R>(
  left: AsyncIterator<L>,
  leftKey: (item: L) => string,
  right: AsyncIterator<R>,
  rightKey: (item: R) => string,
): AsyncGenerator<Joined<L, R>, void, undefined> {
  let [nextLeft, nextRight] = await Promise.all([left.next(), right.next()]);
  while (nextLeft.done !== true || nextRight.done !== true) {
    if (
      nextRight.done === true ||
      (nextLeft.done !== true && leftKey(nextLeft.value) < rightKey(nextRight.value))
    ) {
      if (nextLeft.done === true) return;
      yield { left: nextLeft.value };
      nextLeft = await left.next();
    } else if (nextLeft.done === true || rightKey(nextRight.value) < leftKey(nextLeft.value)) {
      yield { right: nextRight.value };
      nextRight = await right.next();
    } else {
      yield { left: nextLeft.value, right: nextRight.value };
      nextLeft = await left.next();
      nextRight = await right.next();
    }
  }
}

interface Reader<T> {
  current: readonly T[] | undefined;
  position: number;
  /** Moves on to the next page that has an item; `current` is undefined at the end. */
  readonly turnPage: () => Promise<void>;
}

async function openReader<T>(source: Pages<T>): Promise<Reader<T>> {
  const pages = source[Symbol.asyncIterator]();
  const reader: Reader<T> = {
    current: undefined,
    position: 0,
    turnPage: async () => {
      let page = await pages.next();
      while (page.done !== true && page.value.length === 0) page = await pages.next();
      reader.current = page.done === true ? undefined : page.value;
      reader.position = 0;
    },
  };
  await reader.turnPage();
  return reader;
}

function head<T>(reader: Reader<T> | undefined): T {
  const item = reader?.current?.[reader.position];
  if (item === undefined) throw new RangeError('a reader at its end was asked for an item');
  return item;
}

function advance<T>(reader: Reader<T>): boolean {
  reader.position += 1;
  return reader.current !== undefined && reader.position < reader.current.length;
}
