import { httpHandler, parseAs, parseJson, type HttpRequest, type HttpResponse } from '../../shared/http.ts';
import { knownQuery } from '../../shared/page.ts';
import { problemBody } from '../../shared/problem.ts';
import { problem, writtenMessageBody } from '../api.ts';
import { requestBodyLimitBytes } from '../contract.ts';
import { PostedMessage } from '../domain/message.ts';
import { userOf } from '../requests.ts';
import { buildPostServices } from './services.ts';
import { writeMessage, type PostServices } from './write-message.ts';

/** `POST /messages`: writes a message once, however often the request comes. */
export async function postMessage(request: HttpRequest, services: PostServices): Promise<HttpResponse> {
  const from = userOf(request);
  knownQuery(request, []);
  const posted = parseAs(PostedMessage, parseJson(request.body, requestBodyLimitBytes));
  const written = await writeMessage({ ...posted, from, requestId: request.requestId }, services);
  if (written.outcome === 'too many') return tooManyMessages(written.waitSeconds);
  const body = writtenMessageBody(written.message);
  if (written.outcome === 'written') return { status: 201, body };
  return { status: 200, headers: { 'idempotent-replayed': 'true' }, body };
}

function tooManyMessages(waitSeconds: number): HttpResponse {
  const tooMany = problem('too-many-messages', { detail: `Send it again in ${waitSeconds} s.` });
  return {
    status: tooMany.status,
    headers: { 'content-type': 'application/problem+json', 'retry-after': String(waitSeconds) },
    body: problemBody(tooMany),
  };
}

let services: PostServices | undefined;

export const handler = httpHandler((request) => postMessage(request, (services ??= buildPostServices())));
