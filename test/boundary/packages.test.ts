import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { build } from 'esbuild';

/**
 * Goal: no package gets in unseen, on the machine of who builds, or into a function.
 * Method: what the lock file says, and what the bundler puts into the bundles. A package that is added on purpose is
 * added to the lists here, in a diff that somebody reads.
 */

interface Locked {
  readonly version: string;
  readonly integrity?: string;
  readonly resolved?: string;
  readonly inBundle?: boolean;
  readonly hasInstallScript?: boolean;
}

function parsed(file: string): unknown {
  return JSON.parse(readFileSync(file, 'utf8'));
}

describe('packages', () => {
  const { packages } = parsed('package-lock.json') as { packages: Readonly<Record<string, Locked>> };
  const installed = Object.entries(packages).filter(([path]) => path !== '');

  test('have exact versions', () => {
    const { dependencies, devDependencies } = parsed('package.json') as Record<
      'dependencies' | 'devDependencies',
      Record<string, string>
    >;
    const versions = Object.entries({ ...dependencies, ...devDependencies });
    expect(versions.length).toBeGreaterThan(20);
    expect(versions.filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([]);
  });

  test('are locked by the hash of their content, and to no place of their own', () => {
    expect(installed.length).toBeGreaterThan(100);
    // What another package brings along within itself is covered by that one's hash.
    const loose = installed.filter(
      ([, { integrity = '', inBundle = false }]) => !inBundle && !/^sha512-.{80,}/.test(integrity),
    );
    expect(loose).toEqual([]);
    expect(installed.filter(([, { resolved }]) => resolved !== undefined)).toEqual([]);
  });

  test('run a script when they are installed only where that is known', () => {
    const scripted = installed.flatMap(([path, { hasInstallScript = false }]) =>
      hasInstallScript ? [path] : [],
    );
    expect(scripted.toSorted()).toEqual(
      ['@parcel/watcher', '@swc/core', 'classic-level', 'esbuild', 'unrs-resolver'].map(
        (name) => `node_modules/${name}`,
      ),
    );
  });
});

test('the bundles hold these packages, and no other', async () => {
  const handlers = readdirSync('lambda', { recursive: true, encoding: 'utf8' }).filter((file) =>
    /[/\\]([a-z-]+-)?handler\.ts$/.test(file),
  );
  const { metafile } = await build({
    entryPoints: handlers.map((file) => join('lambda', file)),
    outdir: 'never-written',
    write: false,
    metafile: true,
    bundle: true,
    platform: 'node',
    format: 'esm',
    mainFields: ['module', 'main'],
    logLevel: 'error',
  });
  const names = Object.keys(metafile.inputs).flatMap((input) => {
    const [, path] = /.*node_modules\/(.*)$/.exec(input) ?? [];
    return path === undefined
      ? []
      : [
          path
            .split('/')
            .slice(0, path.startsWith('@') ? 2 : 1)
            .join('/'),
        ];
  });
  // AWS's own, in three scopes, go by their scope: an update moves code between them.
  const scoped = names.map((name) => name.replace(/^(@aws-sdk|@smithy|@aws-lambda-powertools)\/.*/, '$1'));
  expect([...new Set(scoped)].toSorted()).toEqual([
    '@aws-lambda-powertools',
    '@aws-sdk',
    '@aws/lambda-invoke-store',
    '@smithy',
    'bowser',
    'currency-codes',
    'first-match',
    'jose',
    'mnemonist',
    'nub',
    'obliterator',
    'valibot',
  ]);
});
