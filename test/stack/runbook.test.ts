import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from '@jest/globals';
import { shell } from '../end-to-end/command.ts';
import { stageTemplates, type StageTemplates } from './templates.ts';

/**
 * Goal: what the documents tell an operator to type exists.
 * Method: the names that their commands ask of the outputs, and the options of the project's own commands.
 */

const documents = ['README.md', ...readdirSync('docs').map((name) => join('docs', name))].filter((file) =>
  file.endsWith('.md'),
);
const text = documents.map((file) => readFileSync(file, 'utf8')).join('\n');

let app: StageTemplates;

beforeAll(async () => {
  app = await stageTemplates('sandbox');
});

test('every output that a command asks for is one of its stack', () => {
  const asked = [...text.matchAll(/\$\((card|chat) (\w+)\)/g)].map(([, shortcut, key = '']) => {
    const stackName = shortcut === 'card' ? 'DuotempoCardSettlement' : 'DuotempoChat';
    return { key, stackName };
  });
  const named = [...text.matchAll(/require\("\.\/outputs\.json"\)\.(\w+)\.(\w+)/g)].map(
    ([, stackName = '', key = '']) => ({ key, stackName }),
  );
  expect([asked.length > 10, named.length > 3]).toEqual([true, true]);
  for (const { key, stackName } of [...asked, ...named]) {
    expect([key, Object.keys(app.templates.get(stackName)?.Outputs ?? {}).includes(key)]).toEqual([
      key,
      true,
    ]);
  }
});

test('every option of the project’s own commands is one that they know', async () => {
  const typed = [...text.matchAll(/npm (?:run (?:-s )?)?(\w+) -- ([^\n`|]*)/g)]
    .map(([, name = '', args = '']) => ({ name, options: args.match(/(?<![\w-])--[\w-]+/g) ?? [] }))
    .filter(({ name, options }) => name !== 'test' && options.length > 0);
  const names = [...new Set(typed.map(({ name }) => name))];
  expect(names.length).toBeGreaterThan(5);
  for (const name of names) {
    const { stdout: help } = await shell(`node cli/launch.mjs ${name} --help`);
    for (const option of typed.filter((each) => each.name === name).flatMap(({ options }) => options)) {
      expect([name, help]).toEqual([name, expect.stringContaining(option)]);
    }
  }
});
