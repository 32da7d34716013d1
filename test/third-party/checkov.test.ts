import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import * as v from 'valibot';
import { stages, stageTemplates, type StageTemplates } from '../stack/templates.ts';
import { describeJudge } from './judges/judge.ts';
import { HOW_TO_INSTALL, pythonCommand } from './judges/programs.mjs';
import { templateFiles } from './templates/files.ts';

/**
 * Goal: what checkov finds in the templates of any stage is mended, or has its answer in docs/decisions/0044.
 * Method: its findings are those of the baseline, by check, type and stage: no other one, and none the less.
 */

const BASELINE = 'test/third-party/templates/checkov-baseline.json';
const ANSWERS = 'docs/decisions/0044-what-checkov-wants.md';

const checkSchema = v.object({ check_id: v.string(), resource: v.string(), file_abs_path: v.string() });
const reportSchema = v.object({
  results: v.object({
    passed_checks: v.array(checkSchema),
    failed_checks: v.array(checkSchema),
    parsing_errors: v.pipe(v.array(v.string()), v.maxLength(0)),
  }),
});
const baselineSchema = v.record(
  v.string(),
  v.object({ type: v.string(), stages: v.array(v.picklist(stages)) }),
);

const command = pythonCommand('checkov');

describeJudge('checkov', command === undefined ? HOW_TO_INSTALL : undefined, (tally) => {
  const baseline = v.parse(baselineSchema, JSON.parse(readFileSync(BASELINE, 'utf8')));
  // A row of the table: | check | what it wants | why not here |
  const answers = new Map(
    [...readFileSync(ANSWERS, 'utf8').matchAll(/^\| `(\w+)` +\| (.+?) +\|/gm)].map(
      ([, id = '', wants = '']): [string, string] => [id, wants],
    ),
  );

  test('finds in the templates of every stage what the baseline has', async () => {
    const apps: StageTemplates[] = [];
    for (const stage of stages) apps.push(await stageTemplates(stage));
    const files = apps.flatMap(({ folder }) => templateFiles(folder));
    const args = ['--framework', 'cloudformation', '--skip-download', '--soft-fail', '--output', 'json'];
    const { stdout } = await promisify(execFile)(command ?? '', [...args, '--file', ...files], {
      maxBuffer: 2 ** 28,
    });
    const { passed_checks: passed, failed_checks: failed } = v.parse(
      reportSchema,
      JSON.parse(stdout),
    ).results;

    const found = failed.map(({ check_id: id, resource, file_abs_path: file }) => {
      const stage = stages.find((_, index) => file.startsWith(`${apps[index]?.folder ?? ''}/`));
      return `${id} ${resource.split('.')[0]} ${stage}`;
    });
    const known = Object.entries(baseline).flatMap(([id, { type, stages: where }]) =>
      where.map((stage) => `${id} ${type} ${stage}`),
    );
    expect([...new Set(found)].toSorted()).toEqual(known.toSorted());
    tally.agree(passed.length);
    for (const { check_id: id } of failed) tally.differ(`${id}: ${answers.get(id) ?? ''}`);
  });

  test('each check of the baseline has its answer, and no other one has', () => {
    expect([...answers.keys()].toSorted()).toEqual(Object.keys(baseline).toSorted());
  });
});
