import { chatScope } from '../../lambda/chat/contract.ts';
import { answer, common, jsonBody, page, pathParameter, problem, response, type Json } from './parts.ts';

/** The operations of the chat API, by path and method. What goes over the WebSocket is no part of OpenAPI. */

const user: Json = { security: [{ chatUser: [chatScope] }], tags: ['chat'] };
const ofUsers = { ...common, 403: response('noChatUser') };

export const chatPaths: Readonly<Record<string, Json>> = {
  '/messages': {
    post: {
      ...user,
      operationId: 'postMessage',
      summary: 'Writes a message, once, however often the request comes',
      requestBody: jsonBody('PostedMessage'),
      responses: {
        200: answer('It was written before, by the same clientMessageId and text.', 'WrittenMessage', {
          'Idempotent-Replayed': { schema: { const: 'true' } },
        }),
        201: answer('It is written.', 'WrittenMessage'),
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
      ...user,
      operationId: 'listConversations',
      summary: 'The caller’s conversations, with where each ends and up to where the caller has read',
      parameters: page,
      responses: { 200: answer('A page of them.', 'ConversationPage'), ...ofUsers },
    },
  },
  '/conversations/{conversationId}/messages': {
    get: {
      ...user,
      operationId: 'listMessages',
      summary: 'A conversation’s messages by sequence, for its two members',
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
      ...user,
      operationId: 'listNotifications',
      summary: 'What waits for the caller',
      parameters: page,
      responses: { 200: answer('A page of it.', 'NotificationPage'), ...ofUsers },
    },
  },
  '/notifications/{notificationId}': {
    delete: {
      ...user,
      operationId: 'deleteNotification',
      summary: 'Acknowledges a notification; once more is no error',
      parameters: [pathParameter('notificationId', 'Identifier')],
      responses: { 204: { description: 'Acknowledged.' }, ...ofUsers, 404: problem('not-found') },
    },
  },
};
