import { isJsonList, isJsonObject } from './template.ts';
import type { Json, JsonObject } from './template.ts';

/** Says whether an event matches. */
export type EventPattern = (event: Json) => boolean;

/** Judges the value of a field; undefined where the event has no such field. */
type Matcher = (value: Json | undefined) => boolean;

/**
 * Compiles an event pattern of Amazon EventBridge: all fields must match, each by one of its alternatives.
 *
 * @throws Error that names the operator or the place that the host does not understand.
 */
export function compileEventPattern(pattern: Json): EventPattern {
  if (!isJsonObject(pattern)) throw new Error('An event pattern must be a JSON object.');
  const matches = compileFields(pattern, '');
  return (event) => matches(event);
}

function compileFields(pattern: JsonObject, path: string): Matcher {
  if (Object.keys(pattern).length === 0) throw new Error(`${path || 'The pattern'} is empty.`);
  const fields = Object.entries(pattern).map(([name, rule]) => {
    const place = path === '' ? name : `${path}.${name}`;
    if (name === '$or') {
      const alternatives = isJsonList(rule) ? rule.filter(isJsonObject) : [];
      if (alternatives.length < 2) throw new Error(`${place} needs a list of two patterns or more.`);
      const compiled = alternatives.map((alternative) => compileFields(alternative, path));
      return (event: Json | undefined) => compiled.some((matches) => matches(event));
    }
    const matches = compileRule(rule, place);
    return (event: Json | undefined) => matches(fieldOf(event, name));
  });
  return (event) => {
    // A list of objects matches if one of them does.
    if (isJsonList(event)) return event.some((element) => fields.every((matches) => matches(element)));
    return fields.every((matches) => matches(event));
  };
}

function fieldOf(event: Json | undefined, name: string): Json | undefined {
  return isJsonObject(event) ? event[name] : undefined;
}

function compileRule(rule: Json, place: string): Matcher {
  if (isJsonObject(rule)) return compileFields(rule, place);
  if (!isJsonList(rule) || rule.length === 0) {
    throw new Error(`${place} must be a list of alternatives, or an object.`);
  }
  const alternatives = rule.map((alternative) => compileAlternative(alternative, place));
  return (value) => alternatives.some((matches) => matches(value));
}

/** The same for lists: one element that matches is enough. */
function ofElements(matches: (value: Json) => boolean): Matcher {
  return (value) => {
    if (value === undefined) return false;
    return isJsonList(value) ? value.some((element) => matches(element)) : matches(value);
  };
}

function compileAlternative(alternative: Json, place: string): Matcher {
  if (isJsonList(alternative)) throw new Error(`${place} holds a list within a list.`);
  if (!isJsonObject(alternative)) return ofElements((value) => value === alternative);
  const [entry, second] = Object.entries(alternative);
  if (entry === undefined || second !== undefined) throw new Error(`${place} needs one operator at a time.`);
  const [operator, argument] = entry;
  if (operator === 'exists') {
    if (typeof argument !== 'boolean') throw new Error(`${place}: exists needs true or false.`);
    return (value) => (value !== undefined && !isJsonObject(value)) === argument;
  }
  if (operator === 'anything-but') return anythingBut(argument, place);
  if (operator === 'numeric') return ofElements(numeric(argument, place));
  return ofElements(textOperator(operator, argument, place));
}

function anythingBut(argument: Json, place: string): Matcher {
  const refused = isJsonObject(argument)
    ? [compileAlternative(argument, place)]
    : (isJsonList(argument) ? argument : [argument]).map((value) => compileAlternative(value, place));
  // The field must be there: what is missing is not "anything but".
  return ofElements((value) => !isJsonObject(value) && refused.every((matches) => !matches(value)));
}

const TEXT_OPERATORS: Readonly<Record<string, (value: string, wanted: string) => boolean>> = {
  prefix: (value, wanted) => value.startsWith(wanted),
  suffix: (value, wanted) => value.endsWith(wanted),
  'equals-ignore-case': (value, wanted) => value.toLowerCase() === wanted.toLowerCase(),
};

function textOperator(operator: string, argument: Json, place: string): (value: Json) => boolean {
  const judge = TEXT_OPERATORS[operator];
  if (judge === undefined) {
    throw new Error(`${place}: the local host does not know the operator "${operator}" of event patterns.`);
  }
  if (typeof argument !== 'string') {
    throw new Error(`${place}: the local host knows "${operator}" with a text only.`);
  }
  return (value) => typeof value === 'string' && judge(value, argument);
}

const COMPARISONS: Readonly<Record<string, (value: number, limit: number) => boolean>> = {
  '=': (value, limit) => value === limit,
  '<': (value, limit) => value < limit,
  '<=': (value, limit) => value <= limit,
  '>': (value, limit) => value > limit,
  '>=': (value, limit) => value >= limit,
};

/** `[">", 0, "<=", 5]`. The numbers of DynamoDB's JSON are text, so that this never matches them, as on AWS. */
function numeric(argument: Json, place: string): (value: Json) => boolean {
  if (!isJsonList(argument) || argument.length === 0 || argument.length % 2 !== 0) {
    throw new Error(`${place}: numeric needs pairs of a comparison and a number.`);
  }
  const conditions: ((value: number) => boolean)[] = [];
  for (let index = 0; index < argument.length; index += 2) {
    const [comparison, limit] = [argument[index], argument[index + 1]];
    const compare = typeof comparison === 'string' ? COMPARISONS[comparison] : undefined;
    if (compare === undefined || typeof limit !== 'number') {
      throw new Error(`${place}: numeric needs pairs of a comparison and a number.`);
    }
    conditions.push((value) => compare(value, limit));
  }
  return (value) => typeof value === 'number' && conditions.every((holds) => holds(value));
}
