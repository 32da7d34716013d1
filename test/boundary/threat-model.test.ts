import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';

/** Goal: what docs/threat-model.md says is shown by a test is shown by one that exists. */

/** `file` "name" "name", as the page names tests; line breaks within a name are spaces. */
function namedTests(): { readonly file: string; readonly name: string }[] {
  const page = readFileSync('docs/threat-model.md', 'utf8').replaceAll(/\s+/g, ' ');
  return [...page.matchAll(/`(test\/[^`]+\.test\.ts)`((?: "[^"]+")+)/g)].flatMap(
    ([, file = '', names = '']) => [...names.matchAll(/"([^"]+)"/g)].map(([, name = '']) => ({ file, name })),
  );
}

test('every test that the threat model names exists', () => {
  const tests = namedTests();
  expect(tests.length).toBeGreaterThan(40);
  // As it is written in a literal: quotes within it may be escaped.
  const isThere = ({ file, name }: { readonly file: string; readonly name: string }): boolean =>
    existsSync(file) &&
    readFileSync(file, 'utf8')
      .replaceAll(/\\(['"`])/g, '$1')
      .includes(name);
  expect(tests.filter((each) => !isThere(each))).toEqual([]);
});

test('every file that the threat model names is named with what it shows', () => {
  const page = readFileSync('docs/threat-model.md', 'utf8');
  const files = [...page.matchAll(/`(test\/[^`]+\.test\.ts)`/g)].map(([, file]) => file);
  expect(new Set(namedTests().map(({ file }) => file))).toEqual(new Set(files));
});
