/** One thing wrong with a request. */
export interface ProblemField {
  /** JSON pointer into the body (RFC 6901), or `header:<name>`, `path:<name>`, `query:<name>`. */
  readonly pointer: string;
  readonly detail: string;
}

/** An answer that is an error the caller can act on (RFC 9457). Thrown by handlers, written by `httpHandler`. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly status: number;
  /** The stable part of the problem's type: `urn:duotempo:problem:<slug>`. */
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

/** The body of a problem answer, `application/problem+json`. */
export function problemBody({ status, slug, title, detail, errors }: Problem): Record<string, unknown> {
  return {
    type: `urn:duotempo:problem:${slug}`,
    title,
    status,
    ...(detail === undefined ? {} : { detail }),
    ...(errors === undefined ? {} : { errors }),
  };
}

export function validationProblem(errors: readonly ProblemField[]): Problem {
  return new Problem(400, 'validation-failed', 'The request is not valid', { errors });
}

export function notFoundProblem(what: string): Problem {
  return new Problem(404, 'not-found', `No such ${what}`);
}
