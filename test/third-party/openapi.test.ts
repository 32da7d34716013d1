import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { apiNames, documentFile } from '../../tools/openapi/document.ts';
import { program } from '../end-to-end/command.ts';
import { describeJudge } from './judges/judge.ts';
import { HOW_TO_INSTALL, npmCommand, pythonCommand } from './judges/programs.mjs';

/**
 * Goal: validators and linters of OpenAPI find nothing in the documents. Method: each reads both, and one that is broken
 * on purpose, so that a linter that reads nothing does not pass. A rule that is switched off has its reason in
 * interfaces/redocly.yaml or interfaces/spectral.yaml.
 */

/** Runs a linter on a document called so in a folder of its own. @returns what it complains of */
type Linter = (folder: string, name: string) => Promise<unknown[]>;

const folder = mkdtempSync(join(tmpdir(), 'duotempo-openapi-'));
afterAll(() => rmSync(folder, { recursive: true }));

const rulesFolder = join(import.meta.dirname, 'interfaces');

function judge(title: string, path: string | undefined, lint: Linter, rules?: string): void {
  describeJudge(title, path === undefined ? HOW_TO_INSTALL : undefined, (tally) => {
    test.each(apiNames)('finds nothing in the document of %s', async (api) => {
      const name = `${api}.json`;
      copyFileSync(documentFile(api), join(folder, name));
      expect(await lint(folder, name)).toEqual([]);
      tally.agree();
    });

    test('finds a parameter without its schema', async () => {
      const document = JSON.parse(readFileSync(documentFile('chat'), 'utf8'));
      delete document.components.parameters.limit.schema;
      writeFileSync(join(folder, 'broken.json'), JSON.stringify(document));
      expect(await lint(folder, 'broken.json')).not.toEqual([]);
    });

    if (rules === undefined) return;
    test('leaves out rules for a reason each', () => {
      const text = readFileSync(join(rulesFolder, rules), 'utf8');
      const reasons = [...text.matchAll(/# (.+)\n +\S+: off$/gm)].map(([, reason = '']) => reason);
      expect(reasons).toHaveLength(text.split(': off').length - 1);
      for (const reason of reasons) tally.differ(reason);
    });
  });
}

const validator = pythonCommand('openapi-spec-validator');
judge('openapi-spec-validator', validator, async (cwd, name) => {
  const { exitCode, stdout, stderr } = await program(String(validator), [name], { folder: cwd });
  return exitCode === 0 ? [] : [stdout + stderr];
});

const redocly = npmCommand('redocly');
judge(
  'Redocly',
  redocly,
  async (cwd, name) => {
    const { stdout, stderr } = await program(
      String(redocly),
      ['lint', name, '--config', join(rulesFolder, 'redocly.yaml'), '--format', 'json'],
      { folder: cwd, env: { REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' } },
    );
    return listIn(stdout, stderr, 'problems');
  },
  'redocly.yaml',
);

const spectral = npmCommand('spectral');
judge(
  'Spectral',
  spectral,
  async (cwd, name) => {
    copyFileSync(join(rulesFolder, 'spectral.yaml'), join(cwd, '.spectral.yaml'));
    const { stdout, stderr } = await program(
      String(spectral),
      ['lint', name, '--format', 'json', '--quiet', '--fail-severity', 'hint'],
      { folder: cwd },
    );
    return listIn(stdout, stderr);
  },
  'spectral.yaml',
);

function listIn(stdout: string, stderr: string, member?: string): unknown[] {
  try {
    const report: unknown = JSON.parse(stdout);
    const found: unknown = member === undefined ? report : Reflect.get(Object(report), member);
    if (Array.isArray(found)) return found;
  } catch {
    // What it wrote is shown below.
  }
  throw new Error(`The linter gave no report:\n${stdout}${stderr}`);
}
