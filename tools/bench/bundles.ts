import { spawn } from 'node:child_process';
import { stat } from 'node:fs/promises';
import path from 'node:path';
import * as v from 'valibot';
import { loadAssembly, objectAt, textAt } from '../../local/index.ts';
import { CommandError } from '../../cli/shared/command-error.ts';
import { parseJson } from '../../cli/shared/files.ts';
import { median } from './intake.ts';

export interface BundleResult {
  /** The function's logical id, without what CDK appends. */
  readonly name: string;
  readonly kilobytes: number;
  /** Median of fresh processes. */
  readonly importMilliseconds: number;
}

const IMPORTS = 5;

/** What a fresh process takes to import a bundle: the part of a cold start that the bundle is to blame for. */
const script = `
const startedAt = performance.now();
await import(process.argv[1]);
process.stdout.write(JSON.stringify({ milliseconds: performance.now() - startedAt, version: process.versions.node }) + '\\n', () => process.exit(0));
`;

const answerSchema = v.object({ milliseconds: v.number(), version: v.string() });

/** @throws CommandError for what is no Node.js, before anything is measured with it */
export async function checkNode(node: string): Promise<void> {
  const child = spawn(node, ['--version'], { stdio: ['ignore', 'pipe', 'ignore'] });
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
  const exitCode = await new Promise<number | null>((resolve) => {
    child.once('error', () => resolve(null)).once('close', resolve);
  });
  if (exitCode === 0 && /^v\d+\.\d+\.\d+\s*$/.test(said)) return;
  throw new CommandError(`${node} is no Node.js: it does not answer --version as one does.`, {
    hint: 'Name the binary with --node, for example --node "$(command -v node)".',
    exitCode: 2,
  });
}

/** @param node the binary to import with: Lambda runs Node 24 */
export async function measureBundles(
  assembly: string,
  node: string,
): Promise<{ readonly version: string; readonly bundles: readonly BundleResult[] }> {
  const bundles: BundleResult[] = [];
  let version = '';
  for (const { name, file } of bundlesOf(assembly)) {
    const { size } = await stat(file);
    const milliseconds: number[] = [];
    for (let attempt = 0; attempt < IMPORTS; attempt++) {
      const answer = await importOnce(node, file);
      version = answer.version;
      milliseconds.push(answer.milliseconds);
    }
    bundles.push({ name, kilobytes: size / 1024, importMilliseconds: median(milliseconds) });
  }
  return { version, bundles };
}

/** Every function's bundle, a bundle that several functions share once. */
export function bundlesOf(assembly: string): { readonly name: string; readonly file: string }[] {
  const found = new Map<string, string>();
  for (const { template, assetFolder } of loadAssembly(assembly)) {
    for (const { type, logicalId, properties } of template.resources) {
      if (type !== 'AWS::Lambda::Function') continue;
      const folder = assetFolder(textAt(objectAt(properties, 'Code'), 'S3Key') ?? '');
      if (folder === undefined) continue;
      const file = path.join(folder, 'index.mjs');
      if (!found.has(file)) found.set(file, logicalId);
    }
  }
  return [...found].map(([file, name]) => ({ name: name.replace(/Function[0-9A-F]{8}$/, ''), file }));
}

async function importOnce(node: string, file: string): Promise<v.InferOutput<typeof answerSchema>> {
  const child = spawn(node, ['--input-type=module', '-e', script, file], {
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { PATH: process.env.PATH, AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' },
  });
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject).once('close', resolve);
  });
  const answer = v.safeParse(answerSchema, parseJson(said));
  if (exitCode !== 0 || !answer.success) throw new CommandError(`${node} cannot import ${file}.`);
  return answer.output;
}
