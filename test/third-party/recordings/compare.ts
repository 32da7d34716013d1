/** A value of a recording: JSON in which placeholders stand for what changes from run to run. */
export type Recorded =
  | null
  | boolean
  | number
  | string
  | readonly Recorded[]
  | { readonly [key: string]: Recorded };

export interface Difference {
  /** E.g. `first_attempt.Messages[0].Body` */
  readonly path: string;
  readonly recorded: unknown;
  readonly here: unknown;
}

const PLACEHOLDER = /<[a-z0-9-]+(?::\d+)?>|111111111111/g;

/**
 * Compares what AWS answered with what the host answers, field by field. A placeholder such as `<uuid:1>` stands for one
 * text wherever it stands, and for no other's; `timestamp` stands for any number, `datetime` for any time.
 */
export function differences(recorded: Recorded, here: unknown): readonly Difference[] {
  const found: Difference[] = [];
  const textOf = new Map<string, string>();
  const placeholderOf = new Map<string, string>();

  const isBound = (placeholder: string, text: string): boolean => {
    // A user of the account sent on AWS; the account itself sends here.
    if (placeholder.startsWith('<sender-id')) return true;
    // What changes within a test: the recorder gave it no number.
    if (placeholder === '<table-status>' || placeholder === '<index-status>') return true;
    const [known, taken] = [textOf.get(placeholder), placeholderOf.get(text)];
    if (known === undefined && taken === undefined) {
      textOf.set(placeholder, text);
      placeholderOf.set(text, placeholder);
      return true;
    }
    return known === text && taken === placeholder;
  };

  const isSameText = (expected: string, text: unknown): boolean => {
    if (expected === 'timestamp') return /^\d+(?:\.\d+)?$/.test(String(text));
    if (expected === 'datetime, without milliseconds') return /T\d\d:\d\d:\d\dZ$/.test(String(text));
    if (expected === 'datetime') return typeof text === 'number' || !Number.isNaN(Date.parse(String(text)));
    if (typeof text !== 'string') return false;
    const placeholders = expected.match(PLACEHOLDER) ?? [];
    const pattern = expected.split(PLACEHOLDER).map(escaped).join('(.+)');
    const [, ...texts] = new RegExp(`^${pattern}$`, 's').exec(text) ?? [];
    return placeholders.length === 0
      ? expected === text
      : texts.length > 0 &&
          placeholders.every((placeholder, index) => isBound(placeholder, texts[index] ?? ''));
  };

  const compare = (expected: Recorded | undefined, actual: unknown, path: string): void => {
    const differs = (): void => void found.push({ path, recorded: expected, here: actual });
    if (typeof expected === 'string') {
      if (!isSameText(expected, actual)) differs();
    } else if (typeof expected !== 'object' || expected === null) {
      if (expected !== actual) differs();
    } else if (typeof actual === 'string') {
      // The recorder parsed what was JSON within a text.
      compareText(expected, actual, path);
    } else if (
      typeof actual !== 'object' ||
      actual === null ||
      Array.isArray(actual) !== Array.isArray(expected)
    ) {
      differs();
    } else {
      const [left, right] = [new Map(Object.entries(expected)), new Map(Object.entries(actual))];
      const isList = Array.isArray(expected);
      for (const key of new Set([...left.keys(), ...right.keys()])) {
        compare(
          left.get(key),
          right.get(key),
          isList ? `${path}[${key}]` : path === '' ? key : `${path}.${key}`,
        );
      }
    }
  };

  const compareText = (expected: Recorded, text: string, path: string): void => {
    try {
      compare(expected, JSON.parse(text), path);
    } catch {
      found.push({ path, recorded: expected, here: text });
    }
  };

  compare(recorded, here, '');
  return found;
}

function escaped(text: string): string {
  return text.replaceAll(/[$()*+.?[\\\]^{|}]/g, String.raw`\$&`);
}
