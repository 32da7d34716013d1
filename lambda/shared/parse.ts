import * as v from 'valibot';

/**
 * Parses what this app or AWS has written, by its schema.
 *
 * @throws Error that says where it does not fit, and repeats no value: Lambda logs what a function throws, with
 *   everything that is in it, and the schema library's own errors hold all of their input
 */
export function parseWritten<S extends v.GenericSchema>(schema: S, value: unknown): v.InferOutput<S> {
  const result = v.safeParse(schema, value, { abortEarly: true });
  if (result.success) return result.output;
  const [issue] = result.issues;
  const place = (v.getDotPath(issue) ?? 'It').slice(0, 100);
  const what = issue.received === 'undefined' ? 'missing' : `not ${issue.expected ?? 'what it should be'}`;
  throw new TypeError(`${place} is ${what}.`);
}
