import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { jest } from '@jest/globals';
import type { App } from 'aws-cdk-lib';
import type { BuildOptions } from 'esbuild';
import type { Stage } from '../../lib/config.ts';
import { type Resource, resourcesIn } from './templates.ts';

// A tree says nothing about code: empty bundles spare each test file a bundling.
jest.unstable_mockModule('esbuild', () => ({
  buildSync: ({ entryPoints, outdir = '' }: BuildOptions) => {
    for (const { out } of entryPoints as readonly { readonly out: string }[]) {
      const file = join(outdir, `${out}.mjs`);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, '');
    }
  },
}));

/**
 * Makes the construct tree of a stage, and the resources it comes to, by the entry file that `cdk synth` runs and the
 * context of cdk.json.
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
  // Checking templates against CloudFormation's schemas takes seconds; the synthesis of each stage does it.
  process.env['CDK_VALIDATION'] = 'false';
  process.env['CDK_CONTEXT_JSON'] = JSON.stringify({ ...context, ...more, stage });
  try {
    // With a query of its own a module runs anew: the entry file synthesizes when it is loaded.
    const { app } = (await import(
      `../../bin/duotempo.ts?${new URLSearchParams({ ...more, stage }).toString()}`
    )) as { app: App };
    return { app, resources: resourcesIn(folder) };
  } finally {
    delete process.env['CDK_OUTDIR'];
    delete process.env['CDK_VALIDATION'];
    delete process.env['CDK_CONTEXT_JSON'];
    rmSync(folder, { recursive: true, force: true });
  }
}
