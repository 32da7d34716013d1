import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Duration, Validations } from 'aws-cdk-lib';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import {
  Architecture,
  Code,
  Function as LambdaFunction,
  LoggingFormat,
  RecursiveLoop,
  Runtime,
} from 'aws-cdk-lib/aws-lambda';
import type { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { buildSync } from 'esbuild';
import { prepareForContainer } from './aws-endpoint.ts';
import { logGroup } from './log-group.ts';

/** What a function may do to a resource, and the variables that tell it which one. */
export interface Access {
  readonly environment: Readonly<Record<string, string>>;
  readonly actions: readonly string[];
  readonly resource: string;
}

export interface NodeFunctionProps {
  /** Below `lambda/`, without its ending: `card-settlement/intake/handler`. */
  readonly entry: string;
  readonly description: string;
  /** Settings; names of resources come with the access to them. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly access?: readonly Access[];
  /** @default 10 seconds */
  readonly timeout?: Duration;
  /** @default 512 */
  readonly memoryMegabytes?: number;
  readonly logRetention: RetentionDays;
  /**
   * Only if the function's own code ends every chain of invocations.
   * @default false: Lambda drops the 17th invocation of a chain
   */
  readonly allowsRecursion?: boolean;
}

/** Its role may write to its own log group, and do what its props give. */
export class NodeFunction extends Construct {
  readonly function: LambdaFunction;
  readonly role: Role;

  constructor(scope: Construct, id: string, props: NodeFunctionProps) {
    super(scope, id);
    const logs = logGroup(this, 'Logs', props.logRetention);
    this.role = new Role(this, 'Role', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
    logs.grantWrite(this.role);
    this.function = new LambdaFunction(this, 'Function', {
      description: props.description,
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      code: Code.fromAsset(join(bundles(), props.entry)),
      handler: 'index.handler',
      environment: { ...props.environment },
      timeout: props.timeout ?? Duration.seconds(10),
      memorySize: props.memoryMegabytes ?? 512,
      role: this.role,
      logGroup: logs,
      loggingFormat: LoggingFormat.JSON,
      ...(props.allowsRecursion === true ? { recursiveLoop: RecursiveLoop.ALLOW } : {}),
    });
    this.allow(...(props.access ?? []));
    prepareForContainer(this.function);
    Validations.of(this.function).acknowledge(
      {
        id: 'Serverless-LambdaDLQ',
        reason:
          "A function's own dead-letter queue takes asynchronous invocations only. API Gateway calls this function synchronously, and gives the caller the error; or a mapping does, whose queue has a dead-letter queue with an alarm.",
      },
      {
        id: 'Serverless-LambdaTracing',
        reason:
          'Ids in the structured logs lead from a request to its ledger entry or its push, through the queues and batches at which a trace would split. X-Ray is billed for each trace, and needs a grant on all resources in every role.',
      },
    );
  }

  /** CDK's own grants would add actions and indexes that nothing uses. */
  allow(...access: readonly Access[]): void {
    const resources = new Map<string, string[]>();
    for (const { environment, actions, resource } of access) {
      for (const [name, value] of Object.entries(environment)) this.function.addEnvironment(name, value);
      const key = actions.join();
      resources.set(key, [...(resources.get(key) ?? []), resource]);
    }
    for (const [key, arns] of resources) {
      this.role.addToPolicy(new PolicyStatement({ actions: key.split(','), resources: arns }));
    }
  }
}

let bundled: string | undefined;

/** Runs once per synthesis. @returns the folder with a folder for each handler */
function bundles(): string {
  if (bundled !== undefined) return bundled;
  const source = join(projectFolder(), 'lambda');
  const folder = mkdtempSync(join(tmpdir(), 'duotempo-bundles-'));
  // By then CDK has copied what it needs into the cloud assembly.
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  buildSync({
    entryPoints: handlerFiles(source).map((file) => ({
      in: join(source, file),
      out: join(file.replace(/\.ts$/, ''), 'index'),
    })),
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    minify: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    mainFields: ['module', 'main'],
    alias: { '@aws-sdk/credential-provider-node': join(source, 'shared', 'environment-credentials.ts') },
    // Packages that are CommonJS still call require for Node's own modules.
    banner: { js: "import{createRequire}from'node:module';const require=createRequire(import.meta.url);" },
    legalComments: 'none',
    logLevel: 'warning',
  });
  bundled = folder;
  return folder;
}

function handlerFiles(source: string): string[] {
  return readdirSync(source, { recursive: true, encoding: 'utf8' })
    .map((file) => file.replaceAll('\\', '/'))
    .filter((file) => /\/([a-z-]+-)?handler\.ts$/.test(file))
    .toSorted();
}

function projectFolder(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) {
    const parent = dirname(folder);
    if (parent === folder) throw new Error('No package.json was found above this module.');
    folder = parent;
  }
  return folder;
}
