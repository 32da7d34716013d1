/**
 * As much of JSON Schema 2020-12 as the documents of the APIs use. A keyword that is not known here is an error, so that
 * no part of a schema goes unchecked.
 */

type Schema = Readonly<Record<string, unknown>>;

interface CheckOptions {
  /** The document that references point into. */
  readonly document: unknown;
  /** True if members that a schema does not name are faults, even where it lets them pass. @default false */
  readonly closed?: boolean;
}

const annotations = new Set(['description', 'default', 'examples', '$schema']);

/** @returns what is wrong, a line each: none if the value is as the schema says */
export function faultsOf(value: unknown, schema: Schema, options: CheckOptions, at = ''): string[] {
  const faults: string[] = [];
  const fault = (what: string): void => void faults.push(`${at || '/'} ${what}`);
  const below = (member: unknown, memberSchema: unknown, name: string): void => {
    faults.push(...faultsOf(member, memberSchema as Schema, options, `${at}/${name}`));
  };
  const object = isObject(value) ? value : undefined;

  for (const [keyword, said] of Object.entries(schema)) {
    const limit = Number(said);
    switch (keyword) {
      case '$ref':
        faults.push(...faultsOf(value, resolved(String(said), options.document), options, at));
        break;
      case 'type':
        if (!isOfType(value, String(said))) fault(`is no ${String(said)}`);
        break;
      case 'const':
        if (value !== said) fault(`is not ${String(said)}`);
        break;
      case 'enum':
        if (!(said as unknown[]).includes(value)) fault('is none of the values');
        break;
      case 'anyOf':
        if ((said as Schema[]).every((each) => faultsOf(value, each, options, at).length > 0))
          fault('is nothing of what it may be');
        break;
      case 'pattern':
        if (typeof value === 'string' && !new RegExp(String(said), 'u').test(value))
          fault('has another form');
        break;
      case 'format':
        if (typeof value === 'string' && !hasFormat(value, String(said))) fault(`is no ${String(said)}`);
        break;
      case 'minLength':
        if (typeof value === 'string' && Array.from(value).length < limit) fault('is too short');
        break;
      case 'maxLength':
        if (typeof value === 'string' && Array.from(value).length > limit) fault('is too long');
        break;
      case 'minimum':
        if (typeof value === 'number' && value < limit) fault('is too small');
        break;
      case 'maximum':
        if (typeof value === 'number' && value > limit) fault('is too large');
        break;
      case 'items':
        if (Array.isArray(value))
          for (const [index, item] of value.entries()) below(item, said, String(index));
        break;
      case 'minItems':
        if (Array.isArray(value) && value.length < limit) fault('has too few items');
        break;
      case 'maxItems':
        if (Array.isArray(value) && value.length > limit) fault('has too many items');
        break;
      case 'required':
        for (const name of said as string[])
          if (object !== undefined && !Object.hasOwn(object, name)) fault(`lacks ${name}`);
        break;
      case 'properties':
        for (const [name, property] of Object.entries(said as Schema))
          if (object !== undefined && Object.hasOwn(object, name)) below(object[name], property, name);
        break;
      case 'propertyNames':
        for (const name of Object.keys(object ?? {})) below(name, said, name);
        break;
      case 'additionalProperties':
        for (const name of othersOf(object, schema)) {
          if (said === false) fault(`has the unknown ${name}`);
          else below(object?.[name], said, name);
        }
        break;
      case 'minProperties':
        if (object !== undefined && Object.keys(object).length < limit) fault('has too few members');
        break;
      case 'maxProperties':
        if (object !== undefined && Object.keys(object).length > limit) fault('has too many members');
        break;
      default:
        if (!annotations.has(keyword)) throw new Error(`${at || '/'}: ${keyword} is not checked here`);
    }
  }
  if (options.closed === true && 'properties' in schema && !('additionalProperties' in schema)) {
    for (const name of othersOf(object, schema)) fault(`has ${name}, which is not documented`);
  }
  return faults;
}

/** What a reference within the document points at. */
export function resolved(pointer: string, document: unknown): Schema {
  let found: unknown = document;
  for (const name of pointer.replace(/^#\//, '').split('/'))
    found = isObject(found) ? found[name] : undefined;
  if (!isObject(found)) throw new Error(`${pointer} points at nothing`);
  return found;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function othersOf(object: Record<string, unknown> | undefined, schema: Schema): string[] {
  return Object.keys(object ?? {}).filter((name) => !Object.hasOwn(Object(schema['properties'] ?? {}), name));
}

function isOfType(value: unknown, type: string): boolean {
  if (type === 'object') return isObject(value);
  if (type === 'array') return Array.isArray(value);
  if (type === 'integer') return Number.isInteger(value);
  return typeof value === type;
}

function hasFormat(text: string, format: string): boolean {
  if (format === 'date') return /^\d{4}-\d\d-\d\d$/.test(text);
  if (format === 'date-time') return !Number.isNaN(Date.parse(text)) && /^\d{4}-\d\d-\d\dT/i.test(text);
  throw new Error(`The format ${format} is not checked here`);
}
