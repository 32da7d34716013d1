import { joinClock, moveClock, serveClock, setClock } from './clock/index.ts';
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
  /** Folder of a cloud assembly, as `cdk synth` writes it, or of several that share the account. */
  readonly assembly: string | readonly string[];
  /** What the host's clock says at first. @default the machine's time */
  readonly startAt?: Date;
}

type FunctionDefinition = ReturnType<Services['functionPool']['definitions']>[number];

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
  readonly pipes: Readonly<World['pipes']>;
  readonly schedules: Readonly<World['schedules']>;
  /** The app's policies, and each request that they decided since the start, once. */
  readonly access: Pick<World['access'], 'policies' | 'requests'>;
  /**
   * Fault injection.
   * @param name of the function, its logical id, or the start of either.
   * @returns how many workers ended
   */
  readonly killFunction: (name: string) => number;
  readonly connectionIds: () => readonly string[];
  /** Fault injection: cuts connections as a failing network does, without `$disconnect`. @returns how many */
  readonly loseConnections: (isLost?: (connectionId: string) => boolean) => number;
  /** What AWS would have billed since the start. `usageBetween` compares two of these. */
  readonly usage: () => Usage;
  /**
   * Moves the clock of the host and its functions forward, and `Date` of this process with it. What is due on the way
   * happens in order: schedules, windows, delays, visibility, retries, ends of connections. Then expired items go.
   */
  readonly moveClock: (to: Date) => Promise<void>;
  /** Starts a worker of each function while there is room, so that first requests are quick. */
  readonly warm: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

type UserPool = Services['userPools'] extends ReadonlyMap<string, infer Pool> ? Pool : never;

interface App {
  readonly outputs: StackOutputs;
  readonly pipes: Readonly<World['pipes']>;
  readonly schedules: Readonly<World['schedules']>;
  readonly starters: readonly Parameters<StartLater>[0][];
}

/** @throws UnsupportedTemplateError, ResourceError, PortTakenError */
export async function startLocalHost(options: LocalHostOptions): Promise<LocalHost> {
  const stacks = [options.assembly].flat().flatMap((folder) => loadAssembly(folder));
  refuseTwins(stacks);
  checkSupport(
    stacks.flatMap(({ template }) => template.resources),
    RESOURCE_TYPES,
  );
  const undo: (() => Promise<void>)[] = [];
  // Requests and invocations of pollers end when their servers do, so stopping waits for nothing else.
  const stop = async (): Promise<void> => {
    await Promise.all(undo.map((end) => end()));
  };
  try {
    const services = await startServices(options, undo);
    undo.push(followClock(services));
    if (options.startAt !== undefined) setClock(options.startAt);
    const app = await makeApp(stacks, services);
    publish(services);
    undo.push(...app.starters.map((start) => start().stop));
    return hostOf(services, app, stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

function followClock({ dynamoDb, functionPool, sqs }: Services): () => Promise<void> {
  const leave = joinClock({
    isBusy: () => functionPool.isBusy,
    nextAt: sqs.nextVisibleAt,
    moved: sqs.wake,
    arrived: dynamoDb.expireItems,
  });
  return async () => leave();
}

/** On AWS a second stack of the same name would update the first. */
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
  endpoint.addPublicPath('/_host/clock', (request, response) => void serveClock(request, response));
  for (const pool of userPools.values()) {
    http.addMount(new URL(pool.issuer).pathname, (request, response, path) => {
      pool.handleHttp(request, response, path);
    });
    // On AWS the cognito-idp endpoint serves these. Containers reach only this endpoint.
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
    moveClock,
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
