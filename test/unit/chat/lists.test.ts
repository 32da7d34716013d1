import { describe, expect, it } from '@jest/globals';
import { listNotifications } from '../../../lambda/chat/inbox/handler.ts';
import type { ListServices } from '../../../lambda/chat/inbox/list-inbox.ts';
import { listConversations } from '../../../lambda/chat/messages/conversations-handler.ts';
import type { ConversationServices } from '../../../lambda/chat/messages/conversations.ts';
import type { HttpRequest } from '../../../lambda/shared/http.ts';
import { bob, chatMessage } from './world.ts';

/** Goal: a page of a list is found by a bounded number of reads, and its cursor leads on. Method: lists of odd items. */

const request = (query: Readonly<Record<string, string>>): HttpRequest => ({
  requestId: 'request-1',
  routeKey: 'GET /',
  path: {},
  query,
  headers: {},
  caller: { clientId: 'chat-client', scopes: [], username: bob },
  body: '',
});

interface Page {
  readonly items: readonly { readonly sequence: number; readonly conversationId: string }[];
  readonly cursor?: string;
}

describe('GET /notifications', () => {
  /** An inbox of so many, of which only each 1,000th is to be shown: the rest is expired, or acknowledged. */
  function inboxOf(total: number) {
    let reads = 0;
    const services: ListServices = {
      now: () => new Date(),
      inbox: {
        page: async (_, after, pageItems) => {
          reads += 1;
          const from = (after?.sequence ?? 0) + 1;
          const to = Math.min(from + pageItems - 1, total);
          const all = Array.from({ length: Math.max(0, to - from + 1) }, (_each, index) => from + index);
          return Promise.resolve({
            items: all
              .filter((sequence) => sequence % 1000 === 0)
              .map((sequence) => ({ notification: chatMessage(sequence), notifiedAt: '' })),
            readTo: to < total ? chatMessage(to) : undefined,
          });
        },
      },
    };
    return { services, reads: () => reads };
  }

  it('reads no more than 5 pages for one request, and finds everything by its cursors', async () => {
    const { services, reads } = inboxOf(3500);
    const found: number[] = [];
    let cursor: string | undefined;
    let requests = 0;
    do {
      const before = reads();
      const query = { limit: '10', ...(cursor === undefined ? {} : { cursor }) };
      const { body } = await listNotifications(request(query), services);
      expect(reads() - before).toBeLessThanOrEqual(5);
      const page = body as Page;
      found.push(...page.items.map(({ sequence }) => sequence));
      ({ cursor } = page);
      requests += 1;
    } while (cursor !== undefined);
    expect(found).toEqual([1000, 2000, 3000]);
    expect(requests).toBe(Math.ceil(3500 / 55));
  });
});

describe('GET /conversations', () => {
  it('leaves out one that was about to begin and did not, and goes on behind it', async () => {
    const ids = ['a', 'b', 'c'].map((letter) => letter.repeat(32));
    const services: ConversationServices = {
      conversations: {
        of: async (_, after, limit) =>
          Promise.resolve(
            ids
              .filter((id) => after === undefined || id > after)
              .slice(0, limit)
              .map((conversationId) => ({ conversationId, with: 'ada', readSequence: 0 })),
          ),
      },
      messages: {
        lastSequences: async (wanted) =>
          Promise.resolve(new Map(wanted.filter((id) => !id.startsWith('b')).map((id) => [id, 4]))),
      },
    };
    const found: string[] = [];
    let cursor: string | undefined;
    do {
      const query = { limit: '1', ...(cursor === undefined ? {} : { cursor }) };
      const page = (await listConversations(request(query), services)).body as Page;
      found.push(...page.items.map(({ conversationId }) => conversationId));
      ({ cursor } = page);
    } while (cursor !== undefined);
    expect(found).toEqual([ids[0], ids[2]]);
  });
});
