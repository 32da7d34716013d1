/** AWS does not publish its limit. It accepts patterns of this weight and refuses one of 12. */
const MAXIMUM_WEIGHT = 8;

interface Step {
  readonly character?: string;
  /** Whether any characters may come before it. */
  readonly isLoose: boolean;
}

/**
 * `*` stands for any characters or none; `\*` and `\\` for themselves.
 * @throws Error for consecutive wildcards, other escapes, and patterns so repetitive that too many wildcards may match
 *   at once
 */
export function compileWildcard(text: string): (value: string) => boolean {
  const steps = parse(text);
  let weight = 0;
  follow(steps, steps.map(({ character = '' }) => character).join(''), (places) => {
    weight = Math.max(weight, weightOf(steps, places));
  });
  if (weight > MAXIMUM_WEIGHT) {
    throw new Error(`The wildcard pattern "${text}" is too complex: use fewer wildcards or repetitions.`);
  }
  return (value) => follow(steps, value).has(steps.length - 1);
}

function parse(text: string): readonly Step[] {
  const steps: Step[] = [];
  let isLoose = false;
  for (const [token] of text.matchAll(/\\?./gsu)) {
    if (token === '*' && isLoose)
      throw new Error(`The wildcard pattern "${text}" has consecutive wildcards.`);
    if (token === '*') isLoose = true;
    else {
      const character = token.replace('\\', '');
      const isEscape = token.startsWith('\\');
      if (isEscape && character !== '*' && character !== '\\') {
        throw new Error(`The wildcard pattern "${text}" escapes what is no wildcard.`);
      }
      steps.push({ character, isLoose });
      isLoose = false;
    }
  }
  return [...steps, { isLoose }];
}

function follow(
  steps: readonly Step[],
  value: string,
  onPlaces?: (places: ReadonlySet<number>) => void,
): ReadonlySet<number> {
  let places = new Set([0]);
  for (const character of value) {
    const next = new Set<number>();
    for (const place of places) {
      if (steps[place]?.isLoose === true) next.add(place);
      if (steps[place]?.character === character) next.add(place + 1);
    }
    places = next;
    onPlaces?.(places);
  }
  return places;
}

/** As Event Ruler counts: a wildcard may end or go on. */
function weightOf(steps: readonly Step[], places: ReadonlySet<number>): number {
  return [...places].reduce((sum, place) => sum + (steps[place]?.isLoose === true ? 2 : 1), 0);
}
