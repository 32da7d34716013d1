import { describe, expect, test } from '@jest/globals';
import { failedMessageIds } from '../../../local/lambda/sqs-batch.ts';

// Source: AWS Lambda developer guide, "Handling errors for an SQS event source", success and failure conditions.

const ids = new Set(['a', 'b']);

describe('the whole batch succeeded for', () => {
  test.each([
    ['null', null],
    ['an empty response', {}],
    ['an empty list', { batchItemFailures: [] }],
    ['a null list', { batchItemFailures: null }],
  ])('%s', (_, payload) => {
    expect(failedMessageIds(payload, ids)).toEqual(new Set());
  });
});

describe('the whole batch failed for', () => {
  test.each([
    ['a text', 'fine'],
    ['a list', []],
    ['another object', { failures: [] }],
    ['a list that is none', { batchItemFailures: 'a' }],
    ['an empty identifier', { batchItemFailures: [{ itemIdentifier: '' }] }],
    ['a null identifier', { batchItemFailures: [{ itemIdentifier: null }] }],
    ['a wrong key', { batchItemFailures: [{ messageId: 'a' }] }],
    ['an unknown identifier', { batchItemFailures: [{ itemIdentifier: 'a' }, { itemIdentifier: 'c' }] }],
    ['an item that is no object', { batchItemFailures: ['a'] }],
  ])('%s', (_, payload) => {
    expect(failedMessageIds(payload, ids)).toBe('everything');
  });
});

test('only what is named failed', () => {
  expect(failedMessageIds({ batchItemFailures: [{ itemIdentifier: 'b' }] }, ids)).toEqual(new Set(['b']));
});
