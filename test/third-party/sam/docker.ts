import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { HOW_TO_INSTALL, LAMBDA_IMAGE, pythonCommand } from '../judges/programs.mjs';

/** @returns what this machine lacks to run functions in containers of SAM, and how to get it */
export function samNeeds(): string | undefined {
  if (pythonCommand('aws-sam-cli') === undefined || pythonCommand('awscli') === undefined) {
    return HOW_TO_INSTALL;
  }
  if (attempt(['version']) === undefined) {
    return 'Docker, and its daemon running (Debian, as root: apt-get install docker.io; dockerd)';
  }
  if (existsSync(LAMBDA_IMAGE.file) || isThere(LAMBDA_IMAGE.ofAws)) return undefined;
  return `${HOW_TO_INSTALL}, or docker pull ${LAMBDA_IMAGE.ofAws}`;
}

/** @returns the name of Lambda's image: AWS's where somebody has pulled it, else the project's own */
export function lambdaImage(): string {
  if (isThere(LAMBDA_IMAGE.ofAws)) return LAMBDA_IMAGE.ofAws;
  if (!isThere(LAMBDA_IMAGE.own)) {
    // As AWS's image has them.
    const settings = [
      'ENV PATH=/var/lang/bin:/bin',
      'ENV TZ=:/etc/localtime',
      'ENV LAMBDA_TASK_ROOT=/var/task',
      'ENV LAMBDA_RUNTIME_DIR=/var/runtime',
      'WORKDIR /var/task',
    ];
    docker(['import', ...settings.flatMap((each) => ['-c', each]), LAMBDA_IMAGE.file, LAMBDA_IMAGE.own]);
  }
  return LAMBDA_IMAGE.own;
}

/** @returns this machine's address on Docker's bridge, or undefined where Docker forwards to 127.0.0.1 */
export function bridgeAddress(): string | undefined {
  if (process.platform !== 'linux') return undefined;
  const subnet = docker(['network', 'inspect', 'bridge', '-f', '{{(index .IPAM.Config 0).Subnet}}']);
  // The first of the network's addresses; Docker names it only if it was configured.
  return subnet.trim().replace(/0\/\d+$/, '1');
}

/** @returns the ids of the containers, running or not, whose code lies below a folder */
export function containersOf(folder: string): string[] {
  const all = docker(['ps', '-aq']).split('\n').filter(Boolean);
  if (all.length === 0) return [];
  const mounts = docker(['inspect', '-f', '{{.Id}} {{range .Mounts}}{{.Source}} {{end}}', ...all]);
  return mounts.split('\n').flatMap((line) => {
    const [id = '', ...sources] = line.trim().split(' ');
    return sources.some((source) => source.startsWith(folder)) ? [id] : [];
  });
}

export function removeContainers(ids: readonly string[]): void {
  if (ids.length > 0) docker(['rm', '-f', ...ids]);
}

function isThere(image: string): boolean {
  return attempt(['image', 'inspect', image]) !== undefined;
}

function attempt(args: readonly string[]): string | undefined {
  try {
    return docker(args);
  } catch {
    return undefined;
  }
}

function docker(args: readonly string[]): string {
  return execFileSync('docker', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}
