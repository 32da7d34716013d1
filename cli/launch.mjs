/** The entry of every npm script: bundles `cli/<command>.ts` or `tools/<command>.ts`, and runs it. */
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath, pathToFileURL } from 'node:url';

const projectFolder = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

const commands = {
  start: 'runs the whole app on this machine',
  clock: 'shows or moves the clock of the host that runs here',
  token: 'prints an access token',
  replay: 'plays a file of card transactions through the API',
  demo: 'plays a day of card transactions, with attacks among them',
  review: 'shows what the fraud rules hold, and releases or rejects it',
  smoke: 'proves a deployment from outside',
  rates: 'loads FX rates for the dates that need them',
  users: 'adds, removes and lists chat users',
  chat: 'chats with another user in this terminal',
  worker: 'works on a queue outside Lambda',
  compare: 'shows what batches save and what they make wait',
  cost: 'prices sales and messages by the units they take on AWS',
  latency: 'measures how long a chat message is on its way',
  bench: 'measures the whole app on this machine',
  soak: 'checks that faults lose and double nothing',
  simulate: 'plays seeded days and chats in simulated time, with faults',
  limits: 'measures loads far beyond an ordinary day',
  openapi: 'rewrites docs/openapi/*.json and docs/asyncapi/*.json',
  deploy: 'puts the app into your AWS account',
  destroy: 'removes the app from your AWS account',
};

/** The bundle lies in another folder, so this writes the folder of each source into it. */
const keepImportMeta = {
  name: 'keep-import-meta',
  /** @param {import('esbuild').PluginBuild} build */
  setup(build) {
    build.onLoad({ filter: /\.(ts|mjs)$/ }, async ({ path: file }) => {
      const source = await readFile(file, 'utf8');
      const contents = source
        .replaceAll('import.meta.url', JSON.stringify(pathToFileURL(file).href))
        .replaceAll('import.meta.dirname', JSON.stringify(path.dirname(file)))
        .replaceAll('import.meta.filename', JSON.stringify(file));
      return { contents, loader: file.endsWith('.ts') ? 'ts' : 'js' };
    });
  },
};

/**
 * Hashed names and renaming keep simultaneous commands from reading a half-written or a foreign bundle.
 * @param {string} command
 */
async function bundle(command) {
  const { build } = await import('esbuild');
  const folder = path.join(projectFolder, '.build', 'cli');
  const { outputFiles } = await build({
    absWorkingDir: projectFolder,
    entryPoints: { [command]: sourceOf(command) },
    outdir: folder,
    entryNames: '[name]-[hash]',
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    packages: 'external',
    platform: 'node',
    target: 'node20.19',
    format: 'esm',
    write: false,
    logLevel: 'silent',
    plugins: [keepImportMeta],
  });
  await mkdir(folder, { recursive: true });
  await Promise.all(
    outputFiles.map(async (file) => {
      if (existsSync(file.path)) return;
      const unfinished = `${file.path}.${process.pid}`;
      await writeFile(unfinished, file.contents);
      await rename(unfinished, file.path);
    }),
  );
  const entry = outputFiles.find((file) => path.basename(file.path).startsWith(`${command}-`));
  if (entry === undefined) throw new Error(`esbuild wrote no entry for ${command}`);
  return pathToFileURL(entry.path).href;
}

/** @param {string} command */
function sourceOf(command) {
  const files = ['cli', 'tools'].map((folder) => path.join(projectFolder, folder, `${command}.ts`));
  return files.find((file) => existsSync(file)) ?? '';
}

/** npm runs scripts in the project's folder; INIT_CWD is where the user is. @param {string} command */
function workingFolder(command) {
  const calledByNpm = process.env.npm_lifecycle_event === command && process.env.INIT_CWD !== undefined;
  return calledByNpm ? (process.env.INIT_CWD ?? process.cwd()) : process.cwd();
}

/** @param {string} message */
function fail(message, exitCode = 1) {
  process.stderr.write(`${message}\n`);
  process.exitCode = exitCode;
}

/** Foreseen errors print as they are, others in a line. @param {unknown} error */
function report(error) {
  if (error instanceof Error && error.name === 'CommandError') {
    const hint = 'hint' in error && typeof error.hint === 'string' ? [error.hint] : [];
    const exitCode = 'exitCode' in error && error.exitCode === 2 ? 2 : 1;
    return fail([error.message, ...hint].join('\n'), exitCode);
  }
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  if (process.env.DUOTEMPO_DEBUG === '1') return fail(error instanceof Error ? (error.stack ?? text) : text);
  return fail(`Something unforeseen happened: ${text.split('\n')[0]}\nDUOTEMPO_DEBUG=1 shows where.`);
}

/** @param {string[]} argv */
async function main([command, ...argv]) {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    return fail(
      `Duotempo needs Node.js 20.19 or later; this is ${process.versions.node}. See https://nodejs.org/`,
    );
  }
  const modules = path.join(projectFolder, 'node_modules', 'esbuild');
  if (!(await stat(modules).catch(() => undefined)))
    return fail('The dependencies are not installed: run npm ci first.');
  if (command === undefined || !Object.hasOwn(commands, command)) {
    const list = Object.entries(commands).map(([name, what]) => `  npm run ${name.padEnd(8)} ${what}`);
    const wrong = command === undefined ? 'Which command?' : `There is no command ${command}.`;
    return fail([wrong, ...list].join('\n'), 2);
  }
  // A reader such as head may close the pipe early.
  process.stdout.on('error', (error) => {
    if ('code' in error && error.code === 'EPIPE') process.exit();
    throw error;
  });
  // The SDK warns that later versions will not support Node 20.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';
  try {
    const { run } = await import(await bundle(command));
    process.exitCode = await run(argv, { projectFolder, workingFolder: workingFolder(command) });
  } catch (error) {
    report(error);
  }
}

await main(process.argv.slice(2));
