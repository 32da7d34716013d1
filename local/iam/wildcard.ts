export type Matches = (text: string) => boolean;

/** `*` is any text, `?` any character. Source: IAM user guide, "IAM JSON policy elements: Action" and "Resource". */
export function compileWildcard(pattern: string, { ignoresCase = false } = {}): Matches {
  if (pattern === '*') return () => true;
  if (!/[*?]/.test(pattern)) {
    const exact = ignoresCase ? pattern.toLowerCase() : pattern;
    return (text) => (ignoresCase ? text.toLowerCase() : text) === exact;
  }
  const escaped = pattern.replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`);
  const expression = new RegExp(
    `^${escaped.replaceAll('*', '.*').replaceAll('?', '.')}$`,
    ignoresCase ? 'is' : 's',
  );
  return (text) => expression.test(text);
}

const ARN_PARTS = 6;

/** Each of the six parts matches by itself: `*` does not reach into the next. IAM takes missing last parts for `*`. */
export function compileArnPattern(pattern: string): Matches {
  if (pattern === '*') return () => true;
  const parts = arnParts(pattern);
  if (parts.length < 2 || parts[0] !== 'arn') return compileWildcard(pattern);
  const matchers = Array.from({ length: ARN_PARTS }, (_, place) => compileWildcard(parts[place] ?? '*'));
  return (text) => {
    const given = arnParts(text);
    return given.length === ARN_PARTS && matchers.every((matches, place) => matches(given[place] ?? ''));
  };
}

/** The last part may contain colons. */
function arnParts(text: string): readonly string[] {
  const parts = text.split(':');
  const last = ARN_PARTS - 1;
  return parts.length < ARN_PARTS ? parts : [...parts.slice(0, last), parts.slice(last).join(':')];
}
