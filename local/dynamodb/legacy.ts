import type { JsonObject } from '../template/index.ts';
import type { Condition } from './condition.ts';
import type { Update } from './update.ts';

/*
 * Parameters from before there were expressions, as expressions. Source: Amazon DynamoDB developer guide, "Legacy
 * DynamoDB conditional parameters".
 */

export type LegacyConditions = Readonly<
  Record<
    string,
    {
      readonly ComparisonOperator?: string;
      readonly AttributeValueList?: readonly JsonObject[];
      readonly Value?: JsonObject;
      readonly Exists?: boolean;
    }
  >
>;

export type LegacyUpdates = Readonly<
  Record<string, { readonly Action?: string; readonly Value?: JsonObject }>
>;

const COMPARISONS = {
  EQ: '=',
  NE: '<>',
  LT: '<',
  LE: '<=',
  GT: '>',
  GE: '>=',
  IN: 'in',
  BETWEEN: 'between',
} as const;
const FUNCTIONS: Readonly<Record<string, string>> = {
  NULL: 'attribute_not_exists',
  NOT_NULL: 'attribute_exists',
  BEGINS_WITH: 'begins_with',
  CONTAINS: 'contains',
};

/** @param operator `OR`, or else all conditions must hold */
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
      const type = isComparison(comparison) ? COMPARISONS[comparison] : undefined;
      if (type !== undefined) return { type, args: operands };
      return { type: 'function', name: FUNCTIONS[comparison] ?? comparison, args: operands };
    },
  );
  return { type: operator === 'OR' ? 'or' : 'and', args };
}

function isComparison(name: string): name is keyof typeof COMPARISONS {
  return name in COMPARISONS;
}

export function legacyUpdates(updates: LegacyUpdates | undefined): readonly Update[] {
  return Object.entries(updates ?? {}).map(([name, { Action: action, Value: val }]): Update => {
    const path = [name];
    if (val === undefined) return { type: 'remove', path };
    if (action === 'ADD') return { type: 'add', path, val };
    return action === 'DELETE' ? { type: 'delete', path, val } : { type: 'set', path, val };
  });
}
