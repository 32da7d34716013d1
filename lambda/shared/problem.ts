import type { Body, ProblemBody } from './api.ts';

export interface ProblemField {
  /** JSON pointer into the body (RFC 6901), or `header:<name>`, `path:<name>`, `query:<name>`. */
  readonly pointer: string;
  readonly detail: string;
}

/** An error that the caller can act on (RFC 9457). */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly status: number;
  /** The problem's type is `urn:duotempo:problem:<slug>`. */
  readonly slug: string;
  readonly title: string;
  readonly detail: string | undefined;
  readonly errors: readonly ProblemField[] | undefined;

  constructor(
    status: number,
    slug: string,
    title: string,
    more: { detail?: string; errors?: readonly ProblemField[] } = {},
  ) {
    super(title);
    this.status = status;
    this.slug = slug;
    this.title = title;
    this.detail = more.detail;
    this.errors = more.errors;
  }
}

export function problemBody({ status, slug, title, detail, errors }: Problem): Body<typeof ProblemBody> {
  return {
    type: `urn:duotempo:problem:${slug}`,
    title,
    status,
    ...(detail === undefined ? {} : { detail }),
    ...(errors === undefined ? {} : { errors }),
  };
}

/** Without `not-found`, whose title says what was not found. */
export const commonProblems = {
  'malformed-json': [400, 'The body is not JSON'],
  'validation-failed': [400, 'The request is not valid'],
  'body-too-large': [413, 'The body is too large'],
  'internal-error': [500, 'Something went wrong here'],
} as const;

export function problemsOf<Type extends string>(
  types: Readonly<Record<Type, readonly [status: number, title: string]>>,
): (type: Type, more?: { detail?: string; errors?: readonly ProblemField[] }) => Problem {
  return (type, more) => new Problem(types[type][0], type, types[type][1], more);
}

export const commonProblem = problemsOf(commonProblems);

export function validationProblem(errors: readonly ProblemField[]): Problem {
  return commonProblem('validation-failed', { errors });
}

export function notFoundProblem(what: string): Problem {
  return new Problem(404, 'not-found', `No such ${what}`);
}
