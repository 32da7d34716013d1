import * as v from 'valibot';
import { type ApiResponse, type CallApi, createCallApi } from '../api.ts';
import type { AccessTokens } from '../access-token.ts';
import { createHttpClient } from '../http.ts';
import type { Outputs } from '../outputs.ts';

/** A deployment's chat API, as one of its users calls it. */
export interface ChatApi {
  readonly call: CallApi;
  readonly close: () => void;
}

export function connectToChat(outputs: Outputs, tokens: AccessTokens, connections = 2): ChatApi {
  const http = createHttpClient({ connections });
  return {
    call: createCallApi({ http, apiUrl: outputs.DuotempoChat.ApiUrl, tokens }),
    close: () => http.close(),
  };
}

const postedSchema = v.object({
  messageId: v.string(),
  conversationId: v.string(),
  sequence: v.number(),
  sentAt: v.string(),
});
export type Posted = v.InferOutput<typeof postedSchema>;

/** What a message that was accepted is known by; undefined if it was refused. */
export function postedOf(response: ApiResponse): Posted | undefined {
  const parsed = v.safeParse(postedSchema, response.body);
  return response.status === 201 || response.status === 200
    ? parsed.success
      ? parsed.output
      : undefined
    : undefined;
}

const historySchema = v.object({
  items: v.array(
    v.object({
      messageId: v.string(),
      conversationId: v.string(),
      sequence: v.number(),
      from: v.string(),
      to: v.string(),
      text: v.string(),
      sentAt: v.string(),
    }),
  ),
  cursor: v.exactOptional(v.string()),
});
export type HistoryItem = v.InferOutput<typeof historySchema>['items'][number];

/** A page of a conversation behind a sequence; empty if it could not be had. */
export async function historyAfter(
  call: CallApi,
  conversationId: string,
  sequence: number,
): Promise<HistoryItem[]> {
  const response = await call({
    method: 'GET',
    path: `/conversations/${conversationId}/messages?after=${sequence}&limit=100`,
  });
  const parsed = v.safeParse(historySchema, response.body);
  return parsed.success ? parsed.output.items : [];
}
