import { RESOURCE_TYPES, startServices, type ServiceOptions, type Services, type World } from './services.ts';
import {
  checkSupport,
  createUrlRewriter,
  loadAssembly,
  provisionStacks,
  type AssemblyStack,
  type StackOutputs,
  type StartLater,
} from './template/index.ts';
import type { Usage } from './usage.ts';

export interface LocalHostOptions extends ServiceOptions {
  /** The folder of the cloud assembly, as `cdk synth` wrote it; or of several, as one account would hold them. */
  readonly assembly: string | readonly string[];
}

type FunctionDefinition = ReturnType<Services['functionPool']['definitions']>[number];

/** `credentials` are what the function's role signs with. */
type HostedFunction = Pick<
  FunctionDefinition,
  'stackName' | 'logicalId' | 'path' | 'functionName' | 'functionArn' | 'environment' | 'credentials'
>;

export interface LocalHost {
  /** Of the HTTP APIs, such as `http://localhost:3000`. */
  readonly url: string;
  readonly awsEndpoint: string;
  readonly region: string;
  /** By stack, in the shape of `cdk deploy --outputs-file`. */
  readonly outputs: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly functions: readonly HostedFunction[];
  /** Each signs any claims, so that tests can make tokens that must be refused. */
  readonly userPools: readonly Pick<UserPool, 'userPoolId' | 'issuer' | 'signForTest'>[];
  /** Fault injection: each can be stopped and started, and made to send its batches twice. */
  readonly pipes: Readonly<World['pipes']>;
  /** Each can be made to deliver now. */
  readonly schedules: Readonly<World['schedules']>;
  /** The app's policies, and each request that they decided since the start, once. */
  readonly access: Pick<World['access'], 'policies' | 'requests'>;
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
  /** What AWS would have billed since the start. `usageBetween` two of them tells what a piece of work used. */
  readonly usage: () => Usage;
  /** Starts a worker of each function, as far as there is room, so that first requests are quick. */
  readonly warm: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

type UserPool = Services['userPools'] extends ReadonlyMap<string, infer Pool> ? Pool : never;

/** What was made of the app's templates. */
interface App {
  readonly outputs: StackOutputs;
  readonly pipes: Readonly<World['pipes']>;
  readonly schedules: Readonly<World['schedules']>;
  /** Starts what runs by itself: pollers, pipes and schedules. */
  readonly starters: readonly Parameters<StartLater>[0][];
}

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
  // The pollers' requests and invocations end when what serves them does, so nothing here waits for anything.
  const stop = async (): Promise<void> => {
    await Promise.all(undo.map((end) => end()));
  };
  try {
    const services = await startServices(options, undo);
    const app = await makeApp(stacks, services);
    publish(services);
    undo.push(...app.starters.map((start) => start().stop));
    return hostOf(services, app, stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

/** An account and region has one stack of a name: a second one would be an update of the first. */
function refuseTwins(stacks: readonly AssemblyStack[]): void {
  const names = stacks.map(({ stackName }) => stackName);
  const twin = names.find((name, index) => names.indexOf(name) !== index);
  if (twin !== undefined) throw new Error(`There are two stacks of the name ${twin}.`);
}

async function makeApp(stacks: readonly AssemblyStack[], services: Services): Promise<App> {
  const { endpoint, gateway, http } = services;
  const resources = stacks.flatMap(({ template }) => template.resources);
  const starters: Parameters<StartLater>[0][] = [];
  const pipes: World['pipes'] = [];
  const schedules: World['schedules'] = [];
  const outputs = await provisionStacks(stacks, RESOURCE_TYPES, {
    ...services,
    ...gateway.drafts,
    awsEndpoint: endpoint.url,
    callAs: endpoint.callAs,
    httpUrl: http.url,
    managedPolicies: new Map(),
    pipes,
    schedules,
    startLater: (start) => void starters.push(start),
    urls: createUrlRewriter(),
    userPoolCount: resources.filter(({ type }) => type === 'AWS::Cognito::UserPool').length,
  });
  return { outputs, pipes, schedules, starters };
}

function publish({ endpoint, gateway, http, userPools }: Services): void {
  gateway.publish(http);
  for (const pool of userPools.values()) {
    http.addMount(new URL(pool.issuer).pathname, (request, response, path) => {
      pool.handleHttp(request, response, path);
    });
    // On AWS the endpoint of cognito-idp serves them, and a container reaches this one only.
    endpoint.addPublicPath(`/${pool.userPoolId}/.well-known/`, (request, response, path) => {
      pool.handleHttp(request, response, `/.well-known/${path}`);
    });
  }
}

function hostOf(services: Services, app: App, stop: () => Promise<void>): LocalHost {
  const { access, endpoint, functionPool, gateway, http, meter, region, userPools } = services;
  const functions = functionPool.definitions().map(hostedFunction);
  let stopped: Promise<void> | undefined;
  return {
    url: http.url,
    awsEndpoint: endpoint.url,
    region,
    outputs: app.outputs,
    functions,
    userPools: [...userPools.values()],
    pipes: app.pipes,
    schedules: app.schedules,
    access: { policies: access.policies, requests: access.requests },
    killFunction: (name) =>
      functions
        .filter(({ functionName, logicalId }) => functionName.startsWith(name) || logicalId.startsWith(name))
        .reduce((count, { functionArn }) => count + functionPool.kill(functionArn), 0),
    connectionIds: () => gateway.webSockets.connectionIds(),
    loseConnections: (isLost = () => true) => gateway.webSockets.lose(isLost),
    usage: meter.usage,
    warm: async () => {
      await Promise.all(functions.map(({ functionArn }) => functionPool.warm(functionArn)));
    },
    stop: () => (stopped ??= stop()),
  };
}

function hostedFunction(definition: FunctionDefinition): HostedFunction {
  const { stackName, logicalId, path, functionName, functionArn, environment, credentials } = definition;
  return {
    stackName,
    logicalId,
    ...(path === undefined ? {} : { path }),
    functionName,
    functionArn,
    environment,
    credentials,
  };
}
