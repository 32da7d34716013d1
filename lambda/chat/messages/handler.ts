import { setTimeout as wait } from 'node:timers/promises';
import { systemClock } from '../../shared/clock.ts';
import { createDynamoDbClient } from '../../shared/dynamodb.ts';
import { environmentNumber, environmentVariable } from '../../shared/environment.ts';
import { httpHandler, parseAs, parseJson, type HttpRequest, type HttpResponse } from '../../shared/http.ts';
import { logger } from '../../shared/log.ts';
import { knownQuery } from '../../shared/page.ts';
import { Problem, problemBody, validationProblem } from '../../shared/problem.ts';
import { environmentNames, lastSequence, requestBodyLimitBytes } from '../contract.ts';
import { conversationIdOf, messageIdOf } from '../domain/identifiers.ts';
import { PostedMessage, type Message } from '../domain/message.ts';
import { userOf } from '../requests.ts';
import { addConversation } from '../store/conversations.ts';
import { getMessage, lastMessage, putMessage, sequenceOfMessage } from '../store/messages.ts';
import { takeFromLimit } from '../store/rate-limits.ts';

/** What posting a message needs of the world. */
export interface PostServices {
  readonly now: () => Date;
  /** The sequence of the last message; 0 if there is none. */
  readonly lastSequence: (conversationId: string) => Promise<number>;
  readonly find: (conversationId: string, messageId: string) => Promise<Message | undefined>;
  /** Puts a conversation that is about to begin among those of a member. */
  readonly addConversation: (userId: string, conversationId: string, other: string) => Promise<void>;
  readonly put: (message: Message) => Promise<'written' | 'taken' | 'full'>;
  /** Counts one message of the sender. @returns undefined, or the seconds to wait if it was one too many */
  readonly takeFromLimit: (userId: string) => Promise<number | undefined>;
  /** Waits a little, the longer the more attempts failed. */
  readonly pause: (attempt: number) => Promise<void>;
}

/** Of so many writers of one conversation at once, the unluckiest still gets a turn. */
const ATTEMPTS = 50;

/**
 * `POST /messages`: writes a message once, however often the request comes, under the next sequence of its
 * conversation. The write is the event: whoever is told of messages reads the table's stream.
 */
export async function postMessage(request: HttpRequest, services: PostServices): Promise<HttpResponse> {
  const from = userOf(request);
  knownQuery(request, []);
  const { to, text, clientMessageId } = parseAs(
    PostedMessage,
    parseJson(request.body, requestBodyLimitBytes),
  );
  if (to === from)
    throw validationProblem([{ pointer: '/to', detail: 'must be another user than yourself' }]);
  const conversationId = conversationIdOf(from, to);
  const messageId = messageIdOf(from, to, clientMessageId);

  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    // In this order: a double of this message stands at or before `last`, where it is found, or takes the next place.
    const last = await services.lastSequence(conversationId);
    const found = await services.find(conversationId, messageId);
    if (found !== undefined) return replay(found, text);
    if (last >= lastSequence) throw conversationFull();
    if (attempt === 1) {
      const waitSeconds = await services.takeFromLimit(from);
      if (waitSeconds !== undefined) return tooManyMessages(waitSeconds);
    }
    // Before the message, so that a conversation that has one is found; without one it is not shown.
    if (last === 0) {
      await Promise.all([
        services.addConversation(from, conversationId, to),
        services.addConversation(to, conversationId, from),
      ]);
    }
    const sentAt = services.now().toISOString();
    const { requestId } = request;
    const message = { conversationId, sequence: last + 1, messageId, from, to, text, sentAt, requestId };
    const result = await services.put(message);
    if (result === 'full') throw conversationFull();
    if (result === 'written') {
      logger.info('message written', { conversationId, sequence: message.sequence, messageId, attempt });
      return messageResponse(201, message);
    }
    await services.pause(attempt);
  }
  throw new Problem(503, 'conversation-busy', 'Too many messages are being written to this conversation', {
    detail: 'Send the same request again: nothing is done twice.',
  });
}

function replay(found: Message, text: string): HttpResponse {
  if (found.text !== text) {
    throw new Problem(422, 'client-message-id-reused', 'The clientMessageId was used for another text', {
      detail: 'Send a new clientMessageId with a new message; the same one only with the same text.',
    });
  }
  return messageResponse(200, found);
}

function messageResponse(
  status: 200 | 201,
  { messageId, conversationId, sequence, sentAt }: Message,
): HttpResponse {
  return {
    status,
    ...(status === 200 ? { headers: { 'idempotent-replayed': 'true' } } : {}),
    body: { messageId, conversationId, sequence, sentAt },
  };
}

function tooManyMessages(waitSeconds: number): HttpResponse {
  const problem = new Problem(429, 'too-many-messages', 'You are writing too many messages', {
    detail: `Send it again in ${waitSeconds} s.`,
  });
  return {
    status: problem.status,
    headers: { 'content-type': 'application/problem+json', 'retry-after': String(waitSeconds) },
    body: problemBody(problem),
  };
}

function conversationFull(): Problem {
  return new Problem(409, 'conversation-full', 'The conversation has come to its end', {
    detail: `A conversation ends at ${lastSequence} messages, or 10 GB.`,
  });
}

function buildServices(): PostServices {
  const client = createDynamoDbClient();
  const table = environmentVariable(environmentNames.messagesTable);
  const conversationsTable = environmentVariable(environmentNames.conversationsTable);
  const limitsTable = environmentVariable(environmentNames.rateLimitsTable);
  const limit = {
    messages: environmentNumber(environmentNames.rateLimitMessages),
    windowSeconds: environmentNumber(environmentNames.rateLimitWindowSeconds),
  };
  return {
    now: systemClock,
    lastSequence: async (conversationId) => (await lastMessage(client, table, conversationId))?.sequence ?? 0,
    find: async (conversationId, messageId) => {
      const sequence = await sequenceOfMessage(client, table, conversationId, messageId);
      return sequence === undefined ? undefined : getMessage(client, table, conversationId, sequence);
    },
    addConversation: (userId, conversationId, other) =>
      addConversation(client, conversationsTable, { userId, conversationId, with: other }),
    put: (message) => putMessage(client, table, message),
    takeFromLimit: (userId) => takeFromLimit(client, limitsTable, userId, limit, systemClock()),
    // By chance, so that those who met do not meet again.
    pause: (attempt) => wait(Math.random() * Math.min(10 * attempt, 100)),
  };
}

let services: PostServices | undefined;

export const handler = httpHandler((request) => postMessage(request, (services ??= buildServices())));
