import { negated, numberProblem, sumOf } from './number.ts';
import { validationError } from './refusal.ts';
import { contentOf, listIn, mapIn, typed, valueAt, type Item, type Path, type Value } from './value.ts';

type Expression = Path | Operation | Item;

interface Operation {
  readonly type: 'add' | 'subtract' | 'function';
  readonly name?: 'if_not_exists' | 'list_append';
  readonly args: readonly [Expression, Expression];
}

/** As dynalite's grammar reads it, with names and values filled in. */
export type Update =
  | { readonly type: 'set'; readonly path: Path; readonly val: Expression }
  | { readonly type: 'remove'; readonly path: Path }
  | { readonly type: 'add' | 'delete'; readonly path: Path; readonly val: Item };

const NO_OPERAND = 'The provided expression refers to an attribute that does not exist in the item';
const WRONG_OPERAND = 'An operand in the update expression has an incorrect data type';
const NO_PATH = 'The document path provided in the update expression is invalid for update';

/** @throws Refusal for an action that is wrong whatever the item */
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

/** Every action sees the item as it was before all of them, list indexes included. @throws Refusal */
export function updated(item: Item, updates: readonly Update[]): Item {
  const changes = updates.map((update) => ({ path: update.path, value: valueFor(update, item) }));
  // What is set beyond the end of a list is appended in order.
  changes.sort((a, b) => lastPlace(a.path) - lastPlace(b.path));
  const root = changes.reduce<Value>((value, { path, value: set }) => replaced(value, path, set), {
    M: item,
  });
  const after = { ...mapIn(root) };
  for (const { path } of changes) {
    const name = String(path[0]);
    if (path.length > 1 && after[name] !== undefined) after[name] = closed(after[name]);
  }
  return after;
}

function lastPlace(path: Path): number {
  const place = path.at(-1);
  return typeof place === 'number' ? place : -1;
}

function valueFor(update: Update, item: Item): Value | undefined {
  if (update.type === 'set') return evaluated(update.val, item);
  if (update.type === 'remove') return undefined;
  const existing = valueAt(item, update.path);
  return update.type === 'add' ? added(existing, update.val) : without(existing, update.val);
}

function evaluated(expression: Expression, item: Item): Value {
  if (isPath(expression)) {
    const value = valueAt(item, expression);
    if (value === undefined) throw validationError(NO_OPERAND);
    return value;
  }
  if (!isOperation(expression)) return expression;
  const [left, right] = expression.args;
  if (expression.name === 'if_not_exists') {
    // DynamoDB Local needs the second operand even where the first exists.
    const otherwise = evaluated(right, item);
    return (isPath(left) ? valueAt(item, left) : undefined) ?? otherwise;
  }
  const [first, second] = [evaluated(left, item), evaluated(right, item)];
  if (expression.type === 'function') {
    const [head, tail] = [listIn(first), listIn(second)];
    if (head === undefined || tail === undefined) throw validationError(WRONG_OPERAND);
    return { L: [...head, ...tail] };
  }
  const [a, b] = [contentOf(first, 'N'), contentOf(second, 'N')];
  if (typeof a !== 'string' || typeof b !== 'string') throw validationError(WRONG_OPERAND);
  return total(a, expression.type === 'add' ? b : negated(b));
}

function isPath(expression: Expression): expression is Path {
  return Array.isArray(expression);
}

function isOperation(expression: Operation | Item): expression is Operation {
  return Array.isArray(expression['args']);
}

function total(left: string, right: string): Value {
  const sum = sumOf(left, right);
  const problem = numberProblem(sum);
  if (problem !== undefined) throw validationError(problem);
  return { N: sum };
}

function added(existing: Value | undefined, value: Item): Value {
  const [type = '', content] = typed(value) ?? [];
  if (existing === undefined) return value;
  const old = contentOf(existing, type);
  if (typeof old === 'string' && typeof content === 'string') return total(old, content);
  const [elements, more] = bothLists(existing, value, type);
  return { [type]: [...elements, ...more.filter((element) => type === 'L' || !elements.includes(element))] };
}

function without(existing: Value | undefined, value: Item): Value | undefined {
  if (existing === undefined) return undefined;
  const [type = ''] = typed(value) ?? [];
  const [elements, gone] = bothLists(existing, value, type);
  const left = elements.filter((element) => !gone.includes(element));
  return left.length === 0 ? undefined : { [type]: left };
}

function bothLists(left: Value, right: Value, type: string) {
  const [first, second] = [listIn(left, type), listIn(right, type)];
  if (first === undefined || second === undefined) throw validationError(WRONG_OPERAND);
  return [first, second] as const;
}

/** A list keeps a gap where an element went, so that other indexes stay valid. */
function replaced(parent: Value, path: Path, value: Value | undefined): Value {
  const [step = '', ...rest] = path;
  const childOf = (child: Value | undefined): Value | undefined => {
    if (rest.length === 0) return value;
    if (child === undefined) throw validationError(NO_PATH);
    return replaced(child, rest, value);
  };
  if (typeof step === 'number') {
    const list = listIn(parent);
    if (list === undefined) throw validationError(NO_PATH);
    const child = childOf(list[step]);
    if (step >= list.length) return child === undefined ? parent : { L: [...list, child] };
    return { L: list.with(step, child ?? null) };
  }
  const map = mapIn(parent);
  if (map === undefined) throw validationError(NO_PATH);
  const child = childOf(map[step]);
  if (child !== undefined) return { M: { ...map, [step]: child } };
  const { [step]: _, ...left } = map;
  return { M: left };
}

function closed(value: Value): Value {
  const [list, map] = [listIn(value), mapIn(value)];
  if (list !== undefined) return { L: list.filter((element) => element !== null).map(closed) };
  if (map === undefined) return value;
  return { M: Object.fromEntries(Object.entries(map).map(([name, child]) => [name, closed(child)])) };
}

export type LegacyUpdates = Readonly<Record<string, { readonly Action?: string; readonly Value?: Item }>>;

/** Updates from before there were expressions. */
export function legacyUpdates(updates: LegacyUpdates = {}): readonly Update[] {
  return Object.entries(updates).map(([name, { Action: action, Value: val }]): Update => {
    const path = [name];
    if (val === undefined) return { type: 'remove', path };
    if (action === 'ADD') return { type: 'add', path, val };
    return action === 'DELETE' ? { type: 'delete', path, val } : { type: 'set', path, val };
  });
}
