import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { SUPPORT } from '../../local/template/support.ts';
import { LISTED } from './dynamodb-local/differences.ts';
import { SERVICES } from './fidelity/sources.ts';
import type { Rules } from './fidelity/sources.ts';

/**
 * Goal: docs/fidelity.md says of each rule that the host is held to where it comes from, and what differs.
 * Method: it is made from the titles of the tests, from their sources, from the recorded scenarios and from what the host
 * says it leaves out. Here it must be what it would be if it were made now; DUOTEMPO_UPDATE makes it.
 */

const DOCUMENT = 'docs/fidelity.md';
const RECORDINGS = 'test/third-party/recordings';

/** Titles of a file's tests, each behind those of its groups: the code is formatted, so that indentation tells the group. */
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

/** Tests that AWS's answers were recorded in, as they are named where they are re-enacted. Rules by pattern leave tests aside. */
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

/** Titles without a source, and what speaks of titles that are not there. */
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
  const rows = Object.entries(SUPPORT).flatMap(([type, { support, properties }]) => {
    if (support.kind !== 'honoured') return [[type, 'all of it', support.kind, support.reason]];
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

What AWS does, what says so, and the test that holds the local host to it. A rule is _recorded_ where the real AWS was asked
and its answer is compared field by field, and _documented_ where its documentation is all there is. A rule without a
difference has none that is known. \`npm test -- --update third-party\` makes this page from the tests; a page that is
not up to date fails them.

${Object.entries(SERVICES)
  .map(([name, files]) => service(name, files))
  .join('\n\n')}

## Recorded on AWS and done here again

Each of these was a test of the LocalStack project that ran on the real AWS. Its steps are done here through the SDK, and the
answers compared. All patterns of events that AWS judged are judged here the same
([event-patterns](../${RECORDINGS}/event-patterns.test.ts)).

${table(
  ['scenario', 'test'],
  scenarios.map(({ name, file }) => [`\`${name}\``, `[${file}](../${RECORDINGS}/${file})`]),
)}

## Where DynamoDB Local is another judge

AWS's own engine for laptops answers the same random calls. Where it differs from the host, it differs from the
documentation:

${LISTED.map(([reason]) => `- ${reason}`).join('\n')}

## What the host leaves out

_Inert_: it changes nothing that a program can see here. _Refused_: a template that has it does not start. A type or a
property that is in no list is refused, too.

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

  test('names recorded answers that are compared here', () => {
    const named = Object.values(SERVICES)
      .flat()
      .flatMap(({ recorded = {} }) => Object.keys(recorded));
    expect(named.filter((part) => !scenarios.some(({ name }) => name.includes(part)))).toEqual([]);
  });
});
