// @ts-check
/**
 * What `npm test` runs: types, lint, formatting, unused code, then every test.
 *
 *   npm test                         everything
 *   npm test -- fast                 types, lint, formatting, unused code, unit and property tests
 *   npm test -- unit property        only the tests of these folders of test/
 *   npm test -- unit --name cut-off  only those whose name holds this
 *   npm test -- unit --watch         again, whenever a file changes: those that the change concerns
 *   npm test -- --update             writes the snapshots and the events of events/ anew
 *   npm test -- third-party          only what other people's tools judge, with a table of their verdicts
 *   npm test -- --all-judges         fails if a judge that can be installed is missing
 *   npm test -- --json <file>        also writes {passed, failed} there
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';

const project = dirname(dirname(fileURLToPath(import.meta.url)));
const { values: options, positionals: named } = parseArgs({
  allowPositionals: true,
  options: {
    update: { type: 'boolean', default: false },
    watch: { type: 'boolean', default: false },
    name: { type: 'string' },
    'all-judges': { type: 'boolean', default: false },
    json: { type: 'string' },
  },
});

const isFast = named.includes('fast');
const folders = isFast ? ['unit', 'property'] : named;
const unknown = folders.find((name) => !existsSync(join(project, 'test', name)));
if (unknown !== undefined) {
  const known = readdirSync(join(project, 'test'), { withFileTypes: true });
  const names = known.flatMap((entry) => (entry.isDirectory() ? entry.name : []));
  console.error(`There is no folder ${unknown} in test. There are ${names.join(', ')}.`);
  process.exit(2);
}

/** @type {import('node:child_process').StdioOptions} */
const PIPED = ['ignore', 'pipe', 'pipe'];
/** What a person reads goes to standard error. @type {import('node:child_process').StdioOptions} */
const REPORTING = ['ignore', 'ignore', 'inherit'];

/** @type {readonly (readonly [name: string, ...command: string[]])[]} */
const checks = [
  ['types', 'typescript/bin/tsc', '--incremental', '--tsBuildInfoFile', 'node_modules/.cache/types.json'],
  ['lint', 'oxlint/bin/oxlint', '--type-aware', '--deny-warnings'],
  ['format', 'oxfmt/bin/oxfmt', '--check'],
  ['unused', 'knip/bin/knip.js', '--no-progress', '--cache'],
];

const folder = mkdtempSync(join(tmpdir(), 'duotempo-test-'));
const report = join(folder, 'report.json');
const verdictsFolder = join(folder, 'verdicts');
const count = { passed: 0, failed: 0 };
if ((folders.length === 0 || isFast) && !options.watch) {
  await Promise.all(
    checks.map(async ([name, script = '', ...args]) => {
      const startedAt = performance.now();
      const { exitCode, output } = await run(script, args, 'pipe');
      const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
      count[exitCode === 0 ? 'passed' : 'failed'] += 1;
      console.log(`${exitCode === 0 ? 'ok    ' : 'FAILED'} ${name.padEnd(8)} ${seconds} s`);
      if (exitCode !== 0) console.log(output.trimEnd());
    }),
  );
}

const { exitCode } = await run(
  'jest/bin/jest.js',
  [
    // As many as there are cores in most places: the end-to-end tests start a host each.
    '--maxWorkers=2',
    ...(options.watch ? ['--watch'] : ['--json', `--outputFile=${report}`]),
    ...(options.update ? ['--updateSnapshot'] : ['--ci']),
    ...(options.name === undefined ? [] : [`--testNamePattern=${options.name}`]),
    ...folders.map((name) => `test/${name}/`),
  ],
  options.watch ? 'terminal' : 'report',
);
if (options.watch) process.exit(exitCode);
/** @type {{ numPassedTests: number, numFailedTests: number, numFailedTestSuites: number, numTotalTests: number, numPendingTests: number }} */
const result = JSON.parse(readReport());
const verdicts = readVerdicts();
rmSync(folder, { recursive: true, force: true });
count.passed += result.numPassedTests;
// A file that could not be loaded has no tests to fail.
count.failed += Math.max(result.numFailedTests, result.numFailedTestSuites, exitCode === 0 ? 0 : 1);
if (verdicts.length > 0) printVerdicts();
if (result.numPendingTests > 0 && options.name === undefined) {
  console.log(
    `${result.numPendingTests} skipped. The sample data is replayed where DUOTEMPO_SAMPLE_DATA names its folder; ` +
      'what a judge needs stands in its row.',
  );
}
const missing = verdicts.filter((verdict) => verdict.isInstallable && verdict.missing !== undefined);
if (options['all-judges'] && missing.length > 0) {
  count.failed += missing.length;
  console.log(`Missing, and so failed: ${missing.map(({ judge }) => judge).join(', ')}.`);
}
if (options.json !== undefined) writeFileSync(options.json, JSON.stringify(count));
console.log(`${count.passed} passed, ${count.failed} failed`);
process.exitCode = count.failed === 0 ? 0 : 1;

function readReport() {
  try {
    return readFileSync(report, 'utf8');
  } catch {
    return '{"numPassedTests":0,"numFailedTests":1,"numFailedTestSuites":1,"numTotalTests":0,"numPendingTests":0}';
  }
}

/** @typedef {import('./third-party/judges/judge.ts').Verdict} Verdict */

/** @returns {Verdict[]} what each judge of this run found */
function readVerdicts() {
  if (!existsSync(verdictsFolder)) return [];
  const files = readdirSync(verdictsFolder).toSorted();
  return files.map((file) => JSON.parse(readFileSync(join(verdictsFolder, file), 'utf8')));
}

function printVerdicts() {
  const table = new Table({
    head: ['judge', 'cases', 'agree', 'listed differences'],
    style: { head: [], border: [], compact: true },
    colAligns: ['left', 'right', 'right', 'left'],
    colWidths: [null, null, null, 70],
    wordWrap: true,
  });
  for (const { judge, cases, agree, differences, leftAside, missing, isInstallable } of verdicts) {
    const aside = Object.values(leftAside).reduce((sum, number) => sum + number, 0);
    const remarks = [...differences, ...(aside > 0 ? [`(${aside} more do not concern this system)`] : [])];
    if (missing === undefined) table.push([judge, cases, agree, remarks.join('\n')]);
    else table.push([judge, '', '', `skipped; ${isInstallable ? 'to get it: ' : ''}${missing}`]);
  }
  console.log(`${table.toString()}\n`);
}

/**
 * Runs a script of a package with this very Node.
 *
 * @param {string} script below node_modules
 * @param {readonly string[]} args
 * @param {'pipe' | 'report' | 'terminal'} output `report`: of Jest, which prints JSON on standard output then
 * @returns {Promise<{ exitCode: number, output: string }>}
 */
function run(script, args, output) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(project, 'node_modules', script), ...args], {
      cwd: project,
      stdio: { pipe: PIPED, report: REPORTING, terminal: /** @type {const} */ ('inherit') }[output],
      env: {
        ...process.env,
        NODE_OPTIONS: '--experimental-vm-modules --no-warnings',
        DUOTEMPO_VERDICTS: verdictsFolder,
        AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
        ...(options.update ? { DUOTEMPO_UPDATE: '1' } : {}),
      },
    });
    let text = '';
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (text += String(chunk)));
    child.on('error', reject);
    child.on('close', (code) => resolve({ exitCode: code ?? 1, output: text }));
  });
}
