import { httpHandler, type HttpRequest, type HttpResponse } from '../../shared/http.ts';
import { pageBody, pageIn } from '../../shared/page.ts';
import { validationProblem } from '../../shared/problem.ts';
import { messageBody } from '../api.ts';
import { ConversationId, Sequence } from '../contract.ts';
import { pathParameter, userOf } from '../requests.ts';
import { readHistory, type HistoryServices } from './history.ts';
import { buildHistoryServices } from './services.ts';

/** `GET /conversations/{conversationId}/messages?after=&limit=&cursor=`: the history, for its two members. */
async function listMessages(request: HttpRequest, services: HistoryServices): Promise<HttpResponse> {
  const userId = userOf(request);
  const conversationId = pathParameter(request, 'conversationId', ConversationId);
  const { limit, cursor } = pageIn(request, Sequence, ['after']);
  const after = cursor ?? afterIn(request);
  const { items, next } = await readHistory(userId, conversationId, { after, limit }, services);
  return { status: 200, body: pageBody(items.map(messageBody), next) };
}

/** The query parameter `after`: 0 is before the first. */
function afterIn({ query }: HttpRequest): number {
  const { after = '0' } = query;
  if (!/^\d{1,7}$/.test(after)) {
    throw validationProblem([{ pointer: 'query:after', detail: 'must be a sequence, or 0' }]);
  }
  return Number(after);
}

let services: HistoryServices | undefined;

export const handler = httpHandler((request) => listMessages(request, (services ??= buildHistoryServices())));
