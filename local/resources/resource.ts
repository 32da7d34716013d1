import type { CallAws } from '../aws-call.ts';
import type { CredentialStore } from '../credentials.ts';
import type { DynamoDb } from '../dynamodb.ts';
import type { HostEvent } from '../events.ts';
import type { Access } from '../iam/access.ts';
import type { Statement } from '../iam/statement.ts';
import type { FunctionDefinition, FunctionPool } from '../function-pool.ts';
import type { Pipe } from '../pipe.ts';
import type { Sqs } from '../sqs.ts';
import { isJsonList, isJsonObject } from '../template.ts';
import type { Json, JsonObject } from '../template.ts';
import type { UrlRewriter } from '../url-rewriter.ts';
import type { UserPool } from '../user-pool.ts';
import type { HttpApiDraft } from './http-api-draft.ts';
import type { WebSocketApiDraft } from './web-socket-api-draft.ts';

/** A resource of a template, its properties resolved. */
export interface ResourceRequest {
  readonly stackName: string;
  readonly logicalId: string;
  readonly type: string;
  readonly properties: JsonObject;
  readonly path?: string;
  readonly assetFolder: (objectKey: string) => string | undefined;
}

/** What `Ref` and `Fn::GetAtt` yield for a resource that exists. */
export interface ProvisionedResource {
  readonly ref: string;
  readonly attributes: Readonly<Record<string, Json>>;
}

export interface ProvisionedFunction {
  readonly stackName: string;
  readonly logicalId: string;
  readonly path?: string;
  readonly definition: FunctionDefinition;
}

/** A pipe, with what tests may do to it. */
export interface HostedPipe extends Pipe {
  readonly stackName: string;
  readonly logicalId: string;
  readonly pipeName: string;
}

/** A schedule, with what tests may do to it. */
export interface HostedSchedule {
  readonly stackName: string;
  readonly logicalId: string;
  readonly scheduleName: string;
  /** Delivers to the target now, as at an occurrence. */
  readonly fire: () => Promise<void>;
}

/** Something that runs from when the whole app is provisioned until the host stops. */
export interface Background {
  readonly stop: () => Promise<void>;
}

/** The engines that resources are made in, and what has been made so far. */
export interface World {
  readonly accountId: string;
  readonly region: string;
  readonly httpUrl: string;
  readonly awsEndpoint: string;
  readonly credentials: CredentialStore;
  /** Calls of the AWS endpoint as a session of a role. */
  readonly callAs: (roleArn: string, sessionName: string) => CallAws;
  /** What the app's policies allow. */
  readonly access: Access;
  /** By ARN. */
  readonly managedPolicies: Map<string, readonly Statement[]>;
  /** What is set once for the account and region. */
  readonly account: { apiGatewayLogRole?: string };
  /** Names of the log groups that the app makes. */
  readonly logGroups: Set<string>;
  readonly dynamoDb: DynamoDb;
  readonly sqs: Sqs;
  readonly functionPool: FunctionPool;
  readonly functions: Map<string, ProvisionedFunction>;
  readonly httpApis: Map<string, HttpApiDraft>;
  readonly webSocketApis: Map<string, WebSocketApiDraft>;
  readonly userPools: Map<string, UserPool>;
  /** How many user pools the whole app has: the only one is served without its name. */
  readonly userPoolCount: number;
  readonly pipes: HostedPipe[];
  readonly schedules: HostedSchedule[];
  readonly urls: UrlRewriter;
  readonly onEvent: (event: HostEvent) => void;
  readonly startLater: (start: () => Background) => void;
}

export type Provision = (
  resource: ResourceRequest,
  world: World,
) => ProvisionedResource | Promise<ProvisionedResource>;

/** A resource that can't be made. The message says which one. */
export class ResourceError extends Error {
  constructor(resource: Pick<ResourceRequest, 'stackName' | 'logicalId' | 'type'>, reason: string) {
    super(`${resource.stackName}/${resource.logicalId} (${resource.type}): ${reason}`);
    this.name = 'ResourceError';
  }
}

/** Reads a path such as `Code.S3Key` of the properties. */
export function propertyAt(resource: ResourceRequest, path: string): Json | undefined {
  return path
    .split('.')
    .reduce<Json | undefined>(
      (value, key) => (isJsonObject(value) ? value[key] : undefined),
      resource.properties,
    );
}

export function optionalText(resource: ResourceRequest, path: string): string | undefined {
  const value = propertyAt(resource, path);
  if (value === undefined || value === null) return undefined;
  if (isJsonObject(value) || isJsonList(value)) throw new ResourceError(resource, `${path} must be a text.`);
  return String(value);
}

export function requiredText(resource: ResourceRequest, path: string): string {
  const text = optionalText(resource, path);
  if (text === undefined || text === '') throw new ResourceError(resource, `${path} is missing.`);
  return text;
}

/** CloudFormation takes numbers as text, too. */
export function optionalNumber(resource: ResourceRequest, path: string): number | undefined {
  const text = optionalText(resource, path);
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value))
    throw new ResourceError(resource, `${path} must be a number.`);
  return value;
}

/** @throws ResourceError where AWS refuses the value. */
export function numberWithin(
  resource: ResourceRequest,
  path: string,
  limits: { readonly minimum: number; readonly maximum: number; readonly byDefault: number },
): number {
  const value = optionalNumber(resource, path) ?? limits.byDefault;
  if (value < limits.minimum || value > limits.maximum) {
    throw new ResourceError(
      resource,
      `${path} must be between ${limits.minimum} and ${limits.maximum}, not ${value}.`,
    );
  }
  return value;
}

export function optionalBoolean(resource: ResourceRequest, path: string): boolean | undefined {
  const text = optionalText(resource, path);
  return text === undefined ? undefined : text === 'true';
}

export function textListAt(resource: ResourceRequest, path: string): readonly string[] {
  const value = propertyAt(resource, path);
  return isJsonList(value) ? value.map(String) : [];
}

export function objectListAt(resource: ResourceRequest, path: string): readonly JsonObject[] {
  const value = propertyAt(resource, path);
  return isJsonList(value) ? value.filter(isJsonObject) : [];
}
