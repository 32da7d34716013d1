import * as v from 'valibot';

/** Answers are open objects, because a later version may add fields. */

export const Instant = v.pipe(v.string(), v.isoTimestamp());
export const Hash = v.pipe(v.string(), v.regex(/^[0-9a-f]{32}$/));
export const Cursor = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{1,4096}$/));

/** The last page has no cursor. */
export function pageOf<S extends v.GenericSchema>(item: S) {
  return { items: v.array(item), cursor: v.exactOptional(Cursor) };
}

type Unchanging<T> = T extends readonly (infer Item)[]
  ? readonly Unchanging<Item>[]
  : T extends object
    ? { readonly [Name in keyof T]: Unchanging<T[Name]> }
    : T;

export type Body<S extends v.GenericSchema> = Unchanging<v.InferOutput<S>>;

/** RFC 9457. */
export const ProblemBody = v.object({
  type: v.pipe(v.string(), v.regex(/^urn:duotempo:problem:[a-z0-9-]+$/)),
  title: v.string(),
  status: v.pipe(v.number(), v.integer(), v.minValue(400), v.maxValue(599)),
  detail: v.exactOptional(v.string()),
  errors: v.exactOptional(v.array(v.object({ pointer: v.string(), detail: v.string() }))),
});

/** What API Gateway itself answers. */
export const GatewayMessage = v.object({ message: v.string() });
