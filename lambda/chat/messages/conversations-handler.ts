import { createDynamoDbClient } from '../../shared/dynamodb.ts';
import { environmentVariable } from '../../shared/environment.ts';
import { httpHandler, type HttpRequest, type HttpResponse } from '../../shared/http.ts';
import { pageBody, pageIn } from '../../shared/page.ts';
import { lastSequences, type CaughtUpServices } from '../drain/caught-up.ts';
import { ConversationId, environmentNames } from '../contract.ts';
import { userOf } from '../requests.ts';
import { conversationsOf } from '../store/conversations.ts';
import { lastMessage } from '../store/messages.ts';

/**
 * `GET /conversations`: those of the caller, each with its last sequence and up to where the caller has read. So a device
 * that was away for longer than notifications wait finds what it missed.
 */
export async function listConversations(
  request: HttpRequest,
  services: CaughtUpServices,
): Promise<HttpResponse> {
  const userId = userOf(request);
  const { limit, cursor } = pageIn(request, ConversationId);
  const found = await services.conversationsOf(userId, cursor, limit + 1);
  const page = found.slice(0, limit);
  const sequences = await lastSequences(page, services);
  // One that is not among them was about to begin, and did not.
  const items = page.flatMap((conversation) => {
    const lastSequence = sequences.get(conversation.conversationId);
    return lastSequence === undefined ? [] : [{ ...conversation, lastSequence }];
  });
  const next = found.length > limit ? page.at(-1)?.conversationId : undefined;
  return { status: 200, body: pageBody(items, next) };
}

function buildServices(): CaughtUpServices {
  const client = createDynamoDbClient();
  const conversations = environmentVariable(environmentNames.conversationsTable);
  const messages = environmentVariable(environmentNames.messagesTable);
  return {
    conversationsOf: (...page) => conversationsOf(client, conversations, ...page),
    lastSequence: async (conversationId) => (await lastMessage(client, messages, conversationId))?.sequence,
  };
}

let services: CaughtUpServices | undefined;

export const handler = httpHandler((request) => listConversations(request, (services ??= buildServices())));
