import {
  isJsonList,
  isJsonObject,
  jsonObjectIn,
  objectAt,
  objectsAt,
  textAt,
  type Json,
  type JsonObject,
} from '../template/index.ts';
import { SqsError } from './errors.ts';
import { calculateMessageSize, isXmlText, QUEUE_ATTRIBUTES } from './fauxqs.ts';

/* Checks that fauxqs lacks or words differently. The texts are AWS's. */

const MAXIMUM_ENTRIES = 10;
const MAXIMUM_REQUEST_BYTES = 1_048_576;
const MAXIMUM_DELAY_SECONDS = 900;
const MAXIMUM_VISIBILITY_SECONDS = 43_200;

export function entriesOf(action: string, request: JsonObject): readonly JsonObject[] {
  const entries = objectsAt(request, 'Entries');
  if (entries.length === 0) {
    throw new SqsError(
      'EmptyBatchRequest',
      `There should be at least one ${action}RequestEntry in the request.`,
    );
  }
  if (entries.length > MAXIMUM_ENTRIES) {
    throw new SqsError(
      'TooManyEntriesInBatchRequest',
      `Maximum number of entries per request are ${MAXIMUM_ENTRIES}. You have sent ${entries.length}.`,
    );
  }
  const ids = new Set<string>();
  for (const entry of entries) {
    const id = textAt(entry, 'Id') ?? '';
    if (!/^[\w-]{1,80}$/.test(id)) {
      throw new SqsError(
        'InvalidBatchEntryId',
        'A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long.',
      );
    }
    if (ids.has(id)) throw new SqsError('BatchEntryIdsNotDistinct', `Id ${id} repeated.`);
    ids.add(id);
  }
  return entries;
}

export function settled(
  entries: readonly JsonObject[],
  operation: (entry: JsonObject) => void,
): { readonly done: readonly JsonObject[]; readonly failed: readonly JsonObject[] } {
  const done: JsonObject[] = [];
  const failed: JsonObject[] = [];
  for (const entry of entries) {
    try {
      operation(entry);
      done.push(entry);
    } catch (error) {
      if (!(error instanceof SqsError)) throw error;
      failed.push({ Id: entry['Id'] ?? null, Code: error.code, Message: error.message, SenderFault: true });
    }
  }
  return { done, failed };
}

/** SQS leaves out empty parts, so code that expects `Messages` throws. */
export function withoutEmpty(body: unknown): JsonObject {
  const parts = Object.entries(isJsonObject(body) ? body : {});
  return Object.fromEntries(
    parts.filter(([, part]) => typeof part !== 'object' || part === null || Object.keys(part).length > 0),
  );
}

export function checkBatchSize(entries: readonly JsonObject[]): void {
  const bytes = entries.reduce((sum, entry) => sum + messageBytes(entry), 0);
  if (bytes > MAXIMUM_REQUEST_BYTES) {
    throw new SqsError(
      'BatchRequestTooLong',
      `Batch requests cannot be longer than ${MAXIMUM_REQUEST_BYTES} bytes. You have sent ${bytes} bytes.`,
    );
  }
}

function messageBytes(message: JsonObject): number {
  const given = Object.entries(objectAt(message, 'MessageAttributes')).map(([name, attribute]) => {
    const { DataType, StringValue, BinaryValue } = isJsonObject(attribute) ? attribute : {};
    return [
      name,
      {
        DataType: typeof DataType === 'string' ? DataType : '',
        ...(typeof StringValue === 'string' ? { StringValue } : {}),
        ...(typeof BinaryValue === 'string' ? { BinaryValue } : {}),
      },
    ] as const;
  });
  return calculateMessageSize(textAt(message, 'MessageBody') ?? '', Object.fromEntries(given));
}

/** @throws SqsError for an invalid message, alone or in a batch */
export function checkMessage(message: JsonObject): void {
  if ((textAt(message, 'MessageBody') ?? '') === '') {
    throw new SqsError('MissingParameter', 'The request must contain the parameter MessageBody.');
  }
  const delay = message['DelaySeconds'] ?? 0;
  if (!isWholeNumber(delay, 0, MAXIMUM_DELAY_SECONDS)) {
    throw invalid('DelaySeconds', delay, `DelaySeconds must be >= 0 and <= ${MAXIMUM_DELAY_SECONDS}.`);
  }
  const group = message['MessageGroupId'] ?? 'none';
  if (typeof group !== 'string' || !/^[\u0021-\u007e]{1,128}$/.test(group)) {
    throw invalid(
      'MessageGroupId',
      group,
      'MessageGroupId can only include alphanumeric and punctuation characters. 1 to 128 in length.',
    );
  }
  checkMessageAttributes(message);
}

export function checkReceive(request: JsonObject): void {
  const count = request['MaxNumberOfMessages'] ?? 1;
  if (!isWholeNumber(count, 1, MAXIMUM_ENTRIES)) {
    throw invalid('MaxNumberOfMessages', count, `Must be between 1 and ${MAXIMUM_ENTRIES}, if provided.`);
  }
}

export function visibilityTimeoutOf(request: JsonObject): number {
  const seconds = request['VisibilityTimeout'] ?? null;
  if (seconds === null) {
    throw new SqsError('MissingParameter', 'The request must contain the parameter VisibilityTimeout.');
  }
  if (!isWholeNumber(seconds, 0, MAXIMUM_VISIBILITY_SECONDS)) {
    throw invalid('VisibilityTimeout', seconds, `Must be between 0 and ${MAXIMUM_VISIBILITY_SECONDS}.`);
  }
  return seconds;
}

/** @returns the names, with `All` spelled out. @throws SqsError for an unknown name */
export function queueAttributeNames(request: JsonObject): readonly string[] {
  const names = namesAt(request, 'AttributeNames');
  const unknown = names.find((name) => name !== 'All' && !QUEUE_ATTRIBUTES.includes(name));
  if (unknown !== undefined) throw new SqsError('InvalidAttributeName', `Unknown Attribute ${unknown}.`);
  return names.includes('All') ? QUEUE_ATTRIBUTES : names;
}

const SETTABLE = new Set([
  'DelaySeconds',
  'KmsDataKeyReusePeriodSeconds',
  'KmsMasterKeyId',
  'MaximumMessageSize',
  'MessageRetentionPeriod',
  'ReceiveMessageWaitTimeSeconds',
  'RedrivePolicy',
  'SqsManagedSseEnabled',
  'VisibilityTimeout',
]);

/** An empty value removes the attribute. @throws SqsError */
export function newQueueAttributes(
  request: JsonObject,
  isQueue: (arn: string) => boolean,
): Readonly<Record<string, string>> {
  const attributes = Object.entries(objectAt(request, 'Attributes')).map(
    ([name, value]): readonly [string, string] => {
      if (name === 'Policy') {
        throw new SqsError(
          'UnsupportedOperation',
          "The local host takes a queue's policy from its template only.",
        );
      }
      if (!SETTABLE.has(name)) throw new SqsError('InvalidAttributeName', `Unknown Attribute ${name}.`);
      const text = typeof value === 'string' ? value : '';
      return [name, name === 'RedrivePolicy' && text !== '' ? redrivePolicy(text, isQueue) : text];
    },
  );
  return { ...Object.fromEntries(attributes), ...encryption(Object.fromEntries(attributes)) };
}

/** A queue has one of two keys. Nothing is encrypted here, but the settings show. */
function encryption({ KmsMasterKeyId, SqsManagedSseEnabled }: Readonly<Record<string, string>>) {
  if (KmsMasterKeyId === undefined) return {};
  if (KmsMasterKeyId === '') return { KmsDataKeyReusePeriodSeconds: '' };
  if (SqsManagedSseEnabled === 'true') {
    throw new SqsError(
      'InvalidAttributeName',
      'You can use one type of server-side encryption (SSE) at one time. You can either enable KMS SSE or SQS SSE.',
    );
  }
  return { SqsManagedSseEnabled: 'false' };
}

function redrivePolicy(text: string, isQueue: (arn: string) => boolean): string {
  const policy = jsonObjectIn(text);
  if (policy === undefined) throw invalid('RedrivePolicy', text, 'Redrive policy is not a valid JSON map.');
  for (const name of ['deadLetterTargetArn', 'maxReceiveCount']) {
    if (policy[name] === undefined) {
      throw invalid('RedrivePolicy', text, `Redrive policy does not contain mandatory attribute: ${name}.`);
    }
  }
  const { deadLetterTargetArn, maxReceiveCount } = policy;
  const count = Number(maxReceiveCount);
  if (!isWholeNumber(count, 1, 1000)) {
    throw invalid(
      'RedrivePolicy',
      text,
      `Invalid value for maxReceiveCount: ${textOf(maxReceiveCount ?? null)}, valid values are from 1 to 1000 both inclusive.`,
    );
  }
  if (typeof deadLetterTargetArn !== 'string' || !isQueue(deadLetterTargetArn)) {
    throw invalid('RedrivePolicy', text, 'Dead letter target does not exist.');
  }
  return JSON.stringify({ deadLetterTargetArn, maxReceiveCount: count });
}

export function namesAt(request: JsonObject, key: string): readonly string[] {
  const names = request[key];
  return isJsonList(names) ? names.filter((name) => typeof name === 'string') : [];
}

export function isWholeNumber(value: Json, minimum: number, maximum: number): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= minimum && value <= maximum;
}

function invalid(parameter: string, value: Json, reason: string): SqsError {
  return invalidValue(`Value ${textOf(value)} for parameter ${parameter} is invalid. Reason: ${reason}`);
}

function textOf(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

const MAXIMUM_ATTRIBUTES = 10;
const MAXIMUM_NAME_LENGTH = 256;

/** @throws SqsError for invalid attributes. Source: SQS developer guide, "Amazon SQS message metadata". */
function checkMessageAttributes(message: JsonObject): void {
  const attributes = objectAt(message, 'MessageAttributes');
  const count = Object.keys(attributes).length;
  if (count > MAXIMUM_ATTRIBUTES) {
    throw invalidValue(
      `Number of message attributes [${count}] exceeds the allowed maximum [${MAXIMUM_ATTRIBUTES}].`,
    );
  }
  for (const [name, attribute] of Object.entries(attributes)) {
    checkName(name);
    checkValue(name, isJsonObject(attribute) ? attribute : {});
  }
}

function checkName(name: string): void {
  if (name === '' || name.length > MAXIMUM_NAME_LENGTH) {
    throw invalidValue(`Message (user) attribute names must be shorter than ${MAXIMUM_NAME_LENGTH} Bytes`);
  }
  if (!/^[\p{L}\p{N}_.-]+$/u.test(name)) {
    throw invalidValue(
      'Message (user) attributes name can only contain upper and lower score characters, digits, periods, hyphens and underscores. ',
    );
  }
  if (/^(?:aws\.|amazon\.|\.)|\.$/i.test(name)) {
    throw invalidValue(
      "You can't use message attribute names beginning with 'AWS.' or 'Amazon.'. These strings are reserved for internal use. Additionally, they cannot start or end with '.'.",
    );
  }
}

function checkValue(name: string, attribute: JsonObject): void {
  const type = textAt(attribute, 'DataType') ?? '';
  if (type === '') {
    throw invalidValue(
      `The message (user) attribute '${name}' must contain a non-empty message attribute type.`,
    );
  }
  const [base = ''] = type.split('.', 1);
  if (!['String', 'Number', 'Binary'].includes(base)) {
    throw invalidValue(
      `The message (user) attribute '${name}' has an invalid message attribute type, the set of supported type prefixes is Binary, Number, and String.`,
    );
  }
  if (type.length > MAXIMUM_NAME_LENGTH) {
    throw invalidValue(`Message (user) attribute types must be shorter than ${MAXIMUM_NAME_LENGTH} Bytes`);
  }
  const value = textAt(attribute, base === 'Binary' ? 'BinaryValue' : 'StringValue') ?? '';
  if (value === '') {
    throw invalidValue(
      `Message (user) attribute '${name}' must contain a non-empty value of type '${base}'.`,
    );
  }
  if (base !== 'Binary' && !isXmlText(value)) {
    throw invalidValue(`Message (user) attribute '${name}' contains characters that are not valid.`);
  }
  if (base === 'Number' && !/^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(value)) {
    throw invalidValue(`Can't cast the value of message (user) attribute '${name}' to a number.`);
  }
}

export function invalidValue(message: string): SqsError {
  return new SqsError('InvalidParameterValue', message);
}
