import { isJsonList, isJsonObject, type Json, type JsonObject } from '../template/index.ts';
import type { Item } from './item.ts';
import { negated, numberProblem, sumOf } from './number.ts';
import { validationError } from './refusal.ts';
import { contentOf, typed, valueAt, type Path } from './value.ts';

type Expression = Path | Operation | JsonObject;

interface Operation {
  readonly type: 'add' | 'subtract' | 'function';
  /** Of a function. */
  readonly name?: 'if_not_exists' | 'list_append';
  readonly args: readonly [Expression, Expression];
}

/** One action of an update expression as dynalite's grammar reads it: names and values are filled in. */
export type Update =
  | { readonly type: 'set'; readonly path: Path; readonly val: Expression }
  | { readonly type: 'remove'; readonly path: Path }
  | { readonly type: 'add' | 'delete'; readonly path: Path; readonly val: JsonObject };

const NO_OPERAND = 'The provided expression refers to an attribute that does not exist in the item';
const WRONG_OPERAND = 'An operand in the update expression has an incorrect data type';
const NO_PATH = 'The document path provided in the update expression is invalid for update';

/** @throws Refusal for an action that DynamoDB rejects regardless of the item. */
export function checkSense(updates: readonly Update[]): void {
  for (const update of updates) if (update.type === 'set') checkFunctions(update.val, true);
}

function checkFunctions(expression: Expression, isWhole: boolean): void {
  if (isPath(expression) || !isOperation(expression)) return;
  if (expression.name === 'list_append' && !isWhole) {
    throw validationError(
      'Invalid UpdateExpression: The function is not allowed to be used this way in an expression; function: list_append',
    );
  }
  const [first, second] = expression.args;
  if (expression.name === 'if_not_exists' && JSON.stringify(first) === JSON.stringify(second)) {
    const path = isPath(first) ? first.map((step) => (typeof step === 'number' ? `[${step}]` : step)) : [];
    throw validationError(
      `Invalid UpdateExpression: The first operand must be distinct from the remaining operands for this operator or function; operator: if_not_exists, first operand: [${path.join(', ')}]`,
    );
  }
  checkFunctions(first, false);
  checkFunctions(second, false);
}

/**
 * An item after an update: every action sees the item as it was before all of them, places in lists included.
 *
 * @throws Refusal
 */
export function updated(item: Item, updates: readonly Update[]): Item {
  const values = updates.map((update) => valueFor(update, item));
  // What is set beyond the end of a list is appended, in the order of the places.
  const order = [...updates.keys()].toSorted((a, b) => lastPlace(updates[a]) - lastPlace(updates[b]));
  let root: Json = { M: item };
  const touched = new Set<string>();
  for (const each of order) {
    const path = updates[each]?.path ?? [];
    root = replaced(root, path, values[each]);
    if (path.length > 1) touched.add(String(path[0]));
  }
  const after = contentOf(root, 'M');
  if (!isJsonObject(after)) return item;
  return {
    ...after,
    ...Object.fromEntries(
      [...touched].flatMap((name) => (after[name] === undefined ? [] : [[name, closed(after[name])]])),
    ),
  };
}

function lastPlace(update: Update | undefined): number {
  const place = update?.path.at(-1);
  return typeof place === 'number' ? place : -1;
}

/** What an action makes of the value at its path; undefined: nothing is left there. */
function valueFor(update: Update, item: Item): Json | undefined {
  const existing = valueAt(item, update.path);
  switch (update.type) {
    case 'set':
      return evaluated(update.val, item);
    case 'remove':
      return undefined;
    case 'add':
      return added(existing, update.val);
    case 'delete':
      return without(existing, update.val);
    default:
      throw new Error('The update is none that the grammar reads.');
  }
}

function evaluated(expression: Expression, item: Item): Json {
  if (isPath(expression)) {
    const value = valueAt(item, expression);
    if (value === undefined) throw validationError(NO_OPERAND);
    return value;
  }
  if (!isOperation(expression)) return expression;
  const [left, right] = expression.args;
  if (expression.type === 'function') {
    if (expression.name === 'if_not_exists') {
      // DynamoDB Local asks for the second operand even where the first one is there.
      const otherwise = evaluated(right, item);
      return (isPath(left) ? valueAt(item, left) : undefined) ?? otherwise;
    }
    const [head, tail] = [contentOf(evaluated(left, item), 'L'), contentOf(evaluated(right, item), 'L')];
    if (!isJsonList(head) || !isJsonList(tail)) throw validationError(WRONG_OPERAND);
    return { L: [...head, ...tail] };
  }
  const [a, b] = [contentOf(evaluated(left, item), 'N'), contentOf(evaluated(right, item), 'N')];
  if (typeof a !== 'string' || typeof b !== 'string') throw validationError(WRONG_OPERAND);
  return total(a, expression.type === 'add' ? b : negated(b));
}

function isPath(expression: Expression): expression is Path {
  return Array.isArray(expression);
}

function isOperation(expression: Operation | JsonObject): expression is Operation {
  return Array.isArray(expression['args']);
}

function total(left: string, right: string): Json {
  const sum = sumOf(left, right);
  const problem = numberProblem(sum);
  if (problem !== undefined) throw validationError(problem);
  return { N: sum };
}

function added(existing: Json | undefined, value: JsonObject): Json {
  const [type = '', content] = typed(value) ?? [];
  if (existing === undefined) return value;
  const old = contentOf(existing, type);
  if (typeof old === 'string' && typeof content === 'string') return total(old, content);
  if (!isJsonList(old) || !isJsonList(content)) throw validationError(WRONG_OPERAND);
  return { [type]: [...old, ...content.filter((element) => type === 'L' || !old.includes(element))] };
}

function without(existing: Json | undefined, value: JsonObject): Json | undefined {
  const [type = '', content] = typed(value) ?? [];
  if (existing === undefined) return undefined;
  const old = contentOf(existing, type);
  if (!isJsonList(old) || !isJsonList(content)) throw validationError(WRONG_OPERAND);
  const left = old.filter((element) => !content.includes(element));
  return left.length === 0 ? undefined : { [type]: left };
}

/** A value with another at a path below it. A list keeps a gap where an element went, so that places stay. */
function replaced(parent: Json, path: Path, value: Json | undefined): Json {
  const [step = '', ...rest] = path;
  const content = contentOf(parent, typeof step === 'number' ? 'L' : 'M');
  const childOf = (child: Json | undefined): Json | undefined => {
    if (rest.length === 0) return value;
    if (child === undefined) throw validationError(NO_PATH);
    return replaced(child, rest, value);
  };
  if (typeof step === 'number') {
    if (!isJsonList(content)) throw validationError(NO_PATH);
    const child = childOf(content[step]);
    if (step >= content.length) return child === undefined ? parent : { L: [...content, child] };
    return { L: content.with(step, child ?? null) };
  }
  if (!isJsonObject(content)) throw validationError(NO_PATH);
  const child = childOf(content[step]);
  if (child !== undefined) return { M: { ...content, [step]: child } };
  const { [step]: _, ...left } = content;
  return { M: left };
}

/** A value without the gaps in its lists. */
function closed(value: Json): Json {
  const [list, map] = [contentOf(value, 'L'), contentOf(value, 'M')];
  if (isJsonList(list)) return { L: list.filter((element) => element !== null).map(closed) };
  if (!isJsonObject(map)) return value;
  return { M: Object.fromEntries(Object.entries(map).map(([name, child]) => [name, closed(child)])) };
}
