import { createDynamoDbClient } from '../../shared/dynamodb.ts';
import { environmentVariable } from '../../shared/environment.ts';
import { httpHandler, type HttpRequest, type HttpResponse } from '../../shared/http.ts';
import { pageBody, pageIn } from '../../shared/page.ts';
import { notFoundProblem, validationProblem } from '../../shared/problem.ts';
import { ConversationId, environmentNames, Sequence } from '../contract.ts';
import { isMember, type Message } from '../domain/message.ts';
import { pathParameter, userOf } from '../requests.ts';
import { getMessage, messagesAfter } from '../store/messages.ts';

export interface HistoryServices {
  readonly firstMessage: (conversationId: string) => Promise<Message | undefined>;
  /** At most `limit` messages behind a sequence, in order. */
  readonly messagesAfter: (
    conversationId: string,
    after: number,
    limit: number,
  ) => Promise<readonly Message[]>;
}

/** `GET /conversations/{conversationId}/messages?after=&limit=&cursor=`: the history, for its two members. */
export async function listMessages(request: HttpRequest, services: HistoryServices): Promise<HttpResponse> {
  const userId = userOf(request);
  const conversationId = pathParameter(request, 'conversationId', ConversationId);
  const { limit, cursor } = pageIn(request, Sequence, ['after']);
  const after = cursor ?? afterIn(request);
  const found = await services.messagesAfter(conversationId, after, limit + 1);
  const some = found[0] ?? (await services.firstMessage(conversationId));
  // Who is no member does not learn that there is a conversation.
  if (some === undefined || !isMember(some, userId)) throw notFoundProblem('conversation');
  const items = found.slice(0, limit);
  const next = found.length > limit ? items.at(-1)?.sequence : undefined;
  return { status: 200, body: pageBody(items.map(messageBody), next) };
}

function messageBody(message: Message): Record<string, unknown> {
  const { messageId, conversationId, sequence, from, to, text, sentAt } = message;
  return { messageId, conversationId, sequence, from, to, text, sentAt };
}

/** The query parameter `after`: 0 is before the first. */
function afterIn({ query }: HttpRequest): number {
  const { after = '0' } = query;
  if (!/^\d{1,7}$/.test(after)) {
    throw validationProblem([{ pointer: 'query:after', detail: 'must be a sequence, or 0' }]);
  }
  return Number(after);
}

function buildServices(): HistoryServices {
  const client = createDynamoDbClient();
  const table = environmentVariable(environmentNames.messagesTable);
  return {
    firstMessage: (conversationId) => getMessage(client, table, conversationId, 1),
    messagesAfter: (conversationId, after, limit) =>
      messagesAfter(client, table, conversationId, after, limit),
  };
}

let services: HistoryServices | undefined;

export const handler = httpHandler((request) => listMessages(request, (services ??= buildServices())));
