import { describe, expect, test } from '@jest/globals';
import { compileInputTemplate } from '../../../local/pipes/input-template.ts';

const reserved = { 'pipe-name': () => 'aPipe' };
const event = {
  eventName: 'INSERT',
  size: 7,
  flag: false,
  dynamodb: {
    NewImage: {
      text: { S: 'say "hi"\n\\ to <$.eventName>' },
      grams: { N: '12' },
      tags: { L: [{ S: 'a' }, { S: 'b' }] },
      'with-dash_1': { S: 'd' },
    },
  },
};

const render = (template: string): unknown => JSON.parse(compileInputTemplate(template, reserved)(event));

describe('an input template', () => {
  test.each(['grams', 'tags.L'])('that puts quotes around what is no value makes nothing: %s', (path) => {
    expect(() => render(`{"a": "<$.dynamodb.NewImage.${path}>"}`)).toThrow('within quotes');
  });

  test.each<[string, string, unknown]>([
    ['puts texts within quotes', '{"a": "<$.eventName>"}', { a: 'INSERT' }],
    ['puts several into one text', '{"a": "x <$.eventName>-<$.size>"}', { a: 'x INSERT-7' }],
    ['quotes a text that stands alone', '{"a": <$.eventName>}', { a: 'INSERT' }],
    ["leaves DynamoDB's numbers texts", '{"a": <$.dynamodb.NewImage.grams.N>}', { a: '12' }],
    ['puts numbers and truth values', '{"a": <$.size>, "b": <$.flag>}', { a: 7, b: false }],
    ['puts objects', '{"a": <$.dynamodb.NewImage.grams>}', { a: { N: '12' } }],
    ['finds elements by brackets', '["<$.dynamodb.NewImage.tags.L[1].S>"]', ['b']],
    ['finds elements by dots', '["<$.dynamodb.NewImage.tags.L.0.S>"]', ['a']],
    ['reads names with dashes', '{"a": "<$.dynamodb.NewImage.with-dash_1.S>"}', { a: 'd' }],
    ['puts the whole event', '{"a": <$>}', { a: event }],
    ['knows the name of the pipe', '{"a": "<aws.pipes.pipe-name>"}', { a: 'aPipe' }],
    [
      'takes escaped quotes for text',
      String.raw`{"a": "\"<$.eventName>\"", "b": <$.size>}`,
      { a: '"INSERT"', b: 7 },
    ],
    ['leaves other brackets alone', '{"a": "1 < 2 > 0"}', { a: '1 < 2 > 0' }],
    [
      'escapes what a text holds, and does not read it again',
      '{"a": "<$.dynamodb.NewImage.text.S>", "b": <$.dynamodb.NewImage.text.S>}',
      { a: event.dynamodb.NewImage.text.S, b: event.dynamodb.NewImage.text.S },
    ],
    ['puts nothing for what is missing', '{"a": "<$.x.y>", "b": <$.x.y>}', { a: '', b: '' }],
    ['does not look into prototypes', '{"a": <$.constructor>}', { a: '' }],
  ])('%s: %s', (_, template, expected) => {
    expect(render(template)).toEqual(expected);
  });

  test.each([
    ['"Hello <$.eventName>"', /JSON object or a JSON list/],
    ['<$.eventName>', /JSON object or a JSON list/],
    ['{"a": <aws.pipes.event.json>}', /<aws\.pipes\.event\.json>/],
    ['{"a": "<$.list[*].x>"}', /<\$\.list\[\*\]\.x>/],
    ['{"a": "<$..x>"}', /<\$\.\.x>/],
    ['{"a": x<$.eventName>}', /not JSON/],
    ['{"a": "<$.eventName>",}', /not JSON/],
  ])('the host does not understand is refused: %s', (template, message) => {
    expect(() => compileInputTemplate(template, reserved)).toThrow(message);
  });
});
