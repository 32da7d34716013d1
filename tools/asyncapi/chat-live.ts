import * as v from 'valibot';
import { serverFrames } from '../../lambda/chat/api.ts';
import type { deviceActions } from '../../lambda/chat/contract.ts';
import { AckFrame, HelloFrame, ReadFrame } from '../../lambda/chat/frames.ts';
import { componentSchemas } from '../openapi/json-schema.ts';
import { mapValues } from '../openapi/parts.ts';
import { schemas as shared } from '../openapi/schemas.ts';

/** The chat's WebSocket API as an AsyncAPI 3 document, with the schemas that handlers parse with. */

export const chatLiveFile = 'docs/asyncapi/chat-live.json';

const { ConversationId, Instant, NotificationId, Problem, Sequence, UserId } = shared;

export const deviceFrames = {
  hello: HelloFrame,
  ack: AckFrame,
  read: ReadFrame,
} satisfies Record<(typeof deviceActions)[number], v.GenericSchema>;

const GatewayFrame = v.object({ message: v.string(), connectionId: v.string(), requestId: v.string() });

const conversationId = '3bd9b7ea5ad83ec19bd3e99b985b0865';
const notification = {
  notificationId: `${conversationId}-0000001`,
  messageId: 'd3ed9f2735cec275d1963fcba5e10563',
  conversationId,
  sequence: 1,
  from: 'alice',
  text: 'are you there?',
  sentAt: '2026-11-22T21:58:05.959Z',
};

interface Message {
  readonly summary: string;
  readonly schema: v.GenericSchema;
  readonly example: unknown;
}

const fromDevices: Readonly<Record<string, Message>> = {
  hello: {
    summary: 'The device wants what arrives from now on, and what waits',
    schema: deviceFrames.hello,
    example: { action: 'hello' },
  },
  ack: {
    summary: 'The device has these notifications: they never come back. Ids that name nothing have no effect',
    schema: deviceFrames.ack,
    example: { action: 'ack', notificationIds: [notification.notificationId] },
  },
  read: {
    summary: 'The user has read a conversation up to a sequence. It never goes back',
    schema: deviceFrames.read,
    example: { action: 'read', conversationId, sequence: 1 },
  },
};

const fromServer: Readonly<Record<string, Message>> = {
  notification: {
    summary: 'A message waits for the user. It comes again at the next hello until a device acknowledges it',
    schema: serverFrames.notification,
    example: { type: 'notification', ...notification },
  },
  caughtUp: {
    summary:
      'What waited is pushed: the last sequence of each conversation. With `more` there are others, which `GET /conversations` has',
    schema: serverFrames['caught-up'],
    example: { type: 'caught-up', conversations: { [conversationId]: 1 } },
  },
  readReceipt: {
    summary: 'One of a conversation’s two members has read up to a sequence. Goes to the devices of both',
    schema: serverFrames.read,
    example: { type: 'read', conversationId, by: 'bob', sequence: 1 },
  },
  error: {
    summary: 'A frame of this device was refused, or failed. The connection survives',
    schema: serverFrames.error,
    example: {
      type: 'error',
      problem: {
        type: 'urn:duotempo:problem:unknown-action',
        title: 'The frame names no action that there is',
        status: 400,
      },
    },
  },
  gateway: {
    summary: 'API Gateway itself: too many frames, or a function that did not answer in time',
    schema: GatewayFrame,
    example: {
      message: 'Too Many Requests',
      connectionId: 'Zk3x1cZpoAMCJfw=',
      requestId: 'Zk3x4FqVIAMF6lA=',
    },
  },
};

const messages = { ...fromDevices, ...fromServer };

const replies: Readonly<Record<string, string>> = { hello: 'caughtUp' };

const schemaNames = Object.fromEntries(Object.keys(messages).map((name) => [name, `${name}Frame`]));

const inChannel = (name: string) => ({ $ref: `#/channels/connection/messages/${name}` });

export function chatLiveDocument() {
  const channel = { $ref: '#/channels/connection' };
  return {
    asyncapi: '3.1.0',
    info: {
      title: 'Duotempo chat, live',
      version: '1',
      description:
        'Notifications the moment they are written. Frames are JSON text of at most 32 KB, messages of several frames at most 128 KB; what is neither closes the connection. Frames may overtake each other: a device orders them by `sequence`, and fetches what it misses with `GET /conversations/{conversationId}/messages`. A push is a hint, the inbox is the truth.',
      license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
      tags: [{ name: 'chat' }],
    },
    defaultContentType: 'application/json',
    servers: {
      local: {
        host: 'localhost:3000',
        pathname: '/chat-live',
        protocol: 'ws',
        description: 'This machine',
        security: [{ $ref: '#/components/securitySchemes/token' }],
      },
      aws: {
        host: '{apiId}.execute-api.{region}.amazonaws.com',
        pathname: '/live',
        protocol: 'wss',
        description: 'AWS: the output WebSocketUrl of the stack',
        variables: { apiId: { default: 'abcdefghij' }, region: { default: 'us-east-1' } },
        security: [{ $ref: '#/components/securitySchemes/token' }],
      },
    },
    channels: {
      connection: {
        // Servers' pathnames say it all.
        address: '',
        summary: 'A connection is a device of the user whose token opened it.',
        messages: mapValues(messages, (_message, name) => ({ $ref: `#/components/messages/${name}` })),
        bindings: {
          ws: {
            method: 'GET',
            query: {
              type: 'object',
              required: ['token'],
              properties: { token: { type: 'string', description: 'See the security scheme.' } },
            },
          },
        },
      },
    },
    operations: {
      ...mapValues(fromDevices, ({ summary }, name) => ({
        action: 'receive',
        channel,
        summary,
        messages: [inChannel(name)],
        reply: { channel, messages: [replies[name] ?? [], 'error'].flat().map(inChannel) },
      })),
      ...mapValues(fromServer, ({ summary }, name) => ({
        action: 'send',
        channel,
        summary,
        messages: [inChannel(name)],
      })),
    },
    components: {
      messages: mapValues(messages, ({ summary, example }, name) => ({
        name,
        summary,
        payload: { $ref: `#/components/schemas/${schemaNames[name]}` },
        examples: [{ payload: example }],
      })),
      schemas: componentSchemas({
        ConversationId,
        Instant,
        NotificationId,
        Problem,
        Sequence,
        UserId,
        ...Object.fromEntries(
          Object.entries(messages).map(([name, { schema }]) => [String(schemaNames[name]), schema]),
        ),
      }),
      securitySchemes: {
        token: {
          type: 'httpApiKey',
          in: 'query',
          name: 'token',
          description:
            'The access token of a user who signed in at the user pool (InitiateAuth, USER_PASSWORD_AUTH, the client of the output ChatClientId). Browsers cannot give a WebSocket a header.',
        },
      },
    },
  };
}
