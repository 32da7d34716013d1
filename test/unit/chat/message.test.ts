import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import * as v from 'valibot';
import {
  deviceLimit,
  DrainMessage,
  NotificationMessage,
  pipeInputTemplate,
} from '../../../lambda/chat/contract.ts';
import {
  conversationIdOf,
  conversationSequenceOf,
  IDENTIFIER,
  messageIdOf,
  notificationIdOf,
  placeOf,
  USER_ID,
} from '../../../lambda/chat/domain/identifiers.ts';
import { PostedMessage } from '../../../lambda/chat/domain/message.ts';
import { errorFrame, notificationFrame } from '../../../lambda/chat/frames.ts';
import { Problem } from '../../../lambda/shared/problem.ts';
import { chatMessage } from './world.ts';

const posted = (text: unknown) => v.is(PostedMessage, { to: 'bob', text, clientMessageId: 'a' });
const user = fc.stringMatching(new RegExp(USER_ID.source));
/** As `unit: 'binary'`, which makes a table of all 1.1 million first. */
const character = fc
  .integer({ min: 0, max: 0x10_f7ff })
  .map((code) => String.fromCodePoint(code < 0xd800 ? code : code + 0x800));
const place = fc.record({
  conversationId: fc.stringMatching(/^[0-9a-f]{32}$/),
  sequence: fc.integer({ min: 1, max: 1_000_000 }),
});

describe('a text', () => {
  it('of 1 to 4,000 whole characters of any kind is taken, and survives JSON and UTF-8', () => {
    fc.assert(
      fc.property(fc.string({ unit: character, minLength: 1, maxLength: 4000 }), (text) => {
        expect(posted(text)).toBe(true);
        expect(Buffer.from(text, 'utf8').toString('utf8')).toBe(text);
      }),
    );
  });

  it('with half a surrogate pair anywhere is not', () => {
    const half = fc.integer({ min: 0xd800, max: 0xdfff }).map((unit) => String.fromCharCode(unit));
    const around = fc.string({ unit: 'grapheme-ascii', maxLength: 20 });
    fc.assert(
      fc.property(around, half, around, (before, unit, after) => {
        expect(posted(`${before}${unit}${after}`)).toBe(false);
      }),
    );
  });

  it.each([
    ['', false],
    ['x', true],
    ['x'.repeat(4000), true],
    ['x'.repeat(4001), false],
    ['😀'.repeat(4000), true],
    ['😀'.repeat(4001), false],
    ['x'.repeat(1_000_000), false],
    [7, false],
    [null, false],
    [['x'], false],
  ])('%.10s…: %p', (text, isTaken) => {
    expect(posted(text)).toBe(isTaken);
  });

  it('of 4,000 characters, whichever they are, fits a WebSocket frame', () => {
    for (const text of ['😀', '\u0000', '"', '\u2028', 'é'].map((character) => character.repeat(4000))) {
      const frame = JSON.stringify(notificationFrame({ ...chatMessage(1), text }));
      expect(Buffer.byteLength(frame)).toBeLessThan(32 * 1024);
    }
  });
});

describe('ids', () => {
  it('of a conversation are those of its two users, whoever of them writes', () => {
    fc.assert(
      fc.property(user, user, user, (one, other, third) => {
        expect(conversationIdOf(one, other)).toBe(conversationIdOf(other, one));
        fc.pre(third !== one && third !== other && one !== other);
        expect(conversationIdOf(one, third)).not.toBe(conversationIdOf(one, other));
      }),
    );
    expect(conversationIdOf('ab', 'c')).not.toBe(conversationIdOf('a', 'bc'));
  });

  it('of a message are other ones for every sender, recipient and id', () => {
    const ids = ['ada', 'bob', 'cy'].flatMap((from) =>
      ['ada', 'bob', 'cy'].flatMap((to) => ['1', '2'].map((id) => messageIdOf(from, to, id))),
    );
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.every((id) => IDENTIFIER.test(id))).toBe(true);
  });

  it('of a notification lead back to its place, and nothing else does', () => {
    fc.assert(
      fc.property(place, (where) => {
        expect(placeOf(notificationIdOf(where))).toEqual(where);
        expect(notificationIdOf(where)).toMatch(IDENTIFIER);
      }),
    );
    fc.assert(
      fc.property(fc.string(), (text) => {
        const found = placeOf(text);
        expect(found === undefined || notificationIdOf(found) === text).toBe(true);
      }),
    );
    expect(placeOf(`${'0'.repeat(32)}-0000000`)).toBeUndefined();
  });

  it('sort in a queue by conversation, then by sequence', () => {
    fc.assert(
      fc.property(place, place, (one, other) => {
        const [left, right] = [conversationSequenceOf(one), conversationSequenceOf(other)];
        if (one.conversationId === other.conversationId)
          expect(left < right).toBe(one.sequence < other.sequence);
        else expect(left < right).toBe(one.conversationId < other.conversationId);
      }),
    );
  });
});

describe('the notification queue', () => {
  it.each(['JKJaXmPLvHcESHA=', ''])('takes what the pipe makes of a record of request %j', (requestId) => {
    const body = pipeInputTemplate
      .replace('<$.dynamodb.NewImage.requestId.S>', requestId)
      .replace('<$.dynamodb.NewImage.conversationId.S>', 'a'.repeat(32))
      .replace('<$.dynamodb.NewImage.sequence.N>', '12');
    expect(v.parse(NotificationMessage, JSON.parse(body))).toEqual({
      kind: 'message',
      conversationId: 'a'.repeat(32),
      sequence: 12,
      requestId,
    });
  });

  it('carries no text, and nobody’s name', () => {
    expect(pipeInputTemplate).not.toMatch(/text|from|\bto\b/);
  });

  it('takes all devices that a user may have, within what a message may have', () => {
    const message = {
      kind: 'push',
      conversationId: 'a'.repeat(32),
      sequence: '1000000',
      connectionIds: Array.from({ length: deviceLimit }, () => 'c'.repeat(128)),
    };
    expect(v.is(NotificationMessage, message)).toBe(true);
    expect(JSON.stringify(message).length).toBeLessThan(256 * 1024);
  });

  it.each([
    { kind: 'message', conversationId: 'a'.repeat(32), sequence: '0' },
    { kind: 'message', conversationId: 'a'.repeat(32), sequence: '1000001' },
    { kind: 'message', conversationId: 'x', sequence: '1' },
    { kind: 'message', conversationId: 'a'.repeat(32), sequence: '1', text: 'x' },
    { kind: 'message', conversationId: 'a'.repeat(32), sequence: '1', requestId: 'a b' },
    { kind: 'push', conversationId: 'a'.repeat(32), sequence: '1', connectionIds: [] },
    { kind: 'else' },
  ])('refuses %j', (message) => {
    expect(v.is(NotificationMessage, message)).toBe(false);
  });
});

it.each([
  { userId: 'Bob', connectionId: 'c' },
  { userId: 'bob', connectionId: '' },
  { userId: 'bob', connectionId: 'c', goesOn: { after: 'a b', since: new Date().toISOString() } },
])('the drain queue refuses %j', (message) => {
  expect(v.is(DrainMessage, message)).toBe(false);
});

it('an error frame carries its problem', () => {
  expect(errorFrame(new Problem(404, 'not-found', 'No such conversation'))).toEqual({
    type: 'error',
    problem: { type: 'urn:duotempo:problem:not-found', title: 'No such conversation', status: 404 },
  });
});
