import { compileArnPattern, compileWildcard, type Matches } from './wildcard.ts';

export class PolicyError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'PolicyError';
  }
}

/** Keys whose values the host knows of each request. A condition on any other stops the start. */
const CONDITION_KEYS = [
  'aws:principalaccount',
  'aws:principalarn',
  'aws:principalisawsservice',
  'aws:principalservicename',
  'aws:requestedregion',
  'aws:resourceaccount',
  'aws:securetransport',
  'aws:sourceaccount',
  'aws:sourcearn',
] as const;
type ConditionKey = (typeof CONDITION_KEYS)[number];

/** What conditions may ask of a request, by key in lower case: case does not matter in keys. */
export type RequestContext = Readonly<Partial<Record<ConditionKey, string>>>;

export type Condition = (context: RequestContext) => boolean;

const COMPARISONS = new Map<string, (value: string) => Matches>([
  ['StringEquals', (value) => (text) => text === value],
  ['StringEqualsIgnoreCase', ignoringCase],
  ['StringLike', (value) => compileWildcard(value)],
  ['ArnEquals', compileArnPattern],
  ['ArnLike', compileArnPattern],
  ['Bool', ignoringCase],
]);

/** A negated operator holds where no value matches, and where there is nothing to compare. */
const NEGATIONS = new Map([
  ['StringNotEquals', 'StringEquals'],
  ['StringNotEqualsIgnoreCase', 'StringEqualsIgnoreCase'],
  ['StringNotLike', 'StringLike'],
  ['ArnNotEquals', 'ArnEquals'],
  ['ArnNotLike', 'ArnLike'],
]);

/**
 * Compiles one line of a statement's `Condition`. Every key that is known here has one value at most.
 *
 * Source: IAM user guide, "IAM JSON policy elements: Condition operators" and "Single-valued vs. multivalued context
 * keys".
 *
 * @param operator such as `StringEquals`, `ForAnyValue:StringLike` or `BoolIfExists`
 * @throws PolicyError for an operator or a key that the host does not know
 */
export function compileCondition(operator: string, key: string, values: readonly string[]): Condition {
  const known = CONDITION_KEYS.find((each) => each === key.toLowerCase());
  if (known === undefined) throw new PolicyError(`the local host does not know the condition key ${key}.`);
  if (operator === 'Null') {
    const absences = values.map((value) => value.toLowerCase() === 'true');
    return (context) => absences.includes(context[known] === undefined);
  }
  const [, set, name = '', ifExists] =
    /^(?:(ForAnyValue|ForAllValues):)?([A-Za-z]+?)(IfExists)?$/.exec(operator) ?? [];
  const isNegated = NEGATIONS.has(name);
  const comparison = COMPARISONS.get(NEGATIONS.get(name) ?? name);
  if (comparison === undefined) {
    throw new PolicyError(`the local host does not know the condition operator ${operator}.`);
  }
  const matchers = values.map((value) => comparison(value));
  const holdsWithout =
    set === 'ForAnyValue' ? false : isNegated || ifExists !== undefined || set !== undefined;
  return (context) => {
    const given = context[known];
    if (given === undefined) return holdsWithout;
    return matchers.some((matches) => matches(given)) !== isNegated;
  };
}

function ignoringCase(value: string): Matches {
  return (text) => text.toLowerCase() === value.toLowerCase();
}
