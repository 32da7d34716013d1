import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import * as v from 'valibot';
import { parseWritten } from '../../../lambda/shared/parse.ts';

const Item = v.object({
  text: v.string(),
  rules: v.optional(v.array(v.object({ rule: v.picklist(['burst']) })), []),
});

function errorOf(value: unknown): unknown {
  try {
    parseWritten(Item, value);
  } catch (error) {
    return error;
  }
  throw new Error('It was let pass.');
}

describe('what was written', () => {
  it('is what its schema says', () => {
    expect(parseWritten(Item, { text: 'a', more: 1 })).toEqual({ text: 'a', rules: [] });
  });

  it.each([
    ['text is not string.', { text: 41_111 }],
    ['text is not string.', { text: { secret: '41111' } }],
    ['text is missing.', { secret: '41111' }],
    ['rules.0.rule is not "burst".', { text: '', rules: [{ rule: '41111' }] }],
    ['It is not Object.', '41111'],
  ])('fails with "%s", and with nothing of the value', (message, value) => {
    const error = errorOf(value);
    expect(error).toEqual(new TypeError(message));
    // As the runtime logs an error: with all that it holds.
    expect(inspect(error, { depth: 10, showHidden: true })).not.toMatch(/41.?111|secret/);
  });
});

it('no function parses otherwise: the errors of the schema library hold their input, and Lambda logs it', () => {
  const files = readdirSync('lambda', { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.ts'),
  );
  expect(files.length).toBeGreaterThan(50);
  const parsing = files.filter((file) => /\bv\.parse\(/.test(readFileSync(join('lambda', file), 'utf8')));
  expect(parsing).toEqual([]);
});
