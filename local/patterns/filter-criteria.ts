import {
  isJsonObject,
  objectListAt,
  ResourceError,
  type Json,
  type ResourceRequest,
} from '../template/index.ts';
import { compileEventPattern, type EventPattern } from './event-pattern.ts';

/** The patterns of `FilterCriteria` at a path, of which one must match. @throws ResourceError for what is no pattern. */
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
 * The pattern of a mapping of a queue. A body is JSON to a pattern that looks into it, and such a pattern matches no
 * other body. Source: Lambda developer guide, "Properly filtering Amazon SQS messages".
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
