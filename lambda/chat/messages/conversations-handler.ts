import { createDynamoDbClient } from '../../shared/dynamodb.ts';
import { httpHandler, type HttpRequest, type HttpResponse } from '../../shared/http.ts';
import { lazily } from '../../shared/lazily.ts';
import { pageBody, pageIn } from '../../shared/page.ts';
import { ConversationId } from '../contract.ts';
import { userOf } from '../requests.ts';
import { conversationsTable } from '../store/conversations.ts';
import { messagesTable } from '../store/messages.ts';
import { listConversationsOf, type ConversationServices } from './conversations.ts';

/** `GET /conversations` */
export async function listConversations(
  request: HttpRequest,
  services: ConversationServices,
): Promise<HttpResponse> {
  const userId = userOf(request);
  const { limit, cursor } = pageIn(request, ConversationId);
  const { items, next } = await listConversationsOf(userId, { after: cursor, limit }, services);
  return { status: 200, body: pageBody(items, next) };
}

const services = lazily(() => {
  const client = createDynamoDbClient();
  return { conversations: conversationsTable(client), messages: messagesTable(client) };
});

export const handler = httpHandler(async (request) => listConversations(request, services()));
