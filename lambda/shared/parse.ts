import * as v from 'valibot';

/**
 * For what this app or AWS has written. @throws Error that repeats no value, because Lambda logs thrown errors with
 * everything in them; the schema library's own errors hold their whole input
 */
export function parseWritten<S extends v.GenericSchema>(schema: S, value: unknown): v.InferOutput<S> {
  const result = v.safeParse(schema, value, { abortEarly: true });
  if (result.success) return result.output;
  const [issue] = result.issues;
  const place = (v.getDotPath(issue) ?? 'It').slice(0, 100);
  const what = issue.received === 'undefined' ? 'missing' : `not ${issue.expected ?? 'what it should be'}`;
  throw new TypeError(`${place} is ${what}.`);
}
