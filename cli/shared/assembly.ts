import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import path from 'node:path';
import * as v from 'valibot';
import { CommandError, errorCode } from './command-error.ts';
import { parseJson } from './files.ts';

const SOURCES = ['bin', 'lib', 'lambda', 'cdk.json', 'tsconfig.json', 'package-lock.json'];

/** A younger assembly may be running. */
const KEEP_UNUSED_DAYS = 7;

export interface AssemblyOptions {
  readonly projectFolder: string;
  readonly stage: string;
  readonly signal: AbortSignal;
  readonly onSynthesize: () => void;
}

/** A hash of the sources names the folder, and a rename completes it: no start disturbs another or a running host. */
export async function synthesizeIfChanged(options: AssemblyOptions): Promise<string> {
  const { projectFolder, stage, signal, onSynthesize } = options;
  const hash = await hashSources(projectFolder, [stage, process.versions.node]);
  const parent = path.join(projectFolder, '.build', 'assembly', stage);
  const folder = path.join(parent, hash);
  const now = new Date();
  if (existsSync(path.join(folder, 'manifest.json'))) {
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
      // Another start was faster, with the same sources.
      if (!['ENOTEMPTY', 'EEXIST', 'EPERM'].includes(errorCode(error) ?? '')) throw error;
    });
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
  await removeUnused(parent, now);
  return folder;
}

async function hashSources(projectFolder: string, also: readonly string[]): Promise<string> {
  const files = (await Promise.all(SOURCES.map(async (source) => filesOf(projectFolder, source))))
    .flat()
    .toSorted();
  const hash = createHash('sha256').update(JSON.stringify(also));
  for (const file of files) {
    const content = await readFile(path.join(projectFolder, file));
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

const cdkSchema = v.object({ context: v.optional(v.record(v.string(), v.unknown())) });

async function synthesize(
  projectFolder: string,
  stage: string,
  folder: string,
  signal: AbortSignal,
): Promise<void> {
  const { context } = v.parse(
    cdkSchema,
    parseJson(await readFile(path.join(projectFolder, 'cdk.json'), 'utf8')),
  );
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
  const [exitCode] = await once(child, 'close');
  if (exitCode === 0) return;
  const message = `The app cannot be synthesized for the stage ${stage}:\n${readableError(said)}`;
  throw new CommandError(
    message,
    process.env.DUOTEMPO_DEBUG === '1' ? {} : { hint: 'DUOTEMPO_DEBUG=1 shows all it said.' },
  );
}

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
    if (unusedDays > KEEP_UNUSED_DAYS) await rm(folder, { recursive: true, force: true });
  }
}
