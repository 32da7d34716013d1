import { validationError } from './refusal.ts';
import {
  areEqual,
  contentOf,
  listIn,
  orderOf,
  typed,
  valueAt,
  type Item,
  type Path,
  type Value,
} from './value.ts';

interface Size {
  readonly type: 'function';
  readonly name: 'size';
  readonly args: readonly [Operand];
}

type Operand = Path | Size | Item;

/** As dynalite's grammar reads it, with names and values filled in. */
export type Condition =
  | Compound
  | { readonly type: 'function'; readonly name: string; readonly args: readonly Operand[] }
  | { readonly type: Comparison; readonly args: readonly Operand[] };

interface Compound {
  readonly type: 'and' | 'or' | 'not';
  readonly args: readonly Condition[];
}

type Comparison = '=' | '<>' | '<' | '<=' | '>' | '>=' | 'between' | 'in';

type Test = (...operands: readonly (Value | undefined)[]) => boolean;

const isAtMost = inOrder((left, right) => left <= right);

const COMPARISONS: Readonly<Record<Comparison, Test>> = {
  '=': areEqual,
  '<>': (left, right) => !areEqual(left, right),
  '<': inOrder((left, right) => left < right),
  '<=': isAtMost,
  '>': inOrder((left, right) => left > right),
  '>=': inOrder((left, right) => left >= right),
  between: (value, first, last) => isAtMost(first, value) && isAtMost(value, last),
  in: (value, ...others) => others.some((other) => areEqual(value, other)),
};

const FUNCTIONS: Readonly<Record<string, Test>> = {
  attribute_exists: (value) => value !== undefined,
  attribute_not_exists: (value) => value === undefined,
  attribute_type: (value, type) => value !== undefined && typed(value)?.[0] === contentOf(type, 'S'),
  begins_with: inText((text, start) => text.startsWith(start)),
  contains: (value, wanted) => {
    const [type = '', content] = typed(value) ?? [];
    if (type === 'L') return listIn(value)?.some((element) => areEqual(element, wanted)) === true;
    if (!Array.isArray(content)) return hasText(value, wanted);
    const element = contentOf(wanted, type.charAt(0));
    return element !== undefined && content.includes(element);
  },
};

const hasText = inText((text, part) => text.includes(part));

export function holds(condition: Condition, item: Item): boolean {
  if (isCompound(condition)) {
    const { type, args } = condition;
    if (type === 'and') return args.every((part) => holds(part, item));
    const isAny = args.some((part) => holds(part, item));
    return type === 'or' ? isAny : !isAny;
  }
  const test = condition.type === 'function' ? FUNCTIONS[condition.name] : COMPARISONS[condition.type];
  if (test === undefined) throw new Error(`The host's DynamoDB does not know ${JSON.stringify(condition)}.`);
  return test(...condition.args.map((operand) => resolved(operand, item)));
}

function isCompound(condition: Condition): condition is Compound {
  return condition.type === 'and' || condition.type === 'or' || condition.type === 'not';
}

function resolved(operand: Operand, item: Item): Value | undefined {
  if (isPath(operand)) return valueAt(item, operand);
  return isSize(operand) ? sizeOf(resolved(operand.args[0], item)) : operand;
}

function isPath(operand: Operand): operand is Path {
  return Array.isArray(operand);
}

function isSize(operand: Size | Item): operand is Size {
  return operand['type'] === 'function';
}

function sizeOf(value: Value | undefined): Value | undefined {
  const [type, content] = typed(value) ?? [];
  if (content === null || type === 'N') return undefined;
  if (typeof content === 'object') return { N: String(Object.keys(content).length) };
  if (typeof content !== 'string') return undefined;
  return { N: String(type === 'B' ? Buffer.byteLength(content, 'base64') : content.length) };
}

function inOrder(isSo: (left: string, right: string) => boolean): Test {
  return (left, right) => {
    if (typed(left)?.[0] !== typed(right)?.[0]) return false;
    const [a, b] = [orderOf(left), orderOf(right)];
    return a !== undefined && b !== undefined && isSo(a, b);
  };
}

function inText(isSo: (text: string, part: string) => boolean): Test {
  const test = inOrder(isSo);
  return (text, part) => contentOf(text, 'N') === undefined && test(text, part);
}

/** Source: Amazon DynamoDB developer guide, "Constraints in Amazon DynamoDB", "Expression parameters". */
const MAXIMUM_OPERATORS = 300;
const MAXIMUM_IN_OPERANDS = 100;

/** @throws Refusal for too many operators, or for operands that dynalite lets pass */
export function checkOperators(parameter: string, condition: Condition): void {
  const count = operatorsOf(parameter, condition);
  if (count <= MAXIMUM_OPERATORS) return;
  throw validationError(
    `Invalid ${parameter}: The expression contains too many operators; operator count: ${count}`,
  );
}

function operatorsOf(parameter: string, condition: Condition): number {
  if (isCompound(condition)) {
    return condition.args.reduce((count, part) => count + operatorsOf(parameter, part), 1);
  }
  const { type, args } = condition;
  if (type === 'in' && args.length - 1 > MAXIMUM_IN_OPERANDS) {
    throw validationError(
      `Invalid ${parameter}: The IN operator is provided with too many operands; number of operands: ${args.length - 1}`,
    );
  }
  if (ORDERING.has(type)) checkOrdered(parameter, type, args);
  if (type === 'between' || type === 'in') checkDistinct(parameter, type, args);
  return 1;
}

function checkDistinct(parameter: string, type: string, [first, ...others]: readonly Operand[]): void {
  const path = JSON.stringify(first);
  if (!Array.isArray(first) || !others.some((operand) => JSON.stringify(operand) === path)) return;
  throw validationError(
    `Invalid ${parameter}: The first operand must be distinct from the remaining operands for this operator or function; operator: ${type.toUpperCase()}, first operand: [${first.join(', ')}]`,
  );
}

const ORDERING = new Set<string>(['<', '<=', '>', '>=', 'between']);
const ORDERED = new Set(['S', 'N', 'B']);

/** Values in the request, unlike those of the item, must have an order. */
function checkOrdered(parameter: string, type: string, operands: readonly Operand[]): void {
  for (const operand of operands) {
    if (isPath(operand) || isSize(operand)) continue;
    const [kind = 'S'] = Object.keys(operand);
    if (ORDERED.has(kind)) continue;
    throw validationError(
      `Invalid ${parameter}: Incorrect operand type for operator or function; operator or function: ${type === 'between' ? 'BETWEEN' : type}, operand type: ${kind}`,
    );
  }
}

export type LegacyConditions = Readonly<
  Record<
    string,
    {
      readonly ComparisonOperator?: string;
      readonly AttributeValueList?: readonly Item[];
      readonly Value?: Item;
      readonly Exists?: boolean;
    }
  >
>;

const LEGACY_COMPARISONS = new Map<string, Comparison>([
  ['EQ', '='],
  ['NE', '<>'],
  ['LT', '<'],
  ['LE', '<='],
  ['GT', '>'],
  ['GE', '>='],
  ['IN', 'in'],
  ['BETWEEN', 'between'],
]);
const LEGACY_FUNCTIONS: Readonly<Record<string, string>> = {
  NULL: 'attribute_not_exists',
  NOT_NULL: 'attribute_exists',
  BEGINS_WITH: 'begins_with',
  CONTAINS: 'contains',
};

/**
 * Source: Amazon DynamoDB developer guide, "Legacy DynamoDB conditional parameters".
 * @param operator `OR`, or else all conditions must hold
 */
export function legacyCondition(
  conditions: LegacyConditions | undefined,
  operator: string | undefined,
): Condition | undefined {
  if (conditions === undefined) return undefined;
  const args = Object.entries(conditions).map(
    ([name, { Exists: exists, Value: value, ...more }]): Condition => {
      const values = more.AttributeValueList ?? (value === undefined ? [] : [value]);
      const comparison = more.ComparisonOperator ?? (exists === false ? 'NULL' : 'EQ');
      const operands = [[name], ...values];
      if (comparison === 'NOT_CONTAINS') {
        return { type: 'not', args: [{ type: 'function', name: 'contains', args: operands }] };
      }
      const type = LEGACY_COMPARISONS.get(comparison);
      if (type !== undefined) return { type, args: operands };
      return { type: 'function', name: LEGACY_FUNCTIONS[comparison] ?? comparison, args: operands };
    },
  );
  return { type: operator === 'OR' ? 'or' : 'and', args };
}
