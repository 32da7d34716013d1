import { describe, expect, test } from '@jest/globals';
import { compileEventPattern } from '../../local/event-pattern.ts';
import type { Json } from '../../local/template.ts';

const event = {
  eventName: 'INSERT',
  count: 5,
  flag: true,
  nothing: null,
  empty: '',
  tags: ['red', 'green'],
  dynamodb: { NewImage: { town: { S: 'Bern' }, grams: { N: '12' } } },
  list: [{ a: 1 }, { a: 2, b: 3 }],
};

const matches = (pattern: Json): boolean => compileEventPattern(pattern)(event);

describe('an event pattern', () => {
  test.each<[string, Json, boolean]>([
    ['an exact value', { eventName: ['INSERT'] }, true],
    ['one of several values', { eventName: ['REMOVE', 'INSERT'] }, true],
    ['another value', { eventName: ['REMOVE'] }, false],
    ['text where there is a number', { count: ['5'] }, false],
    ['a number', { count: [5] }, true],
    ['a truth value', { flag: [true] }, true],
    ['null', { nothing: [null] }, true],
    ['an empty text', { empty: [''] }, true],
    ['null where there is nothing at all', { missing: [null] }, false],
    ['a field within fields', { dynamodb: { NewImage: { town: { S: ['Bern'] } } } }, true],
    ['all fields', { eventName: ['INSERT'], count: [6] }, false],
    ['an element of a list', { tags: ['green'] }, true],
    ['no element of a list', { tags: ['blue'] }, false],
    ['an object in a list', { list: { a: [2], b: [3] } }, true],
    ['no single object in a list', { list: { a: [1], b: [3] } }, false],
    ['prefix', { eventName: [{ prefix: 'INS' }] }, true],
    ['prefix of another', { eventName: [{ prefix: 'ins' }] }, false],
    ['suffix', { eventName: [{ suffix: 'ERT' }] }, true],
    ['equals-ignore-case', { eventName: [{ 'equals-ignore-case': 'insert' }] }, true],
    ['exists', { eventName: [{ exists: true }] }, true],
    ['exists where it does not', { missing: [{ exists: true }] }, false],
    ['exists: false', { missing: [{ exists: false }] }, true],
    ['exists: false where it does', { eventName: [{ exists: false }] }, false],
    ['exists below what is missing', { missing: { deep: [{ exists: false }] } }, true],
    ['anything-but', { eventName: [{ 'anything-but': 'REMOVE' }] }, true],
    ['anything-but it', { eventName: [{ 'anything-but': ['REMOVE', 'INSERT'] }] }, false],
    ['anything-but a prefix', { eventName: [{ 'anything-but': { prefix: 'INS' } }] }, false],
    ['anything-but where nothing is', { missing: [{ 'anything-but': 'x' }] }, false],
    ['numeric', { count: [{ numeric: ['>', 0, '<=', 5] }] }, true],
    ['numeric beyond', { count: [{ numeric: ['>', 5] }] }, false],
    ['numeric equal', { count: [{ numeric: ['=', 5] }] }, true],
    [
      "numeric of DynamoDB's numbers, which are texts",
      { dynamodb: { NewImage: { grams: { N: [{ numeric: ['=', 12] }] } } } },
      false,
    ],
    ['one of two patterns', { $or: [{ count: [6] }, { eventName: ['INSERT'] }] }, true],
    ['neither of two patterns', { $or: [{ count: [6] }, { eventName: ['REMOVE'] }] }, false],
  ])('on %s: %j → %s', (_, pattern, isMatch) => {
    expect(matches(pattern)).toBe(isMatch);
  });

  test.each<[Json, RegExp]>([
    [{ a: [{ cidr: '10.0.0.0/8' }] }, /^a: .*"cidr"/],
    [{ a: { b: [{ wildcard: 'x*' }] } }, /^a\.b: .*"wildcard"/],
    [{ a: [{ prefix: { 'equals-ignore-case': 'x' } }] }, /"prefix" with a text only/],
    [{ a: [{ prefix: 'x', suffix: 'y' }] }, /one operator at a time/],
    [{ a: 'x' }, /a must be a list/],
    [{ a: [] }, /a must be a list/],
    [{ a: [['x']] }, /list within a list/],
    [{ a: [{ numeric: ['>'] }] }, /pairs/],
    [{ a: [{ numeric: ['~', 1] }] }, /pairs/],
    [{ a: [{ exists: 'yes' }] }, /true or false/],
    [{ $or: [{ a: ['x'] }] }, /two patterns/],
    [{}, /empty/],
    [['x'], /JSON object/],
  ])('the host does not understand is refused: %j', (pattern, message) => {
    expect(() => compileEventPattern(pattern)).toThrow(message);
  });
});
