// @ts-check
/**
 * Lambda's image for Node.js 24, from what Debian and npm have: Node.js, the libraries it is linked with, and AWS's own
 * runtime interface client, which AWS's image runs, too. Nothing of the function's surroundings is written here but the
 * line that starts the client.
 */
import { execFile, execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { LAMBDA_IMAGE } from './programs.mjs';

/** What SAM runs in an image to build its own upon it. */
const programs = ['sh', 'mv', 'chmod'];
/** Of node and of the client; in AWS's image, too, they lie here. */
const paths = { node: '/var/lang/bin/node', runtime: '/var/runtime' };

/**
 * Builds the image's file system and writes it to `LAMBDA_IMAGE.file`, for `docker import`. Needs Linux, cmake, make, a
 * C++ compiler and Python, with which AWS's client compiles itself.
 */
export async function buildLambdaImage() {
  if (process.platform !== 'linux') {
    throw new Error(`it is built on Linux only; get AWS's with docker pull ${LAMBDA_IMAGE.ofAws}`);
  }
  const work = mkdtempSync(join(tmpdir(), 'duotempo-image-'));
  try {
    const { name, version } = LAMBDA_IMAGE.node;
    await npm(join(work, 'node'), [`${name}@${version}`]);
    const node = join(work, 'node', 'node_modules', name);
    // For this very Node.js, whose headers need not be downloaded then.
    await npm(join(work, 'client'), ['--ignore-scripts=false', `aws-lambda-ric@${LAMBDA_IMAGE.client}`], {
      ...process.env,
      PATH: `${join(node, 'bin')}:${process.env['PATH'] ?? ''}`,
      npm_config_nodedir: node,
    });
    const root = join(work, 'root');
    fill(root, join(node, 'bin', 'node'), join(work, 'client', 'node_modules'));
    mkdirSync(dirname(LAMBDA_IMAGE.file), { recursive: true });
    const partial = `${LAMBDA_IMAGE.file}.${process.pid}`;
    execFileSync('tar', ['-C', root, '--owner=0', '--group=0', '--numeric-owner', '-cf', partial, '.']);
    renameSync(partial, LAMBDA_IMAGE.file);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/**
 * @param {string} root
 * @param {string} node
 * @param {string} packages
 */
function fill(root, node, packages) {
  const client = join(packages, 'aws-lambda-ric');
  const binaries = programs.map((name) => ({ from: `/bin/${name}`, to: `/bin/${name}` }));
  const libraries = librariesOf([
    node,
    join(client, 'rapid-client.node'),
    ...binaries.map(({ from }) => from),
  ]);
  for (const { from, to } of [
    { from: node, to: paths.node },
    { from: join(client, 'index.mjs'), to: `${paths.runtime}/index.mjs` },
    { from: join(client, 'rapid-client.node'), to: `${paths.runtime}/rapid-client.node` },
    ...binaries,
    ...libraries.map((path) => ({ from: path, to: path })),
  ]) {
    mkdirSync(dirname(join(root, to)), { recursive: true });
    copyFileSync(from, join(root, to));
  }
  const { dependencies } = JSON.parse(readFileSync(join(client, 'package.json'), 'utf8'));
  for (const name of Object.keys(dependencies).filter((each) => each.startsWith('@aws/'))) {
    cpSync(join(packages, name), join(root, paths.runtime, 'node_modules', name), { recursive: true });
  }
  const bootstrap = join(root, paths.runtime, 'bootstrap');
  writeFileSync(bootstrap, `#!/bin/sh\nexec ${paths.node} ${paths.runtime}/index.mjs\n`);
  chmodSync(bootstrap, 0o755);
  mkdirSync(join(root, 'tmp'), { recursive: true });
  chmodSync(join(root, 'tmp'), 0o1777);
}

/**
 * @param {readonly string[]} files
 * @returns {string[]} the paths of all that they are linked with, the loader included
 */
function librariesOf(files) {
  const lines = files.flatMap((file) => execFileSync('ldd', [file], { encoding: 'utf8' }).split('\n'));
  const found = lines.flatMap((line) => /(?:=>\s*|^\s*)(\/\S+) \(0x/.exec(line)?.[1] ?? []);
  return [...new Set(found)];
}

/**
 * @param {string} folder
 * @param {readonly string[]} args
 * @param {NodeJS.ProcessEnv} [env]
 */
async function npm(folder, args, env = process.env) {
  mkdirSync(folder);
  const options = ['--silent', '--no-save', '--no-package-lock', '--prefix', folder];
  await promisify(execFile)('npm', ['install', ...options, ...args], { cwd: folder, env });
}
