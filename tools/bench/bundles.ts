import { stat } from 'node:fs/promises';
import path from 'node:path';
import * as v from 'valibot';
import { CommandError, usageError } from '../../cli/shared/command-error.ts';
import { parseJson } from '../../cli/shared/files.ts';
import { loadAssembly, objectAt, textAt } from '../../local/index.ts';
import { figure, type Figure } from '../harness/figures.ts';
import { percentiles } from '../harness/percentiles.ts';
import { runNode } from '../harness/run-node.ts';

const IMPORTS = 5;

/** The part of a cold start that depends on the bundle. */
const script = `
const startedAt = performance.now();
await import(process.argv[1]);
process.stderr.write(JSON.stringify(performance.now() - startedAt), () => process.exit(0));
`;

/** @throws CommandError if it is no Node.js */
export async function versionOf(node: string): Promise<string> {
  const { output } = await runNode(node, ['-e', 'process.stderr.write(process.versions.node)']);
  if (/^\d+\.\d+\.\d+$/.test(output)) return output;
  throw usageError(
    `${node} is no Node.js: it does not tell its version as one does.`,
    'Name the binary with --node, for example --node "$(command -v node)".',
  );
}

/** The largest first. @param node the binary to import with */
export async function measureBundles(assembly: string, node: string): Promise<readonly Figure[]> {
  const version = await versionOf(node);
  const measured: { readonly size: number; readonly figures: readonly Figure[] }[] = [];
  for (const [file, name] of bundlesOf(assembly)) {
    const { size } = await stat(file);
    const milliseconds: number[] = [];
    for (let attempt = 0; attempt < IMPORTS; attempt += 1) {
      const { output } = await runNode(node, ['--input-type=module', '-e', script, file]);
      const answer = v.safeParse(v.number(), parseJson(output));
      if (!answer.success) throw new CommandError(`${node} cannot import ${file}.`);
      milliseconds.push(answer.output);
    }
    const median = percentiles(milliseconds)?.p50 ?? Number.NaN;
    const figures = [
      figure(`${name}, size`, size / 1024, 'KB', { atMost: 450 }),
      figure(`${name}, import on Node ${version}`, median, 'ms', { atMost: 80 }),
    ];
    measured.push({ size, figures });
  }
  return measured.toSorted((one, other) => other.size - one.size).flatMap(({ figures }) => figures);
}

/** @param name the logical id without CDK's suffix */
export function bundleOf(assembly: string, name: string): string {
  const found = [...bundlesOf(assembly)].find(([, each]) => each === name);
  if (found === undefined) throw new CommandError(`The app has no function ${name}.`);
  return found[0];
}

function bundlesOf(assembly: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const { template, assetFolder } of loadAssembly(assembly)) {
    for (const { type, logicalId, properties } of template.resources) {
      if (type !== 'AWS::Lambda::Function') continue;
      const folder = assetFolder(textAt(objectAt(properties, 'Code'), 'S3Key') ?? '');
      if (folder === undefined) continue;
      const file = path.join(folder, 'index.mjs');
      if (!found.has(file)) found.set(file, logicalId.replace(/Function[0-9A-F]{8}$/, ''));
    }
  }
  return found;
}
