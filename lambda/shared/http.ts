import type {
  APIGatewayProxyEventV2WithJWTAuthorizer,
  APIGatewayProxyStructuredResultV2,
  Context,
} from 'aws-lambda';
import * as v from 'valibot';
import { errorFields, logger, logInvocation } from './log.ts';
import { commonProblem, Problem, problemBody, validationProblem, type ProblemField } from './problem.ts';

export interface HttpRequest {
  /** API Gateway's id. What the request writes keeps it, for searching the log. */
  readonly requestId: string;
  readonly routeKey: string;
  readonly path: Readonly<Record<string, string | undefined>>;
  readonly query: Readonly<Record<string, string | undefined>>;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly caller: Caller;
  readonly body: string;
}

export interface Caller {
  readonly clientId: string;
  readonly scopes: readonly string[];
  /** Only in the token of a user who signed in. */
  readonly username?: string;
}

export interface HttpResponse {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** An object becomes JSON. Text needs a content type in `headers`. */
  readonly body?: unknown;
}

export type HttpHandler = (
  event: APIGatewayProxyEventV2WithJWTAuthorizer,
  context: Pick<Context, 'awsRequestId'>,
) => Promise<APIGatewayProxyStructuredResultV2>;

/** A thrown `Problem` becomes the answer; any other error is logged and becomes a 500. */
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

/** Refuses what is not UTF-8: with replacement characters, two different bodies would read the same. */
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

/** @throws Problem 413 or 400 */
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
 * @param place where the value is, if not in the body: `path:businessDate`
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

/** Valibot's own message for a wrong type would repeat the value. */
function detailOf(issue: v.BaseIssue<unknown>): string {
  if (issue.expected === 'never') return 'is not a known field';
  if (issue.received === 'undefined') return 'is required';
  if (issue.kind === 'validation' || issue.type === 'picklist' || issue.type === 'custom')
    return issue.message;
  return `must be of type ${issue.expected ?? 'expected by the schema'}`;
}
