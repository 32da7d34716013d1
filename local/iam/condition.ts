import { compileArnPattern, compileWildcard, type Matches } from './wildcard.ts';

export class PolicyError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'PolicyError';
  }
}

/** The host knows these of each request. A condition on any other key stops the start. */
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

/** Keys are in lower case: IAM ignores their case. */
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

/** A negated operator also holds where there is no value. */
const NEGATIONS = new Map([
  ['StringNotEquals', 'StringEquals'],
  ['StringNotEqualsIgnoreCase', 'StringEqualsIgnoreCase'],
  ['StringNotLike', 'StringLike'],
  ['ArnNotEquals', 'ArnEquals'],
  ['ArnNotLike', 'ArnLike'],
]);

/**
 * The known keys have at most one value each. Source: IAM user guide, "IAM JSON policy elements: Condition operators"
 * and "Single-valued vs. multivalued context keys".
 * @param operator such as `StringEquals`, `ForAnyValue:StringLike` or `BoolIfExists`
 * @throws PolicyError for an unknown operator or key
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
