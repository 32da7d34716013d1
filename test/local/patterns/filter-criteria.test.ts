import { expect, test } from '@jest/globals';
import { compileQueueFilter } from '../../../local/patterns/event-pattern.ts';
import type { Json } from '../../../local/template/template.ts';

// Source: Lambda developer guide, "Properly filtering Amazon SQS messages".

test.each<[string, string, Json, boolean]>([
  ['JSON of that value', '{"tempo":"batch"}', { body: { tempo: ['batch'] } }, true],
  ['JSON of another value', '{"tempo":"chat"}', { body: { tempo: ['batch'] } }, false],
  ['text, where the pattern looks into JSON', 'batch', { body: { tempo: ['batch'] } }, false],
  [
    'text, where the pattern wants an absence in JSON',
    'batch',
    { body: { tempo: [{ exists: false }] } },
    false,
  ],
  ['JSON without what the pattern wants absent', '{}', { body: { tempo: [{ exists: false }] } }, true],
  ['that text', 'batch', { body: ['batch'] }, true],
  ['another text', 'chat', { body: ['batch'] }, false],
  ['JSON, where the pattern wants a text', '{"tempo":"batch"}', { body: ['batch'] }, false],
  [
    'anything, where the pattern wants an attribute',
    'x',
    { attributes: { SenderId: [{ prefix: 'A' }] } },
    true,
  ],
])('a body of %s', (_, body, pattern, isMatch) => {
  expect(compileQueueFilter(pattern)({ body, attributes: { SenderId: 'AIDA' } })).toBe(isMatch);
});
