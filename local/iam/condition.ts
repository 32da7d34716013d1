import { PolicyError } from './policy-error.ts';
import { compileArnPattern, compileWildcard, type Matches } from './wildcard.ts';

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

/** Whether a condition holds. All conditions of a statement must. */
export type Condition = (context: RequestContext) => boolean;

/** How a key's value is compared with one that the policy names. An ARN's parts are compared one by one. */
const COMPARISONS: Readonly<Record<string, (value: string) => Matches>> = {
  StringEquals: (value) => (text) => text === value,
  StringEqualsIgnoreCase: ignoringCase,
  StringLike: (value) => compileWildcard(value),
  ArnEquals: compileArnPattern,
  ArnLike: compileArnPattern,
  Bool: ignoringCase,
};

/** The opposite of another operator: holds where none of the values fits, and where there is nothing to compare. */
const NEGATIONS: Readonly<Record<string, string>> = {
  StringNotEquals: 'StringEquals',
  StringNotEqualsIgnoreCase: 'StringEqualsIgnoreCase',
  StringNotLike: 'StringLike',
  ArnNotEquals: 'ArnEquals',
  ArnNotLike: 'ArnLike',
};

/**
 * Compiles one line of a statement's `Condition`.
 *
 * Source: IAM user guide, "IAM JSON policy elements: Condition operators" and "Single-valued vs. multivalued context
 * keys". Every key that is known here has one value at most.
 *
 * @param operator such as `StringEquals`, `ForAnyValue:StringLike` or `BoolIfExists`
 * @throws PolicyError for an operator or a key that the host does not know: ignored, it would let pass or refuse what
 * AWS does not.
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
  const isNegated = Object.hasOwn(NEGATIONS, name);
  const comparison = COMPARISONS[isNegated ? (NEGATIONS[name] ?? '') : name];
  if (comparison === undefined || !(isNegated || Object.hasOwn(COMPARISONS, name))) {
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
