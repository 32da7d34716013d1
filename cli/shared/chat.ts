import type { IncomingMessage } from 'node:http';
import * as v from 'valibot';
import { WebSocket } from 'ws';
import { responses, serverFrames } from '../../lambda/chat/api.ts';
import { createCallApi, type ApiResponse, type CallApi } from './api.ts';
import { CommandError, errorMessage } from './command-error.ts';
import { parseJson } from './files.ts';
import { createHttpClient } from './http.ts';
import type { Outputs } from './outputs.ts';
import type { AccessTokens } from './tokens.ts';

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

export type Posted = v.InferOutput<typeof responses.WrittenMessage>;

export function postedOf({ status, body }: ApiResponse): Posted | undefined {
  const parsed = v.safeParse(responses.WrittenMessage, body);
  return parsed.success && (status === 201 || status === 200) ? parsed.output : undefined;
}

/** Empty if the API does not give it. */
export async function historyAfter(
  call: CallApi,
  conversationId: string,
  sequence: number,
): Promise<v.InferOutput<typeof responses.Message>[]> {
  const response = await call({
    method: 'GET',
    path: `/conversations/${conversationId}/messages?after=${sequence}&limit=100`,
  });
  const parsed = v.safeParse(responses.MessagePage, response.body);
  return parsed.success ? parsed.output.items : [];
}

export interface Device {
  readonly send: (frame: DeviceFrame) => void;
  readonly close: () => void;
  readonly terminate: () => void;
  /** Resolves with the WebSocket's close code when the connection has ended. */
  readonly closed: Promise<number>;
}

export type DeviceFrame =
  | { readonly action: 'hello' }
  | { readonly action: 'ack'; readonly notificationIds: readonly string[] }
  | { readonly action: 'read'; readonly conversationId: string; readonly sequence: number };

const serverFrame = v.variant('type', Object.values(serverFrames));

export type ServerFrame = v.InferOutput<typeof serverFrame>;
export type NotificationFrame = v.InferOutput<typeof serverFrames.notification>;

export async function connectDevice({
  webSocketUrl,
  token,
  onFrame,
}: {
  readonly webSocketUrl: string;
  readonly token: string;
  readonly onFrame: (frame: ServerFrame) => void;
}): Promise<Device> {
  const socket = new WebSocket(`${webSocketUrl}?token=${encodeURIComponent(token)}`, {
    handshakeTimeout: 10_000,
  });
  const closed = new Promise<number>((resolve) => {
    socket.on('close', (code) => resolve(code));
  });
  socket.on('message', (data: Buffer) => {
    const parsed = v.safeParse(serverFrame, parseJson(data.toString('utf8')));
    if (parsed.success) onFrame(parsed.output);
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('open', () => resolve());
    socket.once('unexpected-response', (_request, response: IncomingMessage) => {
      const status = response.statusCode ?? 0;
      const why = status === 401 || status === 403 ? 'refuses the token' : 'refuses the connection';
      reject(new CommandError(`${webSocketUrl} ${why}: it answered ${status}.`));
      socket.terminate();
    });
    // After the handshake this changes nothing: `closed` tells of later failures.
    socket.on('error', (error) => {
      reject(new CommandError(`${webSocketUrl} does not answer: ${errorMessage(error)}.`, { cause: error }));
    });
  });
  return {
    send: (frame) => socket.send(JSON.stringify(frame)),
    close: () => socket.close(),
    terminate: () => socket.terminate(),
    closed,
  };
}
