import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { shell, start, type Started } from '../command.ts';

/**
 * Goal: whoever types what the README and its pages say sees what they show.
 * Method: the commands of a page run in a shell, in their order, against one `npm start`; only ports, outputs and what differs from
 * run to run (ids, dates, instants) are replaced. What needs AWS is checked to exist.
 */

const RUN = ['README.md', 'docs/card-settlement.md', 'docs/chat.md', 'docs/local-host.md'];
const PAGES = [...RUN, 'docs/commands.md', 'docs/batch-or-async.md', 'docs/deploying.md', 'docs/worker.md'];
const read = (page: string): string => readFileSync(page, 'utf8');

/** A fenced block, and the output block that follows it directly. */
interface Block {
  readonly heading: string;
  readonly before: string;
  readonly script: string;
  readonly output: string | undefined;
}

const blocksOf = (page: string): Block[] =>
  read(page)
    .split(/^## /m)
    .slice(1)
    .flatMap((section) => {
      const heading = section.slice(0, section.indexOf('\n'));
      return [
        ...section.matchAll(/([^\n]*)\n\n```sh\n([\s\S]*?)```\n(?:\n```(?:json|csv)?\n([\s\S]*?)```)?/g),
      ].map(([, before = '', script = '', output]) => ({ heading, before, script, output }));
    });
const needsMore = ({ heading, before }: Block): boolean => /[*_]needs /.test(heading + before);

describe('the commands', () => {
  let system: Started;

  beforeAll(async () => {
    // The stage with the short waits; what the commands give is the same.
    system = await start(['--stage', 'test']);
  });

  afterAll(async () => {
    await system.stop();
  });

  test.each(RUN)(
    'of %s give the output that it shows',
    async (page) => {
      const here = blocksOf(page).filter((block) => !needsMore(block));
      // One shell for all of them: later blocks use the variables of earlier ones.
      const script = here
        .map((each, number) => `echo '=== ${number}'\n${localised(each.script)}`)
        .join('\necho\n');
      const { stdout, stderr, exitCode } = await shell(script);
      expect([stderr.replaceAll(/.*%.*\r?/g, '').trim(), exitCode]).toEqual(['', 0]);
      const outputs = stdout.split(/^=== \d+\n/m).slice(1);
      for (const [number, { output, script: typed }] of here.entries()) {
        if (output === undefined) continue;
        const shown = normalised(outputs[number] ?? '');
        // `…` on a line of its own stands for what is left out.
        const parts = normalised(output).split(/^…$/m);
        if (parts.length === 1) expect([typed, shown]).toEqual([typed, parts[0]]);
        for (const part of parts)
          expect([typed, shown]).toEqual([typed, expect.stringContaining(part.trim())]);
      }
    },
    300_000,
  );

  function localised(script: string): string {
    return script
      .replaceAll('localhost:3000', new URL(system.url).host)
      .replaceAll(
        /npm run (-s )?(token|replay|demo|review|clock)( -- |$)/gm,
        `npm run -s $2 -- --outputs ${system.outputsFile} `,
      );
  }
});

function normalised(output: string): string {
  return output
    .replaceAll('\r', '')
    .replaceAll(/\d{4}-\d{2}-\d{2}T[\d:.]+Z/g, '<instant>')
    .replaceAll(/\d{4}-\d{2}-\d{2}/g, '<date>')
    .replaceAll(/[0-9a-f]{32}/g, '<id>')
    .trim();
}

describe('what needs AWS', () => {
  test('names only commands and options that exist', async () => {
    const typed = PAGES.flatMap(blocksOf).flatMap(({ script }) => script.trim().split('\n'));
    for (const line of typed) {
      const [, verb = ''] = /^npx cdk (\w+)/.exec(line) ?? [];
      if (verb === '') continue;
      const { stdout: help } = await shell(`node_modules/.bin/cdk ${verb} --help`);
      expect(help).toContain(`cdk ${verb}`);
      for (const [option] of line.matchAll(/--[\w-]+/g)) expect(help).toContain(option);
    }
  }, 180_000);
});

test('the README is short, and shows what its commands give', () => {
  expect(read('README.md').split('\n').length).toBeLessThanOrEqual(121);
  const shown = RUN.flatMap(blocksOf).filter((block) => !needsMore(block) && block.output !== undefined);
  expect(shown.length).toBeGreaterThanOrEqual(6);
});

test('the loop that the README shows is the one that runs', () => {
  const [, shown = ''] = /```ts\n([\s\S]*?)```/.exec(read('README.md')) ?? [];
  expect(shown).toMatch(/^export function process\(.*, batchSize: number\)/);
  expect(read('cli/worker/process.ts')).toContain(shown);
});

describe('what the pages name', () => {
  const text = PAGES.map(read).join('\n');
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };

  test('exists: every script of npm', () => {
    for (const [, name = ''] of text.matchAll(/npm run (?:-s )?([\w:]+)/g))
      expect(Object.keys(scripts)).toContain(name);
    expect(Object.keys(scripts)).toEqual(expect.arrayContaining(['start', 'test']));
  });

  test('exists: every file and folder', () => {
    const named = PAGES.flatMap((page) => [
      ...[...read(page).matchAll(/`([\w./-]+\/[\w./-]+\.(?:ts|csv|md))`/g)].map(([, path = '']) => path),
      ...[...read(page).matchAll(/\]\(([\w./-]+)[#)]/g)].map(([, path = '']) => join(dirname(page), path)),
    ]);
    expect(named.length).toBeGreaterThan(20);
    expect(named.filter((path) => !existsSync(path))).toEqual([]);
  });
});
