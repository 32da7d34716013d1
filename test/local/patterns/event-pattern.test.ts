import { describe, expect, test } from '@jest/globals';
import { compileEventPattern } from '../../../local/patterns/event-pattern.ts';
import type { Json } from '../../../local/template/template.ts';

const event = {
  eventName: 'INSERT',
  count: 5,
  flag: true,
  nothing: null,
  empty: '',
  tags: ['red', 'green'],
  dynamodb: { NewImage: { town: { S: 'Bern' }, grams: { N: '12' } } },
  list: [{ a: 1 }, { a: 2, b: 3 }],
  none: [],
  'dotted.name': 'x',
  address: '10.0.0.255',
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
    ['an empty list: it has no elements to be there', { none: [{ exists: true }] }, false],
    ['an object: only the ends of paths are there', { dynamodb: [{ exists: true }] }, false],
    ['a dotted name in the event', { dotted: { name: ['x'] } }, true],
    ['a dotted name in the pattern', { 'dynamodb.NewImage': { town: { S: ['Bern'] } } }, true],
    ['an absence in the element that matches', { list: { a: [1], b: [{ exists: false }] } }, true],
    ['an absence in another element', { list: { a: [2], b: [{ exists: false }] } }, false],
    ['an absence or a value', { missing: [{ exists: false }, 'x'] }, true],
    ['prefix in any case', { eventName: [{ prefix: { 'equals-ignore-case': 'ins' } }] }, true],
    ['suffix in any case', { eventName: [{ suffix: { 'equals-ignore-case': 'ert' } }] }, true],
    ['anything-but several prefixes', { eventName: [{ 'anything-but': { prefix: ['X', 'INS'] } }] }, false],
    ['anything-but a text where null is', { nothing: [{ 'anything-but': 'x' }] }, true],
    ['anything-but a wildcard', { eventName: [{ 'anything-but': { wildcard: 'I*T' } }] }, false],
    ['wildcard', { eventName: [{ wildcard: 'I*R*' }] }, true],
    ['wildcard that must reach the end', { eventName: [{ wildcard: 'I*R' }] }, false],
    ['an escaped wildcard', { eventName: [{ wildcard: String.raw`INSERT\*` }] }, false],
    ['an address in a network', { address: [{ cidr: '10.0.0.0/24' }] }, true],
    ['an address in another network', { address: [{ cidr: '10.0.1.0/24' }] }, false],
    ['an address of the other version', { address: [{ cidr: '::/0' }] }, false],
    ['one of two patterns', { $or: [{ count: [6] }, { eventName: ['INSERT'] }] }, true],
    ['neither of two patterns', { $or: [{ count: [6] }, { eventName: ['REMOVE'] }] }, false],
  ])('on %s: %j → %s', (_, pattern, isMatch) => {
    expect(matches(pattern)).toBe(isMatch);
  });

  test.each<[Json, RegExp]>([
    [{ a: { b: [{ glob: 'x*' }] } }, /^a\.b: .*"glob"/],
    [{ a: [{ cidr: '10.0.0.0' }] }, /bits of a mask/],
    [{ a: [{ cidr: '10.0.0.0/33' }] }, /bits of a mask/],
    [{ a: [{ wildcard: 'x**' }] }, /consecutive/],
    [{ a: [{ wildcard: String.raw`x\y` }] }, /escapes/],
    [{ a: [{ wildcard: '*:*:*:*:*:x' }] }, /too complex/],
    [{ a: [{ prefix: { suffix: 'x' } }] }, /"equals-ignore-case" and a text only/],
    [{ a: [{ 'anything-but': ['x', 1] }] }, /texts or numbers, not both/],
    [{ a: [{ 'anything-but': null }] }, /texts or numbers/],
    [{ a: [{ 'anything-but': { exists: true } }] }, /does not go with/],
    [{ a: [{ 'anything-but': { prefix: '' } }] }, /not empty/],
    [{ a: [{ numeric: ['>', 5, '<', 5] }] }, /higher upper limit/],
    [{ a: [{ numeric: ['<', 5, '>', 0] }] }, /higher upper limit/],
    [{ $or: [{ a: ['x'] }, 'y'] }, /two patterns/],
    [{ a: [{ prefix: 'x', suffix: 'y' }] }, /one operator at a time/],
    [{ a: 'x' }, /a must be a list/],
    [{ a: [] }, /a must be a list .* not empty/],
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

  test('that combines more alternatives than AWS takes is refused', () => {
    const alternatives = { $or: Array.from({ length: 32 }, (_, index) => ({ a: [index] })) };
    expect(() => compileEventPattern({ ...alternatives, b: alternatives })).toThrow(/1000 combinations/);
  });
});
