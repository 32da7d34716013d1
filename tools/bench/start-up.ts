import { cp, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { figure, type Figure } from '../harness/figures.ts';
import { withHost } from '../harness/running-host.ts';

const SOURCES = ['bin', 'cli', 'lambda', 'lib', 'local'];
const FILES = ['cdk.json', 'package.json', 'package-lock.json', 'tsconfig.json'];

/** Starts a copy in which nothing is built, as after `npm ci`, and starts it again. */
export async function measureStartUp(projectFolder: string): Promise<readonly Figure[]> {
  const folder = await mkdtemp(path.join(tmpdir(), 'duotempo-start-up-'));
  try {
    for (const source of [...SOURCES, ...FILES])
      await cp(path.join(projectFolder, source), path.join(folder, source), { recursive: true });
    await symlink(path.join(projectFolder, 'node_modules'), path.join(folder, 'node_modules'), 'dir');
    const start = async (): Promise<number> =>
      withHost(folder, async ({ readyMilliseconds }) => Promise.resolve(readyMilliseconds / 1000));
    return [
      figure('start-up, nothing built yet', await start(), 's', { atMost: 10 }),
      figure('start-up, again', await start(), 's', { atMost: 3 }),
    ];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
