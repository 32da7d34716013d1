import { loadAssembly } from './assembly.ts';
import type { AssemblyStack } from './assembly.ts';
import { startAwsEndpoint } from './aws-endpoint.ts';
import type { AwsEndpoint } from './aws-endpoint.ts';
import { createCredentialStore } from './credentials.ts';
import { createDynamoDb } from './dynamodb.ts';
import type { HostEvent } from './events.ts';
import { createFunctionPool } from './function-pool.ts';
import { startHttpFront } from './http-api.ts';
import type { HttpFront, JwksKeyGetter } from './http-api.ts';
import { provisionStacks } from './provision.ts';
import { finishHttpApi } from './resources/http-api-draft.ts';
import type { Background, World } from './resources/resource.ts';
import { createSqs } from './sqs.ts';
import { checkSupport } from './support-check.ts';
import { createUrlRewriter } from './url-rewriter.ts';
import { serveUserPools } from './user-pool-service.ts';

export interface LocalHostOptions {
  /** The folder of the cloud assembly, as `cdk synth` wrote it. */
  readonly assembly: string;
  /** Of the HTTP APIs; 0 for any. @default 3000 */
  readonly port?: number;
  /** Of the AWS endpoint; 0 for any. @default 4566 */
  readonly awsPort?: number;
  /** Worker threads over all functions. @default 8 */
  readonly maxWorkers?: number;
  readonly onEvent?: (event: HostEvent) => void;
}

export interface HostedFunction {
  readonly stackName: string;
  readonly logicalId: string;
  /** The construct's path. */
  readonly path?: string;
  readonly functionName: string;
  readonly functionArn: string;
  readonly environment: Readonly<Record<string, string>>;
}

export interface LocalHost {
  /** Where the HTTP APIs are served, such as `http://localhost:3000`. */
  readonly url: string;
  readonly awsEndpoint: string;
  /** By stack, in the shape of `cdk deploy --outputs-file`. */
  readonly outputs: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly functions: readonly HostedFunction[];
  /**
   * Fault injection: ends the workers that run a function now.
   *
   * @param name the function's name, its logical id, or the beginning of one of them.
   * @returns how many workers were ended.
   */
  readonly killFunction: (name: string) => number;
  /** Starts a worker of each function, as far as there is room, so that first requests are quick. */
  readonly warm: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

/** Another program listens on a port. `option` names what to change. */
export class PortTakenError extends Error {
  readonly port: number;
  readonly option: 'port' | 'awsPort';
  constructor(port: number, option: 'port' | 'awsPort') {
    super(
      `Port ${port} is taken by another program. Set the option ${option} to another port, or to 0 for any.`,
    );
    this.name = 'PortTakenError';
    this.port = port;
    this.option = option;
  }
}

const ACCOUNT_ID = '000000000000';
const REGION = 'us-east-1';

/**
 * Runs a synthesized CDK app: makes its tables, queues, functions and APIs from the templates alone.
 *
 * @throws UnsupportedTemplateError, ResourceError, PortTakenError
 */
export async function startLocalHost(options: LocalHostOptions): Promise<LocalHost> {
  const stacks = loadAssembly(options.assembly);
  checkSupport(stacks.flatMap(({ template }) => template.resources));

  const undo: (() => Promise<void>)[] = [];
  try {
    return await start(stacks, options, undo);
  } catch (error) {
    await Promise.all(undo.map((stop) => stop()));
    throw error;
  }
}

async function start(
  stacks: readonly AssemblyStack[],
  options: LocalHostOptions,
  undo: (() => Promise<void>)[],
): Promise<LocalHost> {
  const onEvent = options.onEvent ?? (() => undefined);
  const credentials = createCredentialStore();
  const sqs = createSqs();
  const dynamoDb = createDynamoDb({ accountId: ACCOUNT_ID, region: REGION });
  const userPools: World['userPools'] = new Map();

  const awsEndpoint: AwsEndpoint = await listening('awsPort', options.awsPort ?? 4566, (port) =>
    startAwsEndpoint({ port, credentials }),
  );
  undo.push(awsEndpoint.stop, () => Promise.resolve(sqs.stop()));
  awsEndpoint.addService('DynamoDB_20120810', 'dynamodb', dynamoDb.handle);
  awsEndpoint.addService('AmazonSQS', 'sqs', sqs.handle);
  awsEndpoint.addService('AWSCognitoIdentityProviderService', 'cognito-idp', serveUserPools(userPools));

  const functionPool = createFunctionPool({
    ...(options.maxWorkers === undefined ? {} : { maxWorkers: options.maxWorkers }),
    awsEndpoint: () => awsEndpoint.url,
    region: REGION,
    onEvent,
  });
  undo.push(() => functionPool.stop());

  const keysOf = (issuer: string): JwksKeyGetter => {
    const pool = [...userPools.values()].find((candidate) => candidate.issuer === issuer);
    if (pool === undefined) throw new Error(`${issuer} is not an issuer of this app.`);
    return pool.keys();
  };
  const http: HttpFront = await listening('port', options.port ?? 3000, (port) =>
    startHttpFront({
      port,
      hostname: 'localhost',
      invoke: (functionArn, event) => functionPool.invoke(functionArn, event),
      keysOf,
      accountId: ACCOUNT_ID,
      onEvent,
    }),
  );
  undo.push(() => http.stop());

  const starters: (() => Background)[] = [];
  const resources = stacks.flatMap(({ template }) => template.resources);
  const world: World = {
    accountId: ACCOUNT_ID,
    region: REGION,
    httpUrl: http.url,
    awsEndpoint: awsEndpoint.url,
    credentials,
    dynamoDb,
    sqs,
    functionPool,
    functions: new Map(),
    httpApis: new Map(),
    userPools,
    userPoolCount: resources.filter(({ type }) => type === 'AWS::Cognito::UserPool').length,
    urls: createUrlRewriter(),
    onEvent,
    startLater: (starter) => void starters.push(starter),
  };
  const outputs = await provisionStacks(stacks, world);
  for (const draft of world.httpApis.values()) http.addApi(finishHttpApi(draft));
  for (const pool of userPools.values()) {
    http.addMount(new URL(pool.issuer).pathname, (request, response, path) => {
      pool.handleHttp(request, response, path);
    });
  }
  const backgrounds = starters.map((starter) => starter());

  const functions = [...world.functions.values()].map(({ definition, ...place }) => ({
    ...place,
    functionName: definition.functionName,
    functionArn: definition.functionArn,
    environment: definition.environment,
  }));
  let stopped: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    // The pollers' requests and invocations end when what serves them does, so nothing here waits for anything.
    await Promise.all([...backgrounds.map((background) => background.stop()), ...undo.map((end) => end())]);
  };
  return {
    url: http.url,
    awsEndpoint: awsEndpoint.url,
    outputs,
    functions,
    killFunction: (name) =>
      functions
        .filter(({ functionName, logicalId }) => functionName.startsWith(name) || logicalId.startsWith(name))
        .reduce((count, { functionArn }) => count + functionPool.kill(functionArn), 0),
    warm: async () => {
      await Promise.all(functions.map(({ functionArn }) => functionPool.warm(functionArn)));
    },
    stop: () => (stopped ??= stop()),
  };
}

async function listening<T>(
  option: 'port' | 'awsPort',
  port: number,
  listen: (port: number) => Promise<T>,
): Promise<T> {
  try {
    return await listen(port);
  } catch (error) {
    const isTaken =
      typeof error === 'object' && error !== null && 'code' in error && error.code === 'EADDRINUSE';
    throw isTaken ? new PortTakenError(port, option) : error;
  }
}
