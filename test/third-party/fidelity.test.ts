import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { RESOURCE_TYPES } from '../../local/services.ts';
import { LISTED } from './dynamodb-local/differences.ts';
import { SERVICES } from './fidelity/sources.ts';
import type { Rules } from './fidelity/sources.ts';

/**
 * Goal: docs/fidelity.md names the source of each rule that the host follows, and what differs.
 * Method: the page is made of the tests' titles, their sources, the recorded scenarios and the host's own list of what it
 * leaves out. The page in the repository must equal the one made now. DUOTEMPO_UPDATE writes it.
 */

const DOCUMENT = 'docs/fidelity.md';
const RECORDINGS = 'test/third-party/recordings';

/** Titles of a file's tests, each behind those of its groups. The code is formatted, so indentation shows the group. */
function titlesOf(file: string): readonly string[] {
  const calls = readFileSync(file, 'utf8').matchAll(
    /^( *)(test|describe)(?:\.each(?:<.*?>)?\(.*?\))?\(\s*(?<quote>["'`])(?<title>.*?)\k<quote>,/gms,
  );
  const groups: string[] = [];
  const titles: string[] = [];
  for (const [, indent = '', kind = '', , title = ''] of calls) {
    groups.length = Math.min(groups.length, indent.length / 2);
    if (kind === 'describe') groups[indent.length / 2] = title;
    else titles.push([...groups, title].join(' › '));
  }
  return titles;
}

/** Names of the recorded tests that are re-enacted. Lines with a pattern leave tests aside. */
const scenarios = readdirSync(RECORDINGS)
  .filter((file) => file.endsWith('.ts'))
  .toSorted()
  .flatMap((file) => {
    const lines = readFileSync(join(RECORDINGS, file), 'utf8').split('\n');
    const named = lines.filter((line) => !/^\s*(?:\[?\/|\*)|snapshot\.json/.test(line)).join('\n');
    const names = [...named.matchAll(/\btest_\w+(?:\[[^\]]*\])?/g)].map(([name]) =>
      name.replaceAll(/\$\{[^}]*\}/g, '…'),
    );
    return [...new Set(names)].map((name) => ({ file, name }));
  });

interface Row {
  readonly rule: string;
  readonly source: string;
  readonly kind: 'documented' | 'recorded';
  readonly difference: string;
}

/** What the sources claim: the longest beginning of a title wins. */
function claimsOf({ documented, recorded = {}, ours = [] }: Rules) {
  return [
    ...Object.entries(documented).map(([source, rules]) => ({ source, rules, kind: 'documented' as const })),
    ...Object.entries(recorded).map(([source, rules]) => ({ source, rules, kind: 'recorded' as const })),
    { source: '', rules: ours, kind: 'ours' as const },
  ]
    .flatMap(({ rules, ...claim }) => rules.map((rule) => ({ rule, ...claim })))
    .toSorted((left, right) => right.rule.length - left.rule.length);
}

/** Tests in `test/local` that say how the host is made, not what AWS does. */
const OURS =
  /(^|\/)(assembly|aws-endpoint|clock|filter-criteria|interceptors|intrinsics|live-resources|other-app|support|usage|user-pool-service)\.test\.ts$/;

/** Titles without a source, and sources and differences without a title. */
function gapsOf(rules: Rules): readonly string[] {
  const titles = titlesOf(rules.file);
  const begun = claimsOf(rules).map(({ rule }) => rule);
  return [
    ...titles.filter((title) => !begun.some((rule) => title.startsWith(rule))),
    ...[...begun, ...Object.keys(rules.differences ?? {})].filter(
      (rule) => !titles.some((title) => title.startsWith(rule)),
    ),
  ].map((title) => `${rules.file}: ${title}`);
}

function rowsOf(rules: Rules): readonly Row[] {
  return titlesOf(rules.file).flatMap((title) => {
    const claim = claimsOf(rules).find(({ rule }) => title.startsWith(rule));
    if (claim === undefined || claim.kind === 'ours') return [];
    const difference = Object.entries(rules.differences ?? {}).find(([rule]) => title.startsWith(rule))?.[1];
    return [{ rule: title, source: claim.source, kind: claim.kind, difference: difference ?? '' }];
  });
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('<', '\\<')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function service(name: string, files: readonly Rules[]): string {
  const rows = files.flatMap((rules) =>
    rowsOf(rules).map(({ rule, source, kind, difference }) => [
      rule.replaceAll(' › ', ' ').replaceAll(/%[sjpi]/g, '…'),
      kind === 'recorded' ? `\`${source}\`` : source,
      kind,
      `[${rules.file.replace(/^test\/|\.test\.ts$/g, '')}](../${rules.file})`,
      difference,
    ]),
  );
  return `## ${name}\n\n${table(['rule', 'source', 'known by', 'test', 'known difference'], rows)}`;
}

function leftOut(): string {
  const rows = Object.entries(RESOURCE_TYPES).flatMap(([type, { support, properties }]) => {
    if (support !== undefined) return [[type, 'all of it', support.kind, support.reason]];
    const paths = new Map<string, string[]>();
    for (const [path, each] of Object.entries(properties)) {
      if (each.kind === 'honoured') continue;
      const key = [each.kind, each.reason].join('\n');
      paths.set(key, [...(paths.get(key) ?? []), `\`${path}\``]);
    }
    return [...paths].map(([key, same]) => [type, same.join(', '), ...key.split('\n')]);
  });
  return table(['resource', 'property', 'here it is', 'why'], rows);
}

function page(): string {
  return `# Fidelity

What does AWS do, who says so, and which test holds the local host to it? A rule is _recorded_ if the real AWS was asked: its
answer is compared field by field. It is _documented_ if only the documentation says so. No difference is known unless
one is named. \`npm test -- --update third-party\` writes this page; the tests fail if it is out of date.

${Object.entries(SERVICES)
  .map(([name, files]) => service(name, files))
  .join('\n\n')}

## Recorded on AWS and done here again

The LocalStack project ran each of these tests on the real AWS. The same steps run here through the SDK, and the answers are
compared. The host judges every recorded event pattern as AWS did
([event-patterns](../${RECORDINGS}/event-patterns.test.ts)).

${table(
  ['scenario', 'test'],
  scenarios.map(({ name, file }) => [`\`${name}\``, `[${file}](../${RECORDINGS}/${file})`]),
)}

## Where DynamoDB Local is another judge

AWS's own engine for laptops answers the same random calls. Where it differs from the host, it also differs from the
documentation:

${LISTED.map(([reason]) => `- ${reason}`).join('\n')}

## What the host leaves out

_Inert_ properties change nothing that a program can see here. A template with a _refused_ one does not start. The host also
refuses every type and property that it does not list.

${leftOut()}
`;
}

describe('docs/fidelity.md', () => {
  test('is what the tests and their sources say now', () => {
    if (process.env['DUOTEMPO_UPDATE'] === '1') writeFileSync(DOCUMENT, page());
    expect(readFileSync(DOCUMENT, 'utf8')).toBe(page());
  });

  test('knows where each rule comes from', () => {
    expect(Object.values(SERVICES).flat().flatMap(gapsOf)).toEqual([]);
  });

  test('leaves out no file of the host’s tests that is about AWS', () => {
    const listed = Object.values(SERVICES)
      .flat()
      .map(({ file }) => file);
    const files = readdirSync('test/local', { recursive: true, encoding: 'utf8' }).filter(
      (file) => file.endsWith('.test.ts') && !OURS.test(file),
    );
    expect(files.filter((file) => !listed.includes(`test/local/${file}`))).toEqual([]);
  });

  test('says no difference of what it does not list', () => {
    const rules = Object.values(SERVICES).flat();
    const said = rules.flatMap(({ file, differences = {} }) =>
      Object.keys(differences).map((rule) => ({ file, rule })),
    );
    const shown = rules.flatMap((each) => rowsOf(each).map(({ rule }) => ({ file: each.file, rule })));
    expect(
      said.filter(({ file, rule }) => !shown.some((row) => row.file === file && row.rule.startsWith(rule))),
    ).toEqual([]);
  });

  test('names recorded answers that are compared here', () => {
    const named = Object.values(SERVICES)
      .flat()
      .flatMap(({ recorded = {} }) => Object.keys(recorded));
    expect(named.filter((part) => !scenarios.some(({ name }) => name.includes(part)))).toEqual([]);
  });
});
