import { chatScope } from '../../lambda/chat/contract.ts';
import {
  answer,
  common,
  jsonBody,
  link,
  page,
  pathParameter,
  problem,
  replayed,
  response,
  type Json,
} from './parts.ts';

/** Headings for readers and generated clients. */
export const chatTags = {
  messages: 'What users write to each other, by conversation.',
  notifications: 'What waits for a user until one of the user’s devices acknowledges it.',
};

const ofUser = (tag: keyof typeof chatTags): Json => ({
  security: [{ chatUser: [chatScope] }],
  tags: [tag],
});
const toMessages = (pointer: string): Json => link('listMessages', { conversationId: pointer });
const ofUsers = { ...common, 403: response('noChatUser') };

export const chatPaths: Readonly<Record<string, Json>> = {
  '/messages': {
    post: {
      ...ofUser('messages'),
      operationId: 'postMessage',
      summary: 'Writes a message, once, however often the request comes',
      description:
        'Its number is the next of the conversation. The same `clientMessageId` of the same sender to the same recipient never writes a second message.',
      requestBody: jsonBody('PostedMessage'),
      responses: {
        200: answer('It was written before, by the same clientMessageId and text.', 'WrittenMessage', {
          headers: replayed,
          links: toMessages('/conversationId'),
        }),
        201: answer('It is written.', 'WrittenMessage', { links: toMessages('/conversationId') }),
        ...ofUsers,
        400: problem('malformed-json', 'validation-failed'),
        409: problem('conversation-full'),
        413: response('bodyTooLarge'),
        422: problem('client-message-id-reused'),
        429: response('tooManyMessages'),
        503: response('conversationBusy'),
      },
    },
  },
  '/conversations': {
    get: {
      ...ofUser('messages'),
      operationId: 'listConversations',
      summary: 'The caller’s conversations, with where each ends and up to where the caller has read',
      description:
        'Those that have begun, by id. What a device missed while it was away shows in `lastSequence`.',
      parameters: page,
      responses: {
        200: answer('A page of them.', 'ConversationPage', {
          links: toMessages('/items/0/conversationId'),
        }),
        ...ofUsers,
      },
    },
  },
  '/conversations/{conversationId}/messages': {
    get: {
      ...ofUser('messages'),
      operationId: 'listMessages',
      summary: 'A conversation’s messages by sequence, for its two members',
      description: 'The whole history: a message stays, also when its notification has expired.',
      parameters: [
        pathParameter('conversationId', 'ConversationId'),
        { $ref: '#/components/parameters/after' },
        ...page,
      ],
      responses: { 200: answer('A page of them.', 'MessagePage'), ...ofUsers, 404: problem('not-found') },
    },
  },
  '/notifications': {
    get: {
      ...ofUser('notifications'),
      operationId: 'listNotifications',
      summary: 'What waits for the caller',
      description: 'What no device of the caller has acknowledged yet, until 30 days after it was sent.',
      parameters: page,
      responses: {
        200: answer('A page of it.', 'NotificationPage', {
          links: link('deleteNotification', { notificationId: '/items/0/notificationId' }),
        }),
        ...ofUsers,
      },
    },
  },
  '/notifications/{notificationId}': {
    delete: {
      ...ofUser('notifications'),
      operationId: 'deleteNotification',
      summary: 'Acknowledges a notification; once more is no error',
      description: 'It never comes back, on no device. What never waited for the caller answers 404.',
      parameters: [pathParameter('notificationId', 'Identifier')],
      responses: { 204: { description: 'Acknowledged.' }, ...ofUsers, 404: problem('not-found') },
    },
  },
};
