import { createDynamoDbClient } from '../../shared/dynamodb.ts';
import { httpHandler, type HttpRequest } from '../../shared/http.ts';
import { lazily } from '../../shared/lazily.ts';
import { pageBody, pageIn } from '../../shared/page.ts';
import { validationProblem } from '../../shared/problem.ts';
import { messageBody } from '../api.ts';
import { ConversationId, Sequence } from '../contract.ts';
import { pathParameter, userOf } from '../requests.ts';
import { messagesTable } from '../store/messages.ts';
import { readHistory } from './history.ts';

const messages = lazily(() => messagesTable(createDynamoDbClient()));

/** `GET /conversations/{conversationId}/messages?after=&limit=&cursor=` */
export const handler = httpHandler(async (request) => {
  const userId = userOf(request);
  const conversationId = pathParameter(request, 'conversationId', ConversationId);
  const { limit, cursor } = pageIn(request, Sequence, ['after']);
  const after = cursor ?? afterIn(request);
  const { items, next } = await readHistory(userId, conversationId, { after, limit }, messages());
  return { status: 200, body: pageBody(items.map(messageBody), next) };
});

/** 0 is before the first. */
function afterIn({ query }: HttpRequest): number {
  const { after = '0' } = query;
  if (!/^\d{1,7}$/.test(after)) {
    throw validationProblem([{ pointer: 'query:after', detail: 'must be a sequence, or 0' }]);
  }
  return Number(after);
}
