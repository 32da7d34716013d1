/** Enough at once to hide latency, and too few to be a flood. */
const CONCURRENCY = 8;

export function inBatches<T>(
  size: number,
  work: (batch: readonly T[]) => Promise<void>,
): {
  readonly add: (items: readonly T[]) => Promise<void>;
  /** Works on the rest, and waits for all of it. */
  readonly end: () => Promise<void>;
  /** Begins nothing more, and waits for what is under way, even if it fails. */
  readonly stop: () => Promise<void>;
  readonly count: () => number;
} {
  const running = new Set<Promise<void>>();
  let failure: { readonly error: unknown } | undefined;
  let batch: T[] = [];
  let count = 0;

  function flush(): void {
    const task: Promise<void> = work(batch)
      .catch((error: unknown) => {
        failure ??= { error };
      })
      .finally(() => running.delete(task));
    running.add(task);
    batch = [];
  }

  return {
    add: async (items) => {
      for (const item of items) {
        count += 1;
        if (batch.push(item) === size) flush();
        if (running.size >= CONCURRENCY) await Promise.race(running);
        if (failure !== undefined) throw failure.error;
      }
    },
    end: async () => {
      if (batch.length > 0) flush();
      await Promise.all(running);
      if (failure !== undefined) throw failure.error;
    },
    stop: async () => {
      await Promise.all(running);
    },
    count: () => count,
  };
}
