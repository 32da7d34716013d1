import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import * as v from 'valibot';
import { pythonCommand } from '../judges/programs.mjs';
import { templateFiles } from './files.ts';

const run = promisify(execFile);

export interface Finding {
  readonly rule: string;
  readonly file: string;
  readonly logicalId: string;
  readonly type: string;
  /** Below the resource: `Properties.Tags.0.Key`. */
  readonly path: string;
  readonly message: string;
}

const reportSchema = v.array(
  v.object({
    Filename: v.string(),
    Message: v.string(),
    Location: v.object({ Path: v.array(v.union([v.string(), v.number()])) }),
    Rule: v.object({ Id: v.string() }),
  }),
);

const templateSchema = v.object({ Resources: v.record(v.string(), v.object({ Type: v.string() })) });

/**
 * Lints all templates of cloud assemblies by every rule that makes an error or a warning.
 *
 * @throws Error where cfn-lint itself fails
 */
export async function lint(assemblies: readonly string[]): Promise<readonly Finding[]> {
  const { stdout } = await run(
    pythonCommand('cfn-lint') ?? '',
    [
      ...['--format', 'json', '--non-zero-exit-code', 'none', '--regions', 'us-east-1'],
      ...['--', ...assemblies.flatMap(templateFiles)],
    ],
    { maxBuffer: 2 ** 28 },
  );
  return v
    .parse(reportSchema, JSON.parse(stdout))
    .map(({ Filename: file, Message: message, Location, Rule }) => {
      const [, logicalId = '', ...path] = Location.Path.map(String);
      const { Resources } = v.parse(templateSchema, JSON.parse(readFileSync(file, 'utf8')));
      const type = Resources[logicalId]?.Type ?? '';
      return { rule: Rule.Id, file, logicalId, type, path: path.join('.'), message };
    });
}
