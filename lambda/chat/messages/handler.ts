import { setTimeout as wait } from 'node:timers/promises';
import { systemClock } from '../../shared/clock.ts';
import { createDynamoDbClient } from '../../shared/dynamodb.ts';
import { environmentNumber } from '../../shared/environment.ts';
import { httpHandler, parseAs, parseJson, type HttpRequest, type HttpResponse } from '../../shared/http.ts';
import { lazily } from '../../shared/lazily.ts';
import { knownQuery } from '../../shared/page.ts';
import { problemBody } from '../../shared/problem.ts';
import { problem, writtenMessageBody } from '../api.ts';
import { environmentNames, requestBodyLimitBytes } from '../contract.ts';
import { PostedMessage } from '../domain/message.ts';
import { userOf } from '../requests.ts';
import { conversationsTable } from '../store/conversations.ts';
import { messagesTable } from '../store/messages.ts';
import { rateLimitsTable } from '../store/rate-limits.ts';
import { writeMessage, type PostServices } from './write-message.ts';

/** `POST /messages` */
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

const services = lazily((): PostServices => {
  const client = createDynamoDbClient();
  return {
    now: systemClock,
    messages: messagesTable(client),
    conversations: conversationsTable(client),
    rateLimits: rateLimitsTable(client),
    rateLimit: {
      messages: environmentNumber(environmentNames.rateLimitMessages),
      windowSeconds: environmentNumber(environmentNames.rateLimitWindowSeconds),
    },
    // Random, so that writers who collided do not collide again.
    pause: (attempt) => wait(Math.random() * Math.min(10 * attempt, 100)),
  };
});

export const handler = httpHandler(async (request) => postMessage(request, services()));
