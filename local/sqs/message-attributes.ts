import { isJsonObject, objectAt, textAt, type JsonObject } from '../template/index.ts';
import { SqsError } from './errors.ts';
import { isXmlText, md5OfMessageAttributes, type SqsMessage } from './fauxqs.ts';

type MessageAttributes = SqsMessage['messageAttributes'];

const MAXIMUM_COUNT = 10;
const MAXIMUM_NAME_LENGTH = 256;

/** @throws SqsError for attributes that no message can have. Source: SQS developer guide, "Amazon SQS message metadata". */
export function checkMessageAttributes(message: JsonObject): void {
  const attributes = objectAt(message, 'MessageAttributes');
  const count = Object.keys(attributes).length;
  if (count > MAXIMUM_COUNT) {
    throw invalid(`Number of message attributes [${count}] exceeds the allowed maximum [${MAXIMUM_COUNT}].`);
  }
  for (const [name, attribute] of Object.entries(attributes)) {
    checkName(name);
    checkValue(name, isJsonObject(attribute) ? attribute : {});
  }
}

function checkName(name: string): void {
  if (name === '' || name.length > MAXIMUM_NAME_LENGTH) {
    throw invalid(`Message (user) attribute names must be shorter than ${MAXIMUM_NAME_LENGTH} Bytes`);
  }
  if (!/^[\p{L}\p{N}_.-]+$/u.test(name)) {
    throw invalid(
      'Message (user) attributes name can only contain upper and lower score characters, digits, periods, hyphens and underscores. ',
    );
  }
  if (/^(?:aws\.|amazon\.|\.)|\.$/i.test(name)) {
    throw invalid(
      "You can't use message attribute names beginning with 'AWS.' or 'Amazon.'. These strings are reserved for internal use. Additionally, they cannot start or end with '.'.",
    );
  }
}

function checkValue(name: string, attribute: JsonObject): void {
  const type = textAt(attribute, 'DataType') ?? '';
  if (type === '') {
    throw invalid(`The message (user) attribute '${name}' must contain a non-empty message attribute type.`);
  }
  const [base = ''] = type.split('.', 1);
  if (!['String', 'Number', 'Binary'].includes(base)) {
    throw invalid(
      `The message (user) attribute '${name}' has an invalid message attribute type, the set of supported type prefixes is Binary, Number, and String.`,
    );
  }
  if (type.length > MAXIMUM_NAME_LENGTH) {
    throw invalid(`Message (user) attribute types must be shorter than ${MAXIMUM_NAME_LENGTH} Bytes`);
  }
  const value = textAt(attribute, base === 'Binary' ? 'BinaryValue' : 'StringValue') ?? '';
  if (value === '') {
    throw invalid(`Message (user) attribute '${name}' must contain a non-empty value of type '${base}'.`);
  }
  if (base !== 'Binary' && !isXmlText(value)) {
    throw invalid(`Message (user) attribute '${name}' contains characters that are not valid.`);
  }
  if (base === 'Number' && !/^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(value)) {
    throw invalid(`Can't cast the value of message (user) attribute '${name}' to a number.`);
  }
}

/**
 * The attributes that a receiver asked for, and the MD5 of that selection.
 *
 * @param names `All`, `*` and `.*` ask for all, `Hel.*` for those that begin with `Hel`.
 */
export function selectedAttributes(attributes: MessageAttributes, names: readonly string[]): JsonObject {
  const isWanted = (attribute: string): boolean =>
    names.some(
      (name) =>
        ['All', '*', attribute].includes(name) ||
        (name.endsWith('.*') && attribute.startsWith(name.slice(0, -2))),
    );
  const selected = Object.entries(attributes).filter(([name]) => isWanted(name));
  if (selected.length === 0) return {};
  return {
    MessageAttributes: Object.fromEntries(selected.map(([name, attribute]) => [name, { ...attribute }])),
    MD5OfMessageAttributes: md5OfMessageAttributes(Object.fromEntries(selected)),
  };
}

function invalid(message: string): SqsError {
  return new SqsError('InvalidParameterValue', message);
}
