import * as v from 'valibot';
import type { HttpRequest } from './http.ts';
import { validationProblem } from './problem.ts';

const LIMIT = { default: 50, most: 100 };
/** All headers together may have 10,240 bytes. */
const CURSOR_LIMIT = 4096;

export interface PageRequest<C> {
  readonly limit: number;
  readonly cursor: C | undefined;
}

/** @param others parameters that the route also knows @throws Problem */
export function pageIn<S extends v.GenericSchema>(
  request: HttpRequest,
  cursorSchema: S,
  others: readonly string[] = [],
): PageRequest<v.InferOutput<S>> {
  knownQuery(request, ['limit', 'cursor', ...others]);
  const { limit = String(LIMIT.default), cursor } = request.query;
  if (!/^\d{1,3}$/.test(limit) || Number(limit) < 1 || Number(limit) > LIMIT.most) {
    throw validationProblem([
      { pointer: 'query:limit', detail: `must be a whole number from 1 to ${LIMIT.most}` },
    ]);
  }
  return {
    limit: Number(limit),
    cursor: cursor === undefined ? undefined : parseCursor(cursorSchema, cursor),
  };
}

/** @throws Problem */
export function knownQuery(request: HttpRequest, names: readonly string[]): void {
  const unknown = Object.keys(request.query).filter((name) => !names.includes(name));
  if (unknown.length > 0) {
    throw validationProblem(
      unknown.map((name) => ({ pointer: `query:${name.slice(0, 64)}`, detail: 'is not a known parameter' })),
    );
  }
}

/** The last page has no cursor. */
export function pageBody(items: readonly unknown[], next: unknown): Record<string, unknown> {
  return { items, ...(next === undefined ? {} : { cursor: encodeCursor(next) }) };
}

function encodeCursor(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function parseCursor<S extends v.GenericSchema>(schema: S, cursor: string): v.InferOutput<S> {
  const wrong = validationProblem([
    { pointer: 'query:cursor', detail: 'is not a cursor that this list gave' },
  ]);
  if (!/^[A-Za-z0-9_-]+$/.test(cursor) || cursor.length > CURSOR_LIMIT) throw wrong;
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
  } catch {
    throw wrong;
  }
  const result = v.safeParse(schema, value);
  if (!result.success) throw wrong;
  return result.output;
}
