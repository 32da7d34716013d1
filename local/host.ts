import { serveConnections } from './api-gateway/connections-service.ts';
import { finishHttpApi, type HttpApiDraft } from './api-gateway/http-api-draft.ts';
import { startHttpFront, type HttpFront, type JwksKeyGetter } from './api-gateway/http-api.ts';
import { sendAnswer } from './api-gateway/http-front.ts';
import { gatewayAnswer } from './api-gateway/http-response.ts';
import { finishWebSocketApi, type WebSocketApiDraft } from './api-gateway/web-socket-api-draft.ts';
import { createWebSocketApis } from './api-gateway/web-socket-api.ts';
import type { WebSocketLimits } from './api-gateway/web-socket-connection.ts';
import { serveUserPools, type UserPool } from './cognito/index.ts';
import { createDynamoDb } from './dynamodb/index.ts';
import {
  createCredentialStore,
  startAwsEndpoint,
  type AwsEndpoint,
  type Interceptor,
  type RoleCredentials,
} from './endpoint/index.ts';
import type { HostEvent } from './events.ts';
import { createAccess, type AccessRequest, type Policies } from './iam/index.ts';
import { FunctionPool, mayWriteLogs, type Invocation } from './lambda/index.ts';
import type { HostedPipe } from './pipes/index.ts';
import { RESOURCE_TYPES } from './registry.ts';
import type { HostedSchedule } from './scheduler/index.ts';
import { createSqs } from './sqs/index.ts';
import {
  checkSupport,
  createUrlRewriter,
  loadAssembly,
  provisionStacks,
  type AssemblyStack,
  type StartLater,
} from './template/index.ts';
import { createUsageMeter, type Usage } from './usage.ts';

export interface LocalHostOptions {
  /** The folder of the cloud assembly, as `cdk synth` wrote it; or of several, as one account would hold them. */
  readonly assembly: string | readonly string[];
  /** Of the HTTP APIs; 0 for any. @default 3000 */
  readonly port?: number;
  /** Of the AWS endpoint; 0 for any. @default 4566 */
  readonly awsPort?: number;
  /**
   * Another address of this machine that the AWS endpoint listens on as well, such as the one that containers reach;
   * `0.0.0.0` for all. Whoever reaches it may do everything. @default only 127.0.0.1
   */
  readonly awsAddress?: string;
  /** Worker threads over all functions. @default 8 */
  readonly maxWorkers?: number;
  /**
   * Most invocations at once over all functions, as an account has a limit: 10 in a new one. What is beyond it is
   * throttled: an HTTP API answers 503, a WebSocket API refuses to connect, messages of a queue come again later.
   * @default none
   */
  readonly accountConcurrency?: number;
  /** How long connections of WebSocket APIs last. @default as on AWS: 10 minutes idle, 2 hours in all */
  readonly webSocketLimits?: WebSocketLimits;
  readonly onEvent?: (event: HostEvent) => void;
  /** Sees what each invocation of a function is given, before it runs. */
  readonly onInvoke?: (functionArn: string, event: unknown) => void;
  /**
   * Fault injection: see every call of the AWS endpoint that is allowed, the first outermost, and may delay it, answer
   * in the service's place, or change the answer.
   */
  readonly interceptors?: readonly Interceptor[];
}

export interface HostedFunction {
  readonly stackName: string;
  readonly logicalId: string;
  /** The construct's path. */
  readonly path?: string;
  readonly functionName: string;
  readonly functionArn: string;
  readonly environment: Readonly<Record<string, string>>;
  /** What its role signs with. */
  readonly credentials: RoleCredentials;
}

export interface LocalHost {
  /** Where the HTTP APIs are served, such as `http://localhost:3000`. */
  readonly url: string;
  readonly awsEndpoint: string;
  readonly region: string;
  /** By stack, in the shape of `cdk deploy --outputs-file`. */
  readonly outputs: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly functions: readonly HostedFunction[];
  /** Each signs any claims with its key: for tests of what must be refused. */
  readonly userPools: readonly Pick<UserPool, 'userPoolId' | 'issuer' | 'signForTest'>[];
  /** Fault injection: each can be stopped and started, and made to send its batches twice. */
  readonly pipes: readonly HostedPipe[];
  /** Each can be made to deliver now. */
  readonly schedules: readonly HostedSchedule[];
  /** What the app's policies say, and every request that was decided by them since the start, each once. */
  readonly access: { readonly policies: Policies; readonly requests: () => readonly AccessRequest[] };
  /**
   * Fault injection: ends the workers that run a function now.
   *
   * @param name the function's name, its logical id, or the beginning of one of them.
   * @returns how many workers were ended.
   */
  readonly killFunction: (name: string) => number;
  /** The ids of the connections that are open at the app's WebSocket APIs. */
  readonly connectionIds: () => readonly string[];
  /**
   * Fault injection: cuts connections the way a network vanishes, so that `$disconnect` is not called.
   *
   * @returns how many there were.
   */
  readonly loseConnections: (isLost?: (connectionId: string) => boolean) => number;
  /** What AWS would have billed for since the start. `usageBetween` two of them is what a piece of work used. */
  readonly usage: () => Usage;
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
  const stacks = [options.assembly].flat().flatMap((folder) => loadAssembly(folder));
  refuseTwins(stacks);
  checkSupport(
    stacks.flatMap(({ template }) => template.resources),
    RESOURCE_TYPES,
  );

  const undo: (() => Promise<void>)[] = [];
  try {
    return await start(stacks, options, undo);
  } catch (error) {
    await Promise.all(undo.map((stop) => stop()));
    throw error;
  }
}

/** An account and region has one stack of a name: a second one would be an update of the first. */
function refuseTwins(stacks: readonly AssemblyStack[]): void {
  const names = stacks.map(({ stackName }) => stackName);
  const twin = names.find((name, index) => names.indexOf(name) !== index);
  if (twin !== undefined) throw new Error(`There are two stacks of the name ${twin}.`);
}

async function start(
  stacks: readonly AssemblyStack[],
  options: LocalHostOptions,
  undo: (() => Promise<void>)[],
): Promise<LocalHost> {
  const httpApis = new Map<string, HttpApiDraft>();
  const webSocketDrafts = new Map<string, WebSocketApiDraft>();
  const meter = createUsageMeter({
    now: Date.now,
    memoryMegabytesOf: (functionName) => functionPool.find(functionName)?.memoryMegabytes ?? 0,
    nameOf: (id) => nameOf({ functionPool, httpApis, webSocketApis: webSocketDrafts }, id),
  });
  const onEvent = (event: HostEvent): void => {
    meter.onEvent(event);
    options.onEvent?.(event);
  };
  const credentials = createCredentialStore();
  const access = createAccess({ accountId: ACCOUNT_ID, region: REGION }, onEvent);
  const sqs = createSqs();
  const dynamoDb = createDynamoDb({
    accountId: ACCOUNT_ID,
    region: REGION,
    onConsumed: meter.onConsumed,
  });
  const userPools = new Map<string, UserPool>();

  const awsEndpoint: AwsEndpoint = await listening('awsPort', options.awsPort ?? 4566, (port) =>
    startAwsEndpoint({
      port,
      ...(options.awsAddress === undefined ? {} : { address: options.awsAddress }),
      credentials,
      authorize: access.authorize,
      interceptors: [...(options.interceptors ?? []), meter.interceptor],
    }),
  );
  undo.push(awsEndpoint.stop, () => Promise.resolve(sqs.stop()));
  for (const service of [...dynamoDb.services, sqs.service, serveUserPools(userPools)]) {
    awsEndpoint.addService(service);
  }

  const logGroups = new Set<string>();
  const functionPool = new FunctionPool({
    ...(options.maxWorkers === undefined ? {} : { maxWorkers: options.maxWorkers }),
    ...(options.accountConcurrency === undefined ? {} : { accountConcurrency: options.accountConcurrency }),
    awsEndpoint: () => awsEndpoint.url,
    region: REGION,
    onEvent: (event) => {
      // Lambda writes lines of its own at each invocation, so a function that says nothing needs its log group, too.
      const definition = functionPool.find(event.functionName);
      const isLogged =
        definition === undefined || mayWriteLogs(access, definition, (name) => logGroups.has(name));
      if (isLogged || event.type === 'invocation') onEvent(event);
    },
    ...(options.onInvoke === undefined ? {} : { onInvoke: options.onInvoke }),
  });
  undo.push(() => functionPool.stop());
  /** API Gateway may invoke what a function's resource-based policy lets it; else its answer is an error, as on AWS. */
  const invokeFromApi = (functionArn: string, event: unknown, source: string): Promise<Invocation> => {
    const refusal = access.refusalOf({
      principal: {
        kind: 'service',
        service: 'apigateway.amazonaws.com',
        sourceArn: `arn:aws:execute-api:${REGION}:${ACCOUNT_ID}:${source}`,
      },
      action: 'lambda:InvokeFunction',
      resourceArn: functionArn,
    });
    if (refusal === undefined) return functionPool.invoke(functionArn, event);
    return Promise.resolve({ kind: 'error', errorType: 'AccessDeniedException', errorMessage: refusal });
  };

  const keysOf = (issuer: string): JwksKeyGetter => {
    const pool = [...userPools.values()].find((candidate) => candidate.issuer === issuer);
    if (pool === undefined) throw new Error(`${issuer} is not an issuer of this app.`);
    return pool.keys();
  };
  const http: HttpFront = await listening('port', options.port ?? 3000, (port) =>
    startHttpFront({
      port,
      hostname: 'localhost',
      invoke: invokeFromApi,
      keysOf,
      accountId: ACCOUNT_ID,
      onEvent,
    }),
  );
  undo.push(() => http.stop());

  const webSocketApis = createWebSocketApis({
    region: REGION,
    accountId: ACCOUNT_ID,
    invoke: invokeFromApi,
    ...(options.webSocketLimits === undefined ? {} : { limits: options.webSocketLimits }),
    onEvent,
    meter: meter.webSockets,
  });
  undo.push(() => Promise.resolve(webSocketApis.stop()));
  awsEndpoint.addRestService(serveConnections(webSocketApis, { region: REGION, accountId: ACCOUNT_ID }));

  const starters: Parameters<StartLater>[0][] = [];
  const startLater: StartLater = (starter) => void starters.push(starter);
  const resources = stacks.flatMap(({ template }) => template.resources);
  const urls = createUrlRewriter();
  const pipes: HostedPipe[] = [];
  const schedules: HostedSchedule[] = [];
  const outputs = await provisionStacks(stacks, RESOURCE_TYPES, {
    accountId: ACCOUNT_ID,
    region: REGION,
    access,
    account: {},
    awsEndpoint: awsEndpoint.url,
    callAs: awsEndpoint.callAs,
    credentials,
    dynamoDb,
    functionPool,
    httpApis,
    httpUrl: http.url,
    logGroups,
    managedPolicies: new Map(),
    onEvent,
    pipes,
    schedules,
    sqs,
    startLater,
    urls,
    userPoolCount: resources.filter(({ type }) => type === 'AWS::Cognito::UserPool').length,
    userPools,
    webSocketApis: webSocketDrafts,
  });
  for (const draft of httpApis.values()) http.addApi(finishHttpApi(draft));
  for (const draft of webSocketDrafts.values()) {
    const upgrade = webSocketApis.serve(finishWebSocketApi(draft));
    http.addMount(
      draft.prefix,
      (_, response) => sendAnswer(response, gatewayAnswer(426, 'Upgrade Required')),
      upgrade,
    );
  }
  for (const pool of userPools.values()) {
    http.addMount(new URL(pool.issuer).pathname, (request, response, path) => {
      pool.handleHttp(request, response, path);
    });
    // On AWS the endpoint of cognito-idp serves them, and a container reaches this one only.
    awsEndpoint.addPublicPath(`/${pool.userPoolId}/.well-known/`, (request, response, path) => {
      pool.handleHttp(request, response, `/.well-known/${path}`);
    });
  }
  const backgrounds = starters.map((starter) => starter());

  const hostedFunctions = functionPool.definitions();
  let stopped: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    // The pollers' requests and invocations end when what serves them does, so nothing here waits for anything.
    await Promise.all([...backgrounds.map((background) => background.stop()), ...undo.map((end) => end())]);
  };
  return {
    url: http.url,
    awsEndpoint: awsEndpoint.url,
    region: REGION,
    outputs,
    functions: hostedFunctions,
    userPools: [...userPools.values()],
    pipes,
    schedules,
    access: { policies: access.policies, requests: access.requests },
    killFunction: (name) =>
      hostedFunctions
        .filter(({ functionName, logicalId }) => functionName.startsWith(name) || logicalId.startsWith(name))
        .reduce((count, { functionArn }) => count + functionPool.kill(functionArn), 0),
    connectionIds: () => webSocketApis.connections().map(({ identity }) => identity.connectionId),
    loseConnections: (isLost = () => true) => webSocketApis.lose(isLost),
    usage: meter.usage,
    warm: async () => {
      await Promise.all(hostedFunctions.map(({ functionArn }) => functionPool.warm(functionArn)));
    },
    stop: () => (stopped ??= stop()),
  };
}

/** What is known of a role by its function, and of an API by its name. */
function nameOf(
  world: {
    functionPool: FunctionPool;
    httpApis: ReadonlyMap<string, HttpApiDraft>;
    webSocketApis: ReadonlyMap<string, WebSocketApiDraft>;
  },
  id: string,
): string {
  const api = world.httpApis.get(id) ?? world.webSocketApis.get(id);
  if (api !== undefined) return api.name;
  if (!id.startsWith('arn:')) return id;
  const holder = world.functionPool.definitions().find(({ credentials }) => credentials.roleArn === id);
  return holder?.functionName ?? id.slice(id.indexOf('/') + 1);
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
