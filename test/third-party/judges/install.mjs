// @ts-check
/**
 * Installs the judges of `npm test -- third-party` below ~/.cache/duotempo: needs Python 3.11, Maven, Java 17, cmake and a
 * C++ compiler.
 * It changes nothing else on the machine. Exits with 1 if one could not be installed.
 */
import { spawn } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { buildLambdaImage } from './image.mjs';
import {
  DYNAMODB_LOCAL,
  dynamoDbLocalFolder,
  LAMBDA_IMAGE,
  NPM_PROGRAMS,
  PYTHON_PROGRAMS,
  pythonCommand,
  pythonFolder,
} from './programs.mjs';

/** @typedef {{ name: string, isThere: () => boolean, install: () => Promise<void> }} Judge */

const python = Object.keys(PYTHON_PROGRAMS).map((key) => {
  const name = /** @type {import('./programs.mjs').PythonProgram} */ (key);
  return { name, isThere: () => pythonCommand(name) !== undefined, install: () => installPython(name) };
});

/** Lists that are worked off side by side: one waits for the network where another compiles. @type {Judge[][]} */
const judges = [
  python,
  [{ name: 'programs of npm', isThere: isNpmThere, install: installNpm }],
  [
    {
      name: 'DynamoDB Local',
      isThere: () => dynamoDbLocalFolder() !== undefined,
      install: installDynamoDbLocal,
    },
  ],
  [{ name: "Lambda's image", isThere: () => existsSync(LAMBDA_IMAGE.file), install: buildLambdaImage }],
];

let missing = 0;
await Promise.all(
  judges.map(async (list) => {
    for (const judge of list) await provide(judge);
  }),
);
process.exitCode = missing === 0 ? 0 : 1;

/** @param {Judge} judge */
async function provide({ name, isThere, install }) {
  if (isThere()) {
    console.log(`there      ${name}`);
    return;
  }
  const startedAt = performance.now();
  try {
    await install();
    console.log(`installed  ${name}, ${((performance.now() - startedAt) / 1000).toFixed(0)} s`);
  } catch (error) {
    missing += 1;
    console.log(`MISSING    ${name}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** @param {import('./programs.mjs').PythonProgram} name */
async function installPython(name) {
  const folder = pythonFolder(name);
  const pip = join(dirname(dirname(folder)), 'uv');
  const uv = join(pip, 'bin', 'uv');
  if (!existsSync(uv)) {
    await run('python3', ['-m', 'venv', pip]);
    await run(join(pip, 'bin', 'pip'), ['install', '--quiet', 'uv==0.13.9']);
  }
  try {
    await run(uv, ['venv', '--quiet', '--clear', folder]);
    const python = join(folder, 'bin', 'python');
    await run(uv, [
      'pip',
      'install',
      '--quiet',
      '--python',
      python,
      `${name}==${PYTHON_PROGRAMS[name].version}`,
    ]);
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

function isNpmThere() {
  return existsSync(join(NPM_PROGRAMS.folder, 'node_modules', '.package-lock.json'));
}

async function installNpm() {
  mkdirSync(NPM_PROGRAMS.folder, { recursive: true });
  for (const file of ['package.json', 'package-lock.json']) {
    copyFileSync(join(NPM_PROGRAMS.manifests, file), join(NPM_PROGRAMS.folder, file));
  }
  await run('npm', ['ci', '--silent', '--ignore-scripts', '--prefix', NPM_PROGRAMS.folder]);
}

async function installDynamoDbLocal() {
  const { project, folder } = DYNAMODB_LOCAL;
  await run('mvn', [
    ...['--quiet', '--batch-mode', '--file', project],
    ...['dependency:copy-dependencies', `-DoutputDirectory=${folder}`],
  ]);
}

/**
 * @param {string} command
 * @param {readonly string[]} args
 * @returns {Promise<void>}
 */
function run(command, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let text = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (text += String(chunk)));
    child.on('error', () => reject(new Error(`there is no ${command} on this machine`)));
    child.on('close', (code) => {
      if (code === 0) resolve();
      else reject(new Error(text.trim().split('\n').slice(-5).join('\n') || `${command} ended with ${code}`));
    });
  });
}
