import { isJsonList, isJsonObject, type Json, type JsonObject } from '../template/index.ts';
import type { Item } from './item.ts';
import { areEqual, contentOf, orderOf, typed, valueAt, type Path } from './value.ts';

interface Size {
  readonly type: 'function';
  readonly name: 'size';
  readonly args: readonly [Operand];
}

type Operand = Path | Size | JsonObject;

/** A condition as dynalite's grammar reads it: names and values are filled in. */
export type Condition =
  | { readonly type: 'and' | 'or' | 'not'; readonly args: readonly Condition[] }
  | { readonly type: 'function'; readonly name: string; readonly args: readonly Operand[] }
  | { readonly type: Comparison; readonly args: readonly Operand[] };

type Comparison = '=' | '<>' | '<' | '<=' | '>' | '>=' | 'between' | 'in';

/** Whether an item meets a condition. What is missing equals nothing, not even something else that is missing. */
export function holds(condition: Condition, item: Item): boolean {
  switch (condition.type) {
    case 'and':
      return condition.args.every((part) => holds(part, item));
    case 'or':
      return condition.args.some((part) => holds(part, item));
    case 'not':
      return !condition.args.some((part) => holds(part, item));
    case 'function':
      return fulfils(
        condition.name,
        condition.args.map((operand) => resolved(operand, item)),
      );
    case '=':
    case '<>':
    case '<':
    case '<=':
    case '>':
    case '>=':
    case 'between':
    case 'in':
      return compares(
        condition.type,
        condition.args.map((operand) => resolved(operand, item)),
      );
    default:
      throw new Error('The condition is none that the grammar reads.');
  }
}

function resolved(operand: Operand, item: Item): Json | undefined {
  if (isPath(operand)) return valueAt(item, operand);
  return isSize(operand) ? sizeOf(resolved(operand.args[0], item)) : operand;
}

function isPath(operand: Operand): operand is Path {
  return Array.isArray(operand);
}

function isSize(operand: Size | JsonObject): operand is Size {
  return operand['type'] === 'function';
}

function sizeOf(value: Json | undefined): Json | undefined {
  const [type, content] = typed(value) ?? [];
  if (isJsonList(content)) return { N: String(content.length) };
  if (isJsonObject(content)) return { N: String(Object.keys(content).length) };
  if (typeof content !== 'string' || type === 'N') return undefined;
  return { N: String(type === 'B' ? Buffer.byteLength(content, 'base64') : content.length) };
}

function compares(comparison: Comparison, operands: readonly (Json | undefined)[]): boolean {
  const [left, ...right] = operands;
  const [first, second] = right;
  switch (comparison) {
    case '=':
      return left !== undefined && first !== undefined && areEqual(left, first);
    case '<>':
      return left === undefined || first === undefined || !areEqual(left, first);
    case 'in':
      return left !== undefined && right.some((each) => each !== undefined && areEqual(left, each));
    case 'between':
      return isOrdered(first, left, (a, b) => a <= b) && isOrdered(left, second, (a, b) => a <= b);
    case '<':
      return isOrdered(left, first, (a, b) => a < b);
    case '<=':
      return isOrdered(left, first, (a, b) => a <= b);
    case '>':
      return isOrdered(left, first, (a, b) => a > b);
    case '>=':
      return isOrdered(left, first, (a, b) => a >= b);
    default:
      throw new Error('The comparison is none that the grammar reads.');
  }
}

function isOrdered(
  left: Json | undefined,
  right: Json | undefined,
  isSo: (left: string, right: string) => boolean,
): boolean {
  if (typed(left)?.[0] !== typed(right)?.[0]) return false;
  const [a, b] = [orderOf(left), orderOf(right)];
  return a !== undefined && b !== undefined && isSo(a, b);
}

function fulfils(name: string, [value, argument]: readonly (Json | undefined)[]): boolean {
  switch (name) {
    case 'attribute_exists':
      return value !== undefined;
    case 'attribute_not_exists':
      return value === undefined;
    case 'attribute_type':
      return value !== undefined && typed(value)?.[0] === contentOf(argument, 'S');
    case 'begins_with':
      return isOrdered(value, argument, (text, start) => text.startsWith(start)) && !isNumber(value);
    case 'contains':
      return value !== undefined && argument !== undefined && contains(value, argument);
    default:
      throw new Error(`The host's DynamoDB has no function ${name} of conditions.`);
  }
}

function isNumber(value: Json | undefined): boolean {
  return contentOf(value, 'N') !== undefined;
}

function contains(value: Json, wanted: Json): boolean {
  const [type, content] = typed(value) ?? [];
  if (!isJsonList(content)) {
    return isOrdered(value, wanted, (text, part) => text.includes(part)) && !isNumber(value);
  }
  if (type === 'L') return content.some((element) => areEqual(element, wanted));
  const element = contentOf(wanted, type?.charAt(0) ?? '');
  return element !== undefined && content.includes(element);
}
