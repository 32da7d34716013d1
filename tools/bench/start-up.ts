import { cp, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startHost } from './running-host.ts';

export interface StartUpResult {
  /** Nothing built yet, as after `npm ci`. */
  readonly coldMilliseconds: number;
  /** Nothing changed since. */
  readonly warmMilliseconds: number;
}

const SOURCES = [
  'bin',
  'cli',
  'lambda',
  'lib',
  'local',
  'cdk.json',
  'package.json',
  'package-lock.json',
  'tsconfig.json',
];

/** Starts a copy of the project that has never been started, and starts it again. */
export async function measureStartUp(projectFolder: string): Promise<StartUpResult> {
  const folder = await mkdtemp(path.join(tmpdir(), 'duotempo-start-up-'));
  try {
    for (const source of SOURCES)
      await cp(path.join(projectFolder, source), path.join(folder, source), { recursive: true });
    await symlink(path.join(projectFolder, 'node_modules'), path.join(folder, 'node_modules'), 'dir');
    const times: number[] = [];
    for (let start = 0; start < 2; start++) {
      const host = await startHost(folder);
      times.push(host.readyMilliseconds);
      await host.stop();
    }
    const [coldMilliseconds = Number.NaN, warmMilliseconds = Number.NaN] = times;
    return { coldMilliseconds, warmMilliseconds };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
