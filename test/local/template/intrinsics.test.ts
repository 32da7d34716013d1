import { describe, expect, test } from '@jest/globals';
import { IntrinsicError, referencesOf, resolveIntrinsics } from '../../../local/template/intrinsics.ts';
import type { IntrinsicScope } from '../../../local/template/intrinsics.ts';
import type { Json } from '../../../local/template/template.ts';

const known: Readonly<Record<string, Json>> = {
  'AWS::Region': 'us-east-1',
  Queue: 'http://localhost/queue',
  Names: ['a', 'b', 'c'],
};
const conditions: Readonly<Record<string, Json>> = {
  IsHere: { 'Fn::Equals': [{ Ref: 'AWS::Region' }, 'us-east-1'] },
  IsElsewhere: { 'Fn::Not': [{ Condition: 'IsHere' }] },
  IsBoth: { 'Fn::And': [{ Condition: 'IsHere' }, { Condition: 'IsElsewhere' }] },
  IsEither: { 'Fn::Or': [{ Condition: 'IsElsewhere' }, { Condition: 'IsHere' }] },
};
const scope: IntrinsicScope = {
  ref: (logicalId) => known[logicalId],
  attribute: (logicalId, attribute) =>
    logicalId === 'Queue' && attribute === 'Arn' ? 'arn:aws:sqs:us-east-1:0:queue' : undefined,
  importValue: (name) => (name === 'Other:Table' ? 'table' : undefined),
  stackOutput: (stack, output) => (`${stack}.${output}` === 'Other.Url' ? 'http://other' : undefined),
  condition: (name) => conditions[name],
  mapping: (map, first, second) => (`${map}.${first}.${second}` === 'Sizes.us-east-1.small' ? 3 : undefined),
};

const resolve = (value: Json) => resolveIntrinsics(value, scope);

describe('resolves', () => {
  test.each<[string, Json, Json | undefined]>([
    ['Ref', { Ref: 'Queue' }, 'http://localhost/queue'],
    ['a pseudo parameter', { Ref: 'AWS::Region' }, 'us-east-1'],
    ['Fn::GetAtt', { 'Fn::GetAtt': ['Queue', 'Arn'] }, 'arn:aws:sqs:us-east-1:0:queue'],
    ['Fn::GetAtt in one text', { 'Fn::GetAtt': 'Queue.Arn' }, 'arn:aws:sqs:us-east-1:0:queue'],
    ['Fn::Join', { 'Fn::Join': ['-', ['x', { Ref: 'AWS::Region' }, 7]] }, 'x-us-east-1-7'],
    ['Fn::Join of a list that is referred to', { 'Fn::Join': ['', { Ref: 'Names' }] }, 'abc'],
    ['Fn::Select', { 'Fn::Select': ['1', { 'Fn::Split': ['/', 'a/b/c'] }] }, 'b'],
    [
      'Fn::Sub',
      { 'Fn::Sub': '${AWS::Region}/${Queue.Arn}/${!literal}' },
      'us-east-1/arn:aws:sqs:us-east-1:0:queue/${literal}',
    ],
    [
      'Fn::Sub with a map',
      { 'Fn::Sub': ['${Own}-${Queue}', { Own: { Ref: 'AWS::Region' } }] },
      'us-east-1-http://localhost/queue',
    ],
    ['Fn::FindInMap', { 'Fn::FindInMap': ['Sizes', { Ref: 'AWS::Region' }, 'small'] }, 3],
    ['Fn::ImportValue', { 'Fn::ImportValue': { 'Fn::Sub': 'Other:Table' } }, 'table'],
    [
      'Fn::GetStackOutput',
      { 'Fn::GetStackOutput': { StackName: 'Other', OutputName: 'Url', Region: { Ref: 'AWS::Region' } } },
      'http://other',
    ],
    ['Fn::Base64', { 'Fn::Base64': 'hi' }, 'aGk='],
    ['Fn::If', { 'Fn::If': ['IsHere', 'yes', { Ref: 'Nothing' }] }, 'yes'],
    ['Fn::And', { 'Fn::If': ['IsBoth', 1, 2] }, 2],
    ['Fn::Or and Fn::Not', { 'Fn::If': ['IsEither', 1, 2] }, 1],
    ['AWS::NoValue as absence', { a: { Ref: 'AWS::NoValue' }, b: [1, { Ref: 'AWS::NoValue' }] }, { b: [1] }],
    ['lists within lists', [[1], [{ Ref: 'Names' }]], [[1], [['a', 'b', 'c']]]],
    ['nested values', { a: [{ b: { Ref: 'Queue' } }] }, { a: [{ b: 'http://localhost/queue' }] }],
    [
      'plain values as they stand',
      { a: 1, b: null, c: true, Ref: 'Queue' },
      { a: 1, b: null, c: true, Ref: 'Queue' },
    ],
  ])('%s', (_, value, expected) => {
    expect(resolve(value)).toEqual(expected);
  });
});

describe('refuses, naming the path,', () => {
  test.each<[string, Json, string, string]>([
    [
      'a Ref to nothing',
      { a: [{ b: { Ref: 'Nothing' } }] },
      'a[0].b',
      'Ref names Nothing, which does not exist',
    ],
    ['an attribute nobody knows', { a: { 'Fn::GetAtt': ['Queue', 'Colour'] } }, 'a', 'Queue.Colour'],
    ['an export nobody has', { a: { 'Fn::ImportValue': 'Lost' } }, 'a', 'the export Lost'],
    [
      'a function nobody knows',
      { a: { 'Fn::Cidr': [] } },
      'a',
      'Fn::Cidr is an intrinsic function that the local host does not know',
    ],
    ['a selection beyond the end', { a: { 'Fn::Select': [9, { Ref: 'Names' }] } }, 'a', 'beyond the end'],
    ['a list where a text must be', { a: { 'Fn::Join': ['', [{ Ref: 'Names' }]] } }, 'a', 'needs a text'],
  ])('%s', (_, value, path, reason) => {
    const attempt = () => resolve(value);
    expect(attempt).toThrow(reason);
    expect(attempt).toThrow(IntrinsicError);
    expect(attempt).toThrow(expect.objectContaining({ path }));
  });
});

test('finds what a value refers to, so that it can be made first', () => {
  const references = referencesOf({
    a: { Ref: 'A' },
    b: { 'Fn::GetAtt': ['B', 'Arn'] },
    c: { 'Fn::Sub': ['${C}-${D.Arn}-${Own}-${!E}', { Own: { Ref: 'F' } }] },
    d: { 'Fn::Join': ['', ['x', { Ref: 'G' }]] },
  });
  expect(references).toEqual(new Set(['A', 'B', 'C', 'D', 'F', 'G']));
});
