import type {
  APIGatewayProxyEventV2WithJWTAuthorizer,
  APIGatewayProxyStructuredResultV2,
  Context,
} from 'aws-lambda';
import * as v from 'valibot';
import { errorFields, logger, logInvocation } from './log.ts';
import { commonProblem, Problem, problemBody, validationProblem, type ProblemField } from './problem.ts';

/** What a handler gets of a request. */
export interface HttpRequest {
  /** API Gateway's id of the request: what it makes carries it along, so that it can be followed through the log. */
  readonly requestId: string;
  readonly routeKey: string;
  /** Values of the route's parameters, decoded. */
  readonly path: Readonly<Record<string, string | undefined>>;
  readonly query: Readonly<Record<string, string | undefined>>;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** Of the access token: who calls, and what it may do. */
  readonly caller: Caller;
  /** The body as text; empty if there is none. */
  readonly body: string;
}

export interface Caller {
  readonly clientId: string;
  readonly scopes: readonly string[];
  /** The user who signed in; none in a token that a program got for itself. */
  readonly username?: string;
}

export interface HttpResponse {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** An object is written as JSON; text as it stands, with the content type that `headers` gives. */
  readonly body?: unknown;
}

export type HttpHandler = (
  event: APIGatewayProxyEventV2WithJWTAuthorizer,
  context: Pick<Context, 'awsRequestId'>,
) => Promise<APIGatewayProxyStructuredResultV2>;

/**
 * Makes a function for an HTTP API route: a `Problem` becomes its answer; anything else that is thrown is logged and
 * becomes a 500 problem, so that its caller retries with the same key.
 */
export function httpHandler(handle: (request: HttpRequest) => Promise<HttpResponse>): HttpHandler {
  return async (event, context) => {
    logInvocation(context, { requestId: event.requestContext.requestId });
    try {
      return written(await handle(requestOf(event)));
    } catch (error) {
      const { routeKey } = event;
      if (error instanceof Problem) {
        logger.info('request refused', { routeKey, status: error.status, problem: error.slug });
        return problemResponse(error);
      }
      logger.error('request failed', { routeKey, ...errorFields(error) });
      return problemResponse(
        commonProblem('internal-error', { detail: 'Send the same request again: nothing is done twice.' }),
      );
    }
  };
}

function requestOf(event: APIGatewayProxyEventV2WithJWTAuthorizer): HttpRequest {
  const claims = event.requestContext.authorizer?.jwt.claims ?? {};
  return {
    requestId: event.requestContext.requestId,
    routeKey: event.routeKey,
    path: event.pathParameters ?? {},
    query: event.queryStringParameters ?? {},
    headers: event.headers,
    caller: {
      clientId: String(claims['client_id'] ?? ''),
      scopes: String(claims['scope'] ?? '')
        .split(' ')
        .filter((scope) => scope !== ''),
      ...(claims['username'] === undefined ? {} : { username: String(claims['username']) }),
    },
    body: bodyText(event),
  };
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** What is no UTF-8 is refused: with its bytes replaced, two bodies that differ would read alike. */
function bodyText({
  body = '',
  isBase64Encoded,
}: Pick<APIGatewayProxyEventV2WithJWTAuthorizer, 'body' | 'isBase64Encoded'>): string {
  if (!isBase64Encoded) return body;
  try {
    return utf8.decode(Buffer.from(body, 'base64'));
  } catch {
    throw commonProblem('malformed-json', { detail: 'It is not UTF-8.' });
  }
}

function written({ status, headers = {}, body }: HttpResponse): APIGatewayProxyStructuredResultV2 {
  if (body === undefined) return { statusCode: status, headers: { ...headers } };
  if (typeof body === 'string') return { statusCode: status, headers: { ...headers }, body };
  return {
    statusCode: status,
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  };
}

function problemResponse(problem: Problem): APIGatewayProxyStructuredResultV2 {
  return {
    statusCode: problem.status,
    headers: { 'content-type': 'application/problem+json' },
    body: JSON.stringify(problemBody(problem)),
  };
}

/** Reads a body as JSON of at most `limitBytes` bytes. @throws Problem 413 or 400 */
export function parseJson(body: string, limitBytes: number): unknown {
  if (Buffer.byteLength(body) > limitBytes) {
    throw commonProblem('body-too-large', {
      detail: `A body may have at most ${limitBytes} bytes.`,
    });
  }
  try {
    return JSON.parse(body);
  } catch {
    throw commonProblem('malformed-json');
  }
}

/**
 * Parses a value by its schema; the schema is the type.
 *
 * @param place where the value stands, if not in the body: `path:businessDate`
 * @throws Problem 400 that names every field at fault and repeats no value
 */
export function parseAs<S extends v.GenericSchema>(
  schema: S,
  value: unknown,
  place?: string,
): v.InferOutput<S> {
  const result = v.safeParse(schema, value);
  if (result.success) return result.output;
  throw validationProblem(result.issues.slice(0, 100).map((issue) => fieldOf(issue, place)));
}

function fieldOf(issue: v.BaseIssue<unknown>, place: string | undefined): ProblemField {
  const keys = (issue.path ?? []).map(({ key }) => String(key).slice(0, 64));
  const pointer = keys.map((key) => `/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
  return { pointer: `${place ?? ''}${pointer}`, detail: detailOf(issue) };
}

/** The schema's own words for a value that is wrong; valibot's for a type would repeat the value. */
function detailOf(issue: v.BaseIssue<unknown>): string {
  if (issue.expected === 'never') return 'is not a known field';
  if (issue.received === 'undefined') return 'is required';
  if (issue.kind === 'validation' || issue.type === 'picklist' || issue.type === 'custom')
    return issue.message;
  return `must be of type ${issue.expected ?? 'expected by the schema'}`;
}
