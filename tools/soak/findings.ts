/** Something that must not be, and whom it concerns. */
export interface Finding {
  /** What is wrong, as a sentence says it: `accepted, and not in the ledger`. */
  readonly what: string;
  /** A business date and currency, a conversation, a user. */
  readonly where: string;
  readonly count: number;
  /** The first of the ids. */
  readonly ids: readonly string[];
}

const SHOWN_IDS = 10;

export interface Findings {
  /** @param id of what it concerns; a finding without one concerns the whole of `where` */
  readonly add: (what: string, where: string, id?: string) => void;
  readonly all: () => Finding[];
}

/** Collects findings: the same of many ids is one, that counts them. */
export function createFindings(): Findings {
  const found = new Map<string, { what: string; where: string; count: number; ids: string[] }>();
  return {
    add: (what, where, id) => {
      const key = JSON.stringify([what, where]);
      const finding = found.get(key) ?? { what, where, count: 0, ids: [] };
      found.set(key, finding);
      finding.count += 1;
      if (id !== undefined && finding.ids.length < SHOWN_IDS) finding.ids.push(id);
    },
    all: () => [...found.values()],
  };
}

/** A finding in a line. */
export function findingText({ what, where, count, ids }: Finding): string {
  const more = count > ids.length && ids.length > 0 ? ', …' : '';
  const named = ids.length === 0 ? '' : `: ${ids.join(', ')}${more}`;
  return `${where}: ${count > 1 ? `${count.toLocaleString('en-US')} × ` : ''}${what}${named}`;
}
