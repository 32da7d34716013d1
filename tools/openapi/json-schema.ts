import { toJsonSchemaDefs, type JsonSchema, type OverrideActionContext } from '@valibot/to-json-schema';
import type * as v from 'valibot';
import { isMerchantCategoryCode } from '../../lambda/card-settlement/domain/merchant-category-code.ts';
import currencyCodes from 'currency-codes';
import { currencyExponent, isQuotedCurrency } from '../../lambda/card-settlement/domain/money.ts';

/** Valibot schemas as JSON Schema 2020-12, which OpenAPI 3.1 uses. */

export type { JsonSchema };

/** Checks in code, by their message. A check that is not here makes the conversion fail, so none is left out. */
const checks: Readonly<Record<string, JsonSchema>> = {
  'must be a date, YYYY-MM-DD, that exists': { format: 'date', pattern: `^${datePattern()}$` },
  'must be an RFC 3339 date-time that exists': { format: 'date-time', pattern: instantPattern() },
  'must be an ISO 4217 code of a currency that markets quote': { enum: currencies(isQuotedCurrency) },
  'must be an ISO 4217 currency code': {
    enum: currencies((code) => currencyExponent(code) !== undefined),
  },
  'must be an ISO 18245 merchant category code': { pattern: merchantCategoryCodePattern() },
  'must be a whole number of minor units from 1 to 1,000,000,000,000': whole(1, 1_000_000_000_000),
  'must be 0, or not nearer to it than 1e-100': {
    anyOf: [{ const: 0 }, { minimum: 1e-100 }, { maximum: -1e-100 }],
  },
  'must be a whole number from 0 to 10,000': whole(0, 10_000),
  'must be a whole number from 0 to 1,000,000': whole(0, 1_000_000),
  'must be a whole number from 0 to 1000000': whole(0, 1_000_000),
  'must be a whole number from 0 to 9007199254740991': whole(0, Number.MAX_SAFE_INTEGER),
  'must name each type and currency once': { description: 'At most one line per type and currency.' },
  'must be plain decimal text above 0, at most 12 digits before and after the point': {
    pattern: String.raw`^(?=.*[1-9])\d{1,12}(?:\.\d{1,12})?$`,
  },
  'must be at most 200 characters': { description: 'Its length is counted in UTF-16 code units.' },
  'must name at least one currency': { minProperties: 1 },
  'must name at most 300 currencies': { maxProperties: 300 },
  // JSON Schema also counts code points.
  'must have at most 4000 characters': { maxLength: 4000 },
  'must not hold half a surrogate pair': { pattern: String.raw`^[^\uD800-\uDFFF]*$` },
};

/** @throws Error if a schema says what neither the converter nor `checks` can say */
export function componentSchemas<T extends Readonly<Record<string, v.GenericSchema>>>(
  schemas: T,
): Record<keyof T, JsonSchema> {
  return toJsonSchemaDefs(schemas, {
    target: 'draft-2020-12',
    // In a pipe of schemas the last says all: `propertyNames` refuses what the first schema of `rates` does.
    typeMode: 'output',
    overrideAction: sayInJsonSchema,
    overrideRef: ({ referenceId }) => `#/components/schemas/${referenceId}`,
  });
}

function sayInJsonSchema({ valibotAction, jsonSchema }: OverrideActionContext): JsonSchema | undefined {
  // The document shows requests as they come, before handlers change them. Only spaces are nothing once trimmed.
  if (valibotAction.type === 'trim') return { ...jsonSchema, pattern: String.raw`\S` };
  if (valibotAction.type === 'transform') return jsonSchema;
  const message: unknown = 'message' in valibotAction ? valibotAction.message : undefined;
  const said = typeof message === 'string' && Object.hasOwn(checks, message) ? checks[message] : undefined;
  // Undefined leaves it to the converter, which fails at a check.
  return said === undefined ? undefined : { ...jsonSchema, ...said };
}

function whole(minimum: number, maximum: number): JsonSchema {
  return { type: 'integer', minimum, maximum };
}

/** From 1970 to 9999. */
function datePattern(): string {
  const leapYear =
    '(?:19(?:7[26]|8[048]|9[26])|[2-9][0-9](?:0[48]|[2468][048]|[13579][26])|(?:2[048]|[468][048]|[3579][26])00)';
  const day =
    '(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|02-(?:0[1-9]|1[0-9]|2[0-8]))';
  return `(?:(?:19[7-9][0-9]|[2-9][0-9]{3})-${day}|${leapYear}-02-29)`;
}

function instantPattern(): string {
  const hourMinute = '(?:[01][0-9]|2[0-3]):[0-5][0-9]';
  return String.raw`^${datePattern()}[Tt]${hourMinute}:[0-5][0-9](?:\.[0-9]{1,9})?(?:[Zz]|[+-]${hourMinute})$`;
}

function currencies(isMeant: (code: string) => boolean): string[] {
  return currencyCodes.codes().filter(isMeant).toSorted();
}

function merchantCategoryCodePattern(): string {
  const lastDigits = new Map<string, string>();
  for (let number = 0; number < 10_000; number++) {
    const code = String(number).padStart(4, '0');
    const prefix = code.slice(0, 3);
    if (isMerchantCategoryCode(code)) {
      lastDigits.set(prefix, `${lastDigits.get(prefix) ?? ''}${code.slice(3)}`);
    }
  }
  const prefixes = new Map<string, string[]>();
  for (const [prefix, digits] of lastDigits) prefixes.set(digits, [...(prefixes.get(digits) ?? []), prefix]);
  const alternatives = [...prefixes].map(([digits, all]) => `(?:${all.join('|')})[${digits}]`);
  return `^(?:${alternatives.join('|')})$`;
}
