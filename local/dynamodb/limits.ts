import { isJsonList, isJsonObject, type Json, type JsonObject } from '../template/index.ts';
import type { Condition } from './condition.ts';
import { canonicalNumber } from './number.ts';
import { validationError } from './refusal.ts';

/*
 * Limits of requests that dynalite does not know. Source: Amazon DynamoDB developer guide, "Constraints in Amazon
 * DynamoDB", "Expression parameters".
 */

const MAXIMUM_EXPRESSION_BYTES = 4096;
const MAXIMUM_OPERATORS = 300;
const MAXIMUM_IN_OPERANDS = 100;

const EXPRESSIONS = [
  'ConditionExpression',
  'FilterExpression',
  'KeyConditionExpression',
  'ProjectionExpression',
  'UpdateExpression',
] as const;

const TELLS_SIZE = new Set<string>(['ConditionExpression', 'FilterExpression', 'KeyConditionExpression']);

/** @throws Refusal for an expression that is too long, here or in a part of a batch. */
export function checkExpressionSizes(request: JsonObject): void {
  for (const name of EXPRESSIONS) {
    const expression = request[name];
    if (typeof expression !== 'string' || Buffer.byteLength(expression) <= MAXIMUM_EXPRESSION_BYTES) continue;
    const size = ` expression size: ${Buffer.byteLength(expression)}`;
    throw validationError(
      `Invalid ${name}: Expression size has exceeded the maximum allowed size;${TELLS_SIZE.has(name) ? size : ''}`,
    );
  }
  const parts = request['RequestItems'];
  if (isJsonObject(parts)) {
    for (const part of Object.values(parts)) if (isJsonObject(part)) checkExpressionSizes(part);
  }
}

/** @throws Refusal for a condition of too many operators, or an IN of too many operands. */
export function checkOperators(parameter: string, condition: Condition): void {
  const count = operatorsOf(parameter, condition);
  if (count <= MAXIMUM_OPERATORS) return;
  throw validationError(
    `Invalid ${parameter}: The expression contains too many operators; operator count: ${count}`,
  );
}

function operatorsOf(parameter: string, condition: Condition): number {
  if (condition.type === 'in' && condition.args.length - 1 > MAXIMUM_IN_OPERANDS) {
    throw validationError(
      `Invalid ${parameter}: The IN operator is provided with too many operands; number of operands: ${condition.args.length - 1}`,
    );
  }
  if (condition.type !== 'and' && condition.type !== 'or' && condition.type !== 'not') {
    if (ORDERING.has(condition.type)) checkOrdered(parameter, condition);
    if (condition.type === 'between' || condition.type === 'in') checkDistinct(parameter, condition);
    return 1;
  }
  return condition.args.reduce((count, part) => count + operatorsOf(parameter, part), 1);
}

/** dynalite knows it of two operands. */
function checkDistinct(parameter: string, { type, args: [first, ...others] }: Condition): void {
  const path = JSON.stringify(first);
  if (!isJsonList(first) || !others.some((operand) => JSON.stringify(operand) === path)) return;
  throw validationError(
    `Invalid ${parameter}: The first operand must be distinct from the remaining operands for this operator or function; operator: ${type.toUpperCase()}, first operand: [${first.join(', ')}]`,
  );
}

const ORDERING = new Set<string>(['<', '<=', '>', '>=', 'between']);
const ORDERED = new Set(['S', 'N', 'B']);

/** Values that are given, not read from the item, must have an order. */
function checkOrdered(parameter: string, { type, args }: Condition): void {
  for (const operand of args) {
    const [kind = 'S'] = isJsonObject(operand) && operand['args'] === undefined ? Object.keys(operand) : [];
    if (ORDERED.has(kind)) continue;
    throw validationError(
      `Invalid ${parameter}: Incorrect operand type for operator or function; operator or function: ${type === 'between' ? 'BETWEEN' : type}, operand type: ${kind}`,
    );
  }
}

const PLAIN_NUMBER = /^(?:0|-?[1-9]\d{0,37})$/;

/** A request with its numbers as DynamoDB writes them; what is none stays. */
export function withCanonicalNumbers(value: JsonObject): JsonObject {
  let changed: Record<string, Json> | undefined;
  for (const [name, content] of Object.entries(value)) {
    const canonical = canonicalContent(name, content);
    if (canonical !== content) (changed ??= { ...value })[name] = canonical;
  }
  return changed ?? value;
}

function canonicalContent(name: string, content: Json): Json {
  if (isJsonObject(content)) return withCanonicalNumbers(content);
  if (isJsonList(content)) {
    const elements = content.map((element) =>
      name === 'NS' ? canonicalText(element) : canonicalContent('', element),
    );
    return elements.some((element, place) => element !== content[place]) ? elements : content;
  }
  return name === 'N' ? canonicalText(content) : content;
}

function canonicalText(number: Json): Json {
  if (typeof number !== 'string' || PLAIN_NUMBER.test(number)) return number;
  return canonicalNumber(number) ?? number;
}
