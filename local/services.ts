import {
  API_GATEWAY_TYPES,
  createApiGateway,
  type ApiGateway,
  type HttpApiEvent,
  type WebSocketEvent,
  type WebSocketLimits,
} from './api-gateway/index.ts';
import { COGNITO_TYPES, serveUserPools, type UserPool } from './cognito/index.ts';
import { createDynamoDb, DYNAMODB_TYPES } from './dynamodb/index.ts';
import { createCredentialStore, startAwsEndpoint, type Interceptor } from './endpoint/index.ts';
import { startMountServer } from './http/index.ts';
import { createAccess, IAM_TYPES, type Access, type AccessDeniedEvent } from './iam/index.ts';
import { INERT_TYPES, type LogWorld } from './inert.ts';
import { FunctionPool, LAMBDA_TYPES, mayWriteLogs, type LambdaEvent } from './lambda/index.ts';
import { PIPES_TYPES, type PipeEvent } from './pipes/index.ts';
import { SCHEDULER_TYPES, type ScheduleEvent } from './scheduler/index.ts';
import { createSqs, SQS_TYPES } from './sqs/index.ts';
import type { Place, Provision, ResourceTypes } from './template/index.ts';
import { createUsageMeter, type UsageMeter } from './usage.ts';

const GATHERED = {
  ...DYNAMODB_TYPES,
  ...SQS_TYPES,
  ...LAMBDA_TYPES,
  ...IAM_TYPES,
  ...SCHEDULER_TYPES,
  ...API_GATEWAY_TYPES,
  ...COGNITO_TYPES,
  ...PIPES_TYPES,
  ...INERT_TYPES,
};

/** What all provisioners touch together. Each sees only its own part. */
export type World = (typeof GATHERED)[string]['provision'] extends Provision<infer Parts> ? Parts : never;

export const RESOURCE_TYPES: ResourceTypes<World> = GATHERED;

/** The command line prints these and tests await them. Listeners must not throw. */
export type HostEvent =
  | HttpApiEvent
  | WebSocketEvent
  | LambdaEvent
  | AccessDeniedEvent
  | ScheduleEvent
  | PipeEvent;

export interface ServiceOptions {
  /** Of the HTTP APIs; 0 for any. @default 3000 */
  readonly port?: number;
  /** Of the AWS endpoint; 0 for any. @default 4566 */
  readonly awsPort?: number;
  /**
   * A second address of this machine for the AWS endpoint, such as one that containers reach; `0.0.0.0` for all.
   * Anyone who reaches it may do everything.
   * @default only 127.0.0.1
   */
  readonly awsAddress?: string;
  /** Worker threads over all functions. @default 8 */
  readonly maxWorkers?: number;
  /**
   * Invocations at once over all functions, as an account limits them: 10 in a new one. Beyond it, an HTTP API answers
   * 503, a WebSocket API refuses to connect, and messages of a queue come again later.
   * @default none
   */
  readonly accountConcurrency?: number;
  /** Event source mappings that do not poll, as if not `Enabled`: the beginnings of their logical ids. @default none */
  readonly idleMappings?: readonly string[];
  /** @default as on AWS: 10 minutes idle, 2 hours in all */
  readonly webSocketLimits?: WebSocketLimits;
  readonly onEvent?: (event: HostEvent) => void;
  /** Sees each invocation's event before it runs. */
  readonly onInvoke?: (functionArn: string, event: unknown) => void;
  /** Fault injection: they see every allowed call of the AWS endpoint, the first outermost. See Interceptor. */
  readonly interceptors?: readonly Interceptor[];
}

export type Services = Awaited<ReturnType<typeof startServices>>;

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

const PLACE: Place = { accountId: '000000000000', region: 'us-east-1' };

/** @param undo gets what stops each part, even where a later part fails to start */
export async function startServices(options: ServiceOptions, undo: (() => Promise<void>)[]) {
  const meter: UsageMeter = createUsageMeter({
    now: () => Date.now(),
    memoryMegabytesOf: (functionName) => functionPool.find(functionName)?.memoryMegabytes ?? 0,
    nameOf: (id) => gateway.nameOf(id) ?? holderOf(functionPool, id),
  });
  const onEvent = (event: HostEvent): void => {
    meter.onEvent(event);
    options.onEvent?.(event);
  };
  const access = createAccess(PLACE, onEvent);
  const credentials = createCredentialStore();
  const dynamoDb = createDynamoDb({ ...PLACE, onConsumed: meter.onConsumed });
  const sqs = createSqs();
  const userPools = new Map<string, UserPool>();
  const logGroups = new Set<string>();
  undo.push(async () => sqs.stop());

  const endpoint = await listening('awsPort', options.awsPort ?? 4566, (port) =>
    startAwsEndpoint({
      port,
      ...(options.awsAddress === undefined ? {} : { address: options.awsAddress }),
      credentials,
      authorize: access.authorize,
      interceptors: [...(options.interceptors ?? []), meter.interceptor],
    }),
  );
  undo.push(endpoint.stop);
  const http = await listening('port', options.port ?? 3000, startMountServer);
  undo.push(() => http.stop());

  const functionPool = startFunctionPool(options, { access, awsEndpoint: endpoint.url, logGroups, onEvent });
  undo.push(() => functionPool.stop());
  const gateway: ApiGateway = createApiGateway({
    ...PLACE,
    access,
    functionPool,
    keysOf: (issuer) => poolOf(userPools, issuer).keys(),
    ...(options.webSocketLimits === undefined ? {} : { limits: options.webSocketLimits }),
    onEvent,
    meter: meter.webSockets,
  });
  undo.push(async () => gateway.webSockets.stop());

  for (const service of [...dynamoDb.services, sqs.service, serveUserPools(userPools)]) {
    endpoint.addService(service);
  }
  endpoint.addRestService(gateway.connectionsService);
  return {
    ...PLACE,
    access,
    credentials,
    dynamoDb,
    endpoint,
    functionPool,
    gateway,
    http,
    idleMappings: options.idleMappings ?? [],
    logGroups,
    meter,
    onEvent,
    sqs,
    userPools,
  };
}

function startFunctionPool(
  { maxWorkers, accountConcurrency, onInvoke }: ServiceOptions,
  {
    access,
    awsEndpoint,
    logGroups,
    onEvent,
  }: Pick<LogWorld, 'logGroups'> & {
    readonly access: Access;
    readonly awsEndpoint: string;
    readonly onEvent: (event: HostEvent) => void;
  },
): FunctionPool {
  const pool: FunctionPool = new FunctionPool({
    ...(maxWorkers === undefined ? {} : { maxWorkers }),
    ...(accountConcurrency === undefined ? {} : { accountConcurrency }),
    awsEndpoint,
    region: PLACE.region,
    onEvent: (event) => {
      // Lambda writes lines at each invocation, so even a silent function needs its log group.
      const definition = pool.find(event.functionName);
      const isLogged =
        definition === undefined || mayWriteLogs(access, definition, (name) => logGroups.has(name));
      if (isLogged || event.type === 'invocation') onEvent(event);
    },
    ...(onInvoke === undefined ? {} : { onInvoke }),
  });
  return pool;
}

function poolOf(userPools: ReadonlyMap<string, UserPool>, issuer: string): UserPool {
  const pool = [...userPools.values()].find((candidate) => candidate.issuer === issuer);
  if (pool === undefined) throw new Error(`${issuer} is not an issuer of this app.`);
  return pool;
}

/** The function that holds a role, or the role's name. @param id a role's ARN; other ids stay as they are */
function holderOf(functionPool: FunctionPool, id: string): string {
  if (!id.startsWith('arn:')) return id;
  const holder = functionPool.definitions().find(({ credentials }) => credentials.roleArn === id);
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
