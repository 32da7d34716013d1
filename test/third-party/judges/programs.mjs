// @ts-check
/**
 * The judges that are other people's programs: the versions that the tests are written for, and where they lie.
 * `install.mjs` puts them there; a test whose judge is missing says so and skips.
 */
import { existsSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'duotempo', 'judges');

/** From PyPI, each in an environment of its own: the package, its version, and the command it brings. */
export const PYTHON_PROGRAMS = /** @type {const} */ ({
  awscli: { version: '1.46.3', command: 'aws' },
  boto3: { version: '1.44.8', command: 'python' },
  'aws-sam-cli': { version: '1.170.0', command: 'sam' },
  'cfn-lint': { version: '1.58.0', command: 'cfn-lint' },
  checkov: { version: '3.3.30', command: 'checkov' },
  'openapi-python-client': { version: '0.29.1', command: 'openapi-python-client' },
  'openapi-spec-validator': { version: '0.9.0', command: 'openapi-spec-validator' },
  schemathesis: { version: '4.32.5', command: 'schemathesis' },
});

/** @typedef {keyof typeof PYTHON_PROGRAMS} PythonProgram */

/** From npm; `npm/package.json` pins them, for they are too many to be dependencies of the project. */
export const NPM_PROGRAMS = { manifests: join(here, 'npm'), folder: join(cache, 'npm') };

/** AWS's own engine, from Maven. */
export const DYNAMODB_LOCAL = {
  project: join(here, '..', 'dynamodb-local', 'pom.xml'),
  folder: join(cache, 'dynamodb-local-2.6.1'),
};

/** What SAM runs functions in: AWS's image where somebody has pulled it, else the one of `image.mjs`. */
export const LAMBDA_IMAGE = {
  ofAws: `public.ecr.aws/lambda/nodejs:24-${process.arch === 'arm64' ? 'arm64' : 'x86_64'}`,
  // The version is in the repository's name, for SAM keeps what it builds upon an image as long as that is the same.
  own: 'duotempo/lambda-nodejs-24.21.0-4.0.2:latest',
  node: { name: `node-linux-${process.arch}`, version: '24.21.0' },
  client: '4.0.2',
  file: join(cache, 'lambda-nodejs-24.21.0-4.0.2.tar'),
};

/** What a person types to get what is missing. */
export const HOW_TO_INSTALL = 'node test/third-party/judges/install.mjs';

/** @param {PythonProgram} name */
export function pythonFolder(name) {
  return join(cache, 'python', `${name}-${PYTHON_PROGRAMS[name].version}`);
}

/**
 * @param {PythonProgram} name
 * @returns {string | undefined} the path of its command, or undefined where it is not installed
 */
export function pythonCommand(name) {
  const path = join(pythonFolder(name), 'bin', PYTHON_PROGRAMS[name].command);
  return existsSync(path) ? path : undefined;
}

/**
 * @param {string} command such as `redocly`
 * @returns {string | undefined} the path of its script below node_modules/.bin
 */
export function npmCommand(command) {
  const path = join(NPM_PROGRAMS.folder, 'node_modules', '.bin', command);
  return existsSync(path) ? path : undefined;
}

/** @returns {string | undefined} the folder with the jars of DynamoDB Local */
export function dynamoDbLocalFolder() {
  const { folder } = DYNAMODB_LOCAL;
  const hasJars =
    existsSync(folder) && readdirSync(folder).some((name) => /^DynamoDBLocal-.*\.jar$/.test(name));
  return hasJars ? folder : undefined;
}
