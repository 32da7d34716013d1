import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { App } from 'aws-cdk-lib';
import type { Stage } from '../../lib/config.ts';

/** The construct tree of a stage, made by the very entry file that `cdk synth` runs, with the context of cdk.json. */
export async function constructTree(stage: Stage): Promise<App> {
  const { context } = JSON.parse(readFileSync('cdk.json', 'utf8')) as { context: Record<string, unknown> };
  const folder = mkdtempSync(join(tmpdir(), 'duotempo-tree-'));
  process.env['CDK_OUTDIR'] = folder;
  process.env['CDK_CONTEXT_JSON'] = JSON.stringify({ ...context, stage });
  try {
    // With a query of its own a module runs anew: the entry file synthesizes when it is loaded.
    const { app } = (await import(`../../bin/duotempo.ts?${stage}`)) as { app: App };
    return app;
  } finally {
    delete process.env['CDK_OUTDIR'];
    delete process.env['CDK_CONTEXT_JSON'];
    rmSync(folder, { recursive: true, force: true });
  }
}
