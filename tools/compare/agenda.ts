/** What is to happen, by time; of two at the same time, the one that was added first. */
export class Agenda {
  readonly #heap: { readonly at: number; readonly order: number; readonly work: () => void }[] = [];
  #added = 0;

  add(at: number, work: () => void): void {
    this.#heap.push({ at, order: this.#added++, work });
    let index = this.#heap.length - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!this.#swapIfEarlier(index, parent)) return;
      index = parent;
    }
  }

  /** When the next work is due; never, if there is none. */
  get nextAt(): number {
    return this.#heap[0]?.at ?? Infinity;
  }

  take(): (() => void) | undefined {
    const [first] = this.#heap;
    const last = this.#heap.pop();
    if (first === undefined || last === undefined || first === last) return first?.work;
    this.#heap[0] = last;
    let index = 0;
    for (;;) {
      const [left, right] = [2 * index + 1, 2 * index + 2];
      const child = this.#isEarlier(right, left) ? right : left;
      if (!this.#swapIfEarlier(child, index)) return first.work;
      index = child;
    }
  }

  #isEarlier(index: number, other: number): boolean {
    const [one, two] = [this.#heap[index], this.#heap[other]];
    if (one === undefined || two === undefined) return false;
    return one.at < two.at || (one.at === two.at && one.order < two.order);
  }

  #swapIfEarlier(index: number, other: number): boolean {
    const [one, two] = [this.#heap[index], this.#heap[other]];
    if (one === undefined || two === undefined || !this.#isEarlier(index, other)) return false;
    this.#heap[index] = two;
    this.#heap[other] = one;
    return true;
  }
}
