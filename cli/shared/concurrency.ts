/** After a failure no further item begins; it is thrown when those under way have ended. */
export async function forEachConcurrently<Item>(
  items: AsyncIterable<Item> | Iterable<Item>,
  concurrency: number,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const failures: unknown[] = [];
  const iterator = iterate(items);
  async function worker(): Promise<void> {
    for await (const item of iterator) {
      await work(item);
      if (failures.length > 0) return;
    }
  }
  await Promise.all(
    Array.from({ length: concurrency }, async () => worker().catch((error: unknown) => failures.push(error))),
  );
  if (failures.length > 0) throw failures[0];
}

/** Several loops share it: one that leaves early does not end it for the others. */
function iterate<Item>(items: AsyncIterable<Item> | Iterable<Item>): AsyncIterable<Item> {
  const source = Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]();
  return { [Symbol.asyncIterator]: () => ({ next: async () => source.next() }) };
}
