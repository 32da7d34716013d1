import { httpHandler, type HttpRequest, type HttpResponse } from '../../shared/http.ts';
import { pageBody, pageIn } from '../../shared/page.ts';
import { ConversationId } from '../contract.ts';
import type { CaughtUpServices } from '../drain/caught-up.ts';
import { userOf } from '../requests.ts';
import { listConversationsOf } from './conversations.ts';
import { buildConversationServices } from './services.ts';

/** `GET /conversations`: those of the caller, each with its last sequence and up to where the caller has read. */
export async function listConversations(
  request: HttpRequest,
  services: CaughtUpServices,
): Promise<HttpResponse> {
  const userId = userOf(request);
  const { limit, cursor } = pageIn(request, ConversationId);
  const { items, next } = await listConversationsOf(userId, { after: cursor, limit }, services);
  return { status: 200, body: pageBody(items, next) };
}

let services: CaughtUpServices | undefined;

export const handler = httpHandler((request) =>
  listConversations(request, (services ??= buildConversationServices())),
);
