import { BlockList, isIP } from 'node:net';
import {
  isJsonList,
  isJsonObject,
  objectListAt,
  ResourceError,
  type Json,
  type JsonObject,
  type ResourceRequest,
} from '../template/index.ts';
import { compileWildcard } from './wildcard.ts';

export type EventPattern = (event: Json) => boolean;

type Leaf = null | boolean | number | string;
type Judge = (value: Leaf) => boolean;

/** For each list on the way to a field, the index of its element. */
type Membership = ReadonlyMap<number, number>;

interface Field {
  readonly value: Leaf;
  readonly membership: Membership;
}

interface Rule {
  readonly path: string;
  readonly judge: Judge;
  /** Whether an absent field matches. */
  readonly takesAbsence: boolean;
}

type Rules = ReadonlyMap<string, Rule>;

/** For the `$or`s of one pattern. Source: EventBridge user guide, "Event pattern quotas". */
const MAXIMUM_COMBINATIONS = 1000;

/**
 * Works as AWS's open engine, Event Ruler: patterns and events are lists of paths, so dots in names make no
 * difference; only the ends of paths match; all matches within a list must be in one element.
 * @throws Error that names the invalid or unknown operator or place
 */
export function compileEventPattern(pattern: Json): EventPattern {
  if (!isJsonObject(pattern)) throw new Error('An event pattern must be a JSON object.');
  // Their order decides in which element of a list an absent field is searched.
  const combinations = compileFields(pattern, '', [new Map()]).map((rules) =>
    [...rules.values()].toSorted((one, other) => (one.path < other.path ? -1 : 1)),
  );
  return (event) => {
    const fields = fieldsOf(event);
    return combinations.some((rules) => areMatched(rules, fields, 0, new Map()));
  };
}

/** @returns a combination for each alternative of each `$or` */
function compileFields(pattern: JsonObject, path: string, combinations: readonly Rules[]): readonly Rules[] {
  if (Object.keys(pattern).length === 0) throw new Error(`${path || 'The pattern'} is empty.`);
  return Object.entries(pattern).reduce((soFar, [name, value]) => {
    const place = path === '' ? name : `${path}.${name}`;
    if (name === '$or') return compileAlternatives(value, path, place, soFar);
    if (isJsonObject(value)) return compileFields(value, place, soFar);
    const rule = compileRule(value, place);
    return soFar.map((rules) => new Map(rules).set(place, rule));
  }, combinations);
}

function compileAlternatives(
  value: Json,
  path: string,
  place: string,
  combinations: readonly Rules[],
): readonly Rules[] {
  const alternatives = isJsonList(value) ? value : [];
  if (alternatives.length < 2 || !alternatives.every(isJsonObject)) {
    throw new Error(`${place} needs a list of two patterns or more.`);
  }
  const compiled = alternatives.flatMap((alternative) => compileFields(alternative, path, combinations));
  if (compiled.length > MAXIMUM_COMBINATIONS) {
    throw new Error(`${place} makes more than ${MAXIMUM_COMBINATIONS} combinations.`);
  }
  return compiled;
}

function compileRule(value: Json, path: string): Rule {
  if (!isJsonList(value)) throw new Error(`${path} must be a list of alternatives, or an object.`);
  if (value.length === 0) throw new Error(`${path} must be a list of alternatives that is not empty.`);
  const takesAbsence = value.some((alternative) => existsIn(alternative) === false);
  const judges = value
    .filter((alternative) => existsIn(alternative) !== false)
    .map((alternative) => compileAlternative(alternative, path));
  return { path, takesAbsence, judge: (field) => judges.some((judge) => judge(field)) };
}

function existsIn(alternative: Json): Json | undefined {
  return isJsonObject(alternative) && Object.keys(alternative).length === 1
    ? alternative['exists']
    : undefined;
}

function fieldsOf(event: Json): ReadonlyMap<string, readonly Field[]> {
  const fields = new Map<string, Field[]>();
  let lists = 0;
  const walk = (value: Json, path: string, membership: Membership): void => {
    if (isJsonList(value)) {
      const list = lists++;
      for (const [index, element] of value.entries()) {
        walk(element, path, new Map(membership).set(list, index));
      }
    } else if (isJsonObject(value)) {
      for (const [name, inner] of Object.entries(value)) {
        walk(inner, path === '' ? name : `${path}.${name}`, membership);
      }
    } else {
      const there = fields.get(path);
      if (there === undefined) fields.set(path, [{ value, membership }]);
      else there.push({ value, membership });
    }
  };
  walk(event, '', new Map());
  return fields;
}

function areMatched(
  rules: readonly Rule[],
  fields: ReadonlyMap<string, readonly Field[]>,
  index: number,
  chosen: Membership,
): boolean {
  const rule = rules[index];
  if (rule === undefined) return true;
  const there = (fields.get(rule.path) ?? []).filter(({ membership }) => isConsistent(membership, chosen));
  if (there.length === 0) return rule.takesAbsence && areMatched(rules, fields, index + 1, chosen);
  return there.some(
    ({ value, membership }) =>
      rule.judge(value) && areMatched(rules, fields, index + 1, new Map([...chosen, ...membership])),
  );
}

function isConsistent(membership: Membership, chosen: Membership): boolean {
  for (const [list, element] of membership) {
    if ((chosen.get(list) ?? element) !== element) return false;
  }
  return true;
}

function compileAlternative(alternative: Json, place: string): Judge {
  if (isJsonList(alternative)) throw new Error(`${place} holds a list within a list.`);
  if (!isJsonObject(alternative)) return (value) => value === alternative;
  const [operator, argument] = onlyEntryOf(alternative, place);
  switch (operator) {
    case 'exists':
      if (argument !== true) throw new Error(`${place}: exists needs true or false.`);
      return () => true;
    case 'anything-but':
      return anythingBut(argument, place);
    case 'numeric':
      return numeric(argument, place);
    case 'prefix':
    case 'suffix':
      return isJsonObject(argument)
        ? affixInAnyCase(operator, argument, place)
        : textOperator(operator, argument, place);
    default:
      return textOperator(operator, argument, place);
  }
}

function onlyEntryOf(rule: JsonObject, place: string): readonly [operator: string, argument: Json] {
  const [entry, second] = Object.entries(rule);
  if (entry === undefined || second !== undefined) throw new Error(`${place} needs one operator at a time.`);
  return entry;
}

/** With texts or numbers, or one of these operators with one text or several. */
const ANYTHING_BUT_OPERATORS = ['prefix', 'suffix', 'equals-ignore-case', 'wildcard'];

/** A missing field is not "anything but". */
function anythingBut(argument: Json, place: string): Judge {
  if (isJsonObject(argument)) {
    const [operator, operand] = onlyEntryOf(argument, place);
    if (!ANYTHING_BUT_OPERATORS.includes(operator)) {
      throw new Error(`${place}: anything-but does not go with the operator "${operator}".`);
    }
    const operands = isJsonList(operand) ? operand : [operand];
    if (operator.endsWith('fix') && operands.includes('')) {
      throw new Error(`${place}: anything-but needs a ${operator} that is not empty.`);
    }
    const refused = operands.map((text) => textOperator(operator, text, place));
    return (value) => !refused.some((judge) => judge(value));
  }
  const refused = isJsonList(argument) ? argument : [argument];
  const isOfType = (type: string): boolean => refused.every((value) => typeof value === type);
  if (refused.length === 0 || !(isOfType('string') || isOfType('number'))) {
    throw new Error(`${place}: anything-but needs texts or numbers, not both.`);
  }
  return (value) => !refused.includes(value);
}

type TextJudge = (value: string) => boolean;

const TEXT_OPERATORS: Readonly<Record<string, (wanted: string) => TextJudge>> = {
  prefix: (wanted) => (value) => value.startsWith(wanted),
  suffix: (wanted) => (value) => value.endsWith(wanted),
  'equals-ignore-case': (wanted) => (value) => value.toLowerCase() === wanted.toLowerCase(),
  wildcard: compileWildcard,
  cidr,
};

function textOperator(operator: string, argument: Json, place: string): Judge {
  const compile = TEXT_OPERATORS[operator];
  if (compile === undefined) {
    throw new Error(`${place}: the local host does not know the operator "${operator}" of event patterns.`);
  }
  if (typeof argument !== 'string') throw new Error(`${place}: "${operator}" needs a text.`);
  try {
    const judge = compile(argument);
    return (value) => typeof value === 'string' && judge(value);
  } catch (error) {
    throw new Error(`${place}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

function affixInAnyCase(operator: 'prefix' | 'suffix', argument: JsonObject, place: string): Judge {
  const [inner, text] = onlyEntryOf(argument, place);
  if (inner !== 'equals-ignore-case' || typeof text !== 'string') {
    throw new Error(`${place}: "${operator}" goes with "equals-ignore-case" and a text only.`);
  }
  const judge = textOperator(operator, text.toLowerCase(), place);
  return (value) => typeof value === 'string' && judge(value.toLowerCase());
}

function cidr(range: string): TextJudge {
  const [network = '', bits = '', rest] = range.split('/');
  const version = isIP(network);
  const prefix = /^\d{1,3}$/.test(bits) ? Number(bits) : Number.NaN;
  if (rest !== undefined || version === 0 || !(prefix <= (version === 4 ? 32 : 128))) {
    throw new Error(`"${range}" is not an IP address, a slash and the bits of a mask.`);
  }
  const family = version === 4 ? 'ipv4' : 'ipv6';
  const block = new BlockList();
  block.addSubnet(network, prefix, family);
  return (address) => isIP(address) === version && block.check(address, family);
}

const COMPARISONS: Readonly<Record<string, (value: number, limit: number) => boolean>> = {
  '=': (value, limit) => value === limit,
  '<': (value, limit) => value < limit,
  '<=': (value, limit) => value <= limit,
  '>': (value, limit) => value > limit,
  '>=': (value, limit) => value >= limit,
};

/**
 * `["=", 5]`, or `[">", 0, "<=", 5]`, lower limit first. Numbers in DynamoDB's JSON are text and never match, as on
 * AWS.
 */
function numeric(argument: Json, place: string): Judge {
  const terms = isJsonList(argument) ? argument : [];
  const conditions = [terms.slice(0, 2), terms.slice(2)].filter((term) => term.length > 0);
  const [lower, upper] = conditions.map(([comparison, limit]) => {
    const compare = typeof comparison === 'string' ? COMPARISONS[comparison] : undefined;
    if (typeof comparison !== 'string' || compare === undefined || typeof limit !== 'number') {
      throw new Error(`${place}: numeric needs pairs of a comparison and a number.`);
    }
    return { comparison, limit, compare };
  });
  if (lower === undefined || terms.length > 4) {
    throw new Error(`${place}: numeric needs one or two pairs of a comparison and a number.`);
  }
  if (upper === undefined) return (value) => typeof value === 'number' && lower.compare(value, lower.limit);
  if (!lower.comparison.startsWith('>') || !upper.comparison.startsWith('<') || lower.limit >= upper.limit) {
    throw new Error(`${place}: numeric needs a lower limit, then a higher upper limit.`);
  }
  return (value) =>
    typeof value === 'number' && lower.compare(value, lower.limit) && upper.compare(value, upper.limit);
}

export function filterPatterns(
  resource: ResourceRequest,
  path: string,
  compile: (pattern: Json) => EventPattern = compileEventPattern,
): readonly EventPattern[] {
  return objectListAt(resource, `${path}.Filters`).map(({ Pattern }, index) => {
    try {
      const pattern: Json = JSON.parse(typeof Pattern === 'string' ? Pattern : '');
      return compile(pattern);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new ResourceError(resource, `${path}.Filters[${index}].Pattern: ${reason}`);
    }
  });
}

/**
 * A pattern that looks into the body matches JSON bodies only. Source: Lambda developer guide, "Properly filtering
 * Amazon SQS messages".
 */
export function compileQueueFilter(pattern: Json): EventPattern {
  const matches = compileEventPattern(pattern);
  const looksInto = isJsonObject(pattern) && isJsonObject(pattern['body']);
  return (record) => {
    if (!looksInto || !isJsonObject(record)) return matches(record);
    const body = jsonIn(record['body']);
    return body !== undefined && matches({ ...record, body });
  };
}

function jsonIn(text: Json | undefined): Json | undefined {
  try {
    const value: Json = JSON.parse(typeof text === 'string' ? text : '');
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
