import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { App } from 'aws-cdk-lib';
import type { Stage } from '../../lib/config.ts';
import { type Resource, resourcesIn } from './templates.ts';

/**
 * The construct tree of a stage and the resources it comes to, made by the very entry file that `cdk synth` runs, with the context of cdk.json.
 *
 * @param more context, as `cdk synth -c <name>=<value>` gives it
 */
export async function constructTree(
  stage: Stage,
  more: Readonly<Record<string, string>> = {},
): Promise<{ readonly app: App; readonly resources: readonly Resource[] }> {
  const { context } = JSON.parse(readFileSync('cdk.json', 'utf8')) as { context: Record<string, unknown> };
  const folder = mkdtempSync(join(tmpdir(), 'duotempo-tree-'));
  process.env['CDK_OUTDIR'] = folder;
  process.env['CDK_CONTEXT_JSON'] = JSON.stringify({ ...context, ...more, stage });
  try {
    // With a query of its own a module runs anew: the entry file synthesizes when it is loaded.
    const { app } = (await import(
      `../../bin/duotempo.ts?${new URLSearchParams({ ...more, stage }).toString()}`
    )) as { app: App };
    return { app, resources: resourcesIn(folder) };
  } finally {
    delete process.env['CDK_OUTDIR'];
    delete process.env['CDK_CONTEXT_JSON'];
    rmSync(folder, { recursive: true, force: true });
  }
}
