import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import path from 'node:path';
import * as v from 'valibot';
import { CommandError, errorCode } from './command-error.ts';
import { parseJson } from './files.ts';

/** What the synthesized app depends on. */
const sources = ['bin', 'lib', 'lambda', 'cdk.json', 'tsconfig.json', 'package-lock.json'];

/** Assemblies that no start has used for this long are removed; a younger one may be running. */
const keepUnusedDays = 7;

export interface AssemblyOptions {
  readonly projectFolder: string;
  readonly stage: string;
  /** Ends the synthesis. */
  readonly signal: AbortSignal;
  /** Called when there is something to synthesize, before the work begins. */
  readonly onSynthesize: () => void;
}

/**
 * The cloud assembly of the sources as they are, synthesized if they have changed since the last time.
 *
 * The folder's name carries the hash of the sources, and it appears by a rename when it is complete: starts at the same
 * moment don't disturb each other, and a host that runs keeps the assembly it has loaded.
 *
 * @returns the assembly's absolute folder
 */
export async function synthesizeIfChanged(options: AssemblyOptions): Promise<string> {
  const { projectFolder, stage, signal, onSynthesize } = options;
  const hash = await hashSources(projectFolder, [stage, process.versions.node]);
  const parent = path.join(projectFolder, '.build', 'assembly', stage);
  const folder = path.join(parent, hash);
  const now = new Date();
  if (await exists(path.join(folder, 'manifest.json'))) {
    await utimes(folder, now, now).catch(() => undefined);
    return folder;
  }

  onSynthesize();
  const unfinished = path.join(parent, `unfinished-${process.pid}`);
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { recursive: true });
  try {
    await synthesize(projectFolder, stage, unfinished, signal);
    await rename(unfinished, folder).catch(async (error: unknown) => {
      // Another start was faster; its assembly is of the same sources.
      if (!['ENOTEMPTY', 'EEXIST', 'EPERM'].includes(errorCode(error) ?? '')) throw error;
    });
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
  await removeUnused(parent, now);
  return folder;
}

/** A hash over the content and the names of all sources. */
async function hashSources(projectFolder: string, also: readonly string[]): Promise<string> {
  const files = (await Promise.all(sources.map(async (source) => filesOf(projectFolder, source))))
    .flat()
    .toSorted();
  const contents = await Promise.all(files.map(async (file) => readFile(path.join(projectFolder, file))));
  const hash = createHash('sha256').update(JSON.stringify(also));
  for (const [index, file] of files.entries()) {
    const content = contents[index] ?? Buffer.alloc(0);
    hash.update(`\n${file} ${content.length}\n`).update(content);
  }
  return hash.digest('hex').slice(0, 16);
}

async function filesOf(projectFolder: string, source: string): Promise<string[]> {
  const place = path.join(projectFolder, source);
  const found = await stat(place).catch(() => undefined);
  if (found === undefined) return [];
  if (found.isFile()) return [source];
  const entries = await readdir(place, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(projectFolder, path.join(entry.parentPath, entry.name)));
}

async function synthesize(
  projectFolder: string,
  stage: string,
  folder: string,
  signal: AbortSignal,
): Promise<void> {
  const context = await readContext(path.join(projectFolder, 'cdk.json'));
  const child = spawn(process.execPath, [path.join('bin', 'build.mjs')], {
    cwd: projectFolder,
    env: { ...process.env, CDK_OUTDIR: folder, CDK_CONTEXT_JSON: JSON.stringify({ ...context, stage }) },
    stdio: ['ignore', 'pipe', 'pipe'],
    signal,
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-20_000)));
  }
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject).on('close', resolve);
  });
  if (exitCode === 0) return;
  const message = `The app cannot be synthesized for the stage ${stage}:\n${readableError(said)}`;
  throw process.env.DUOTEMPO_DEBUG === '1'
    ? new CommandError(message)
    : new CommandError(message, { hint: 'DUOTEMPO_DEBUG=1 shows all it said.' });
}

const cdkSchema = v.object({ context: v.optional(v.record(v.string(), v.unknown())) });

async function readContext(file: string): Promise<Record<string, unknown>> {
  return v.parse(cdkSchema, parseJson(await readFile(file, 'utf8'))).context ?? {};
}

/** The lines of a crashed program's last words that say what happened: neither stack frames nor Node's own. */
export function readableError(said: string): string {
  if (process.env.DUOTEMPO_DEBUG === '1') return said.trim();
  const lines = said
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line) => line !== '' && !/^\s+at .*[:)]\d*|^Node\.js v\d|^node:internal/.test(line));
  const error = lines.findIndex((line) => /^\s*(?:\w*Error\b|✘ \[ERROR\])/.test(line));
  return lines
    .slice(error === -1 ? 0 : error)
    .slice(0, 12)
    .map((line) => `  ${line}`)
    .join('\n');
}

async function removeUnused(parent: string, now: Date): Promise<void> {
  for (const name of await readdir(parent)) {
    const folder = path.join(parent, name);
    const found = await stat(folder).catch(() => undefined);
    const unusedDays = found === undefined ? 0 : (now.getTime() - found.mtimeMs) / 86_400_000;
    if (unusedDays > keepUnusedDays) await rm(folder, { recursive: true, force: true });
  }
}

async function exists(file: string): Promise<boolean> {
  return (await stat(file).catch(() => undefined)) !== undefined;
}
