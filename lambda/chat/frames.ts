import * as v from 'valibot';
import type { NotificationBody, serverFrames } from './api.ts';
import { ConversationId, Sequence } from './contract.ts';
import { notificationIdOf } from './domain/identifiers.ts';
import { Identifier, type Notification } from './domain/message.ts';
import type { Body } from '../shared/api.ts';
import { problemBody, problemsOf, type Problem } from '../shared/problem.ts';

export const frameProblem = problemsOf({
  'unknown-action': [400, 'The frame names no action that there is'],
  'too-many-devices': [429, 'Too many devices of yours are online'],
});

export const HelloFrame = v.strictObject({ action: v.literal('hello') });

export const AckFrame = v.strictObject({
  action: v.literal('ack'),
  notificationIds: v.pipe(
    v.array(Identifier),
    v.minLength(1, 'must name at least 1 notification'),
    v.maxLength(100, 'must name at most 100 notifications'),
  ),
});

export const ReadFrame = v.strictObject({
  action: v.literal('read'),
  conversationId: ConversationId,
  sequence: Sequence,
});

export type ServerFrame = Body<(typeof serverFrames)[keyof typeof serverFrames]>;

export function notificationBody(notification: Notification): NotificationBody {
  const { messageId, conversationId, sequence, from, text, sentAt } = notification;
  return {
    notificationId: notificationIdOf(notification),
    messageId,
    conversationId,
    sequence,
    from,
    text,
    sentAt,
  };
}

export function notificationFrame(notification: Notification): ServerFrame {
  return { type: 'notification', ...notificationBody(notification) };
}

export function errorFrame(problem: Problem): ServerFrame {
  return { type: 'error', problem: problemBody(problem) };
}
