import type { CallAws } from './endpoint/aws-call.ts';
import type { CredentialStore } from './iam/credentials.ts';
import type { DynamoDb } from './dynamodb/dynamodb.ts';
import type { HostEvent } from './events.ts';
import type { Access } from './iam/access.ts';
import type { Statement } from './iam/statement.ts';
import type { FunctionDefinition, FunctionPool } from './lambda/function-pool.ts';
import type { Pipe } from './pipes/pipe.ts';
import type { Sqs } from './sqs/sqs.ts';
import type { UrlRewriter } from './template/url-rewriter.ts';
import type { UserPool } from './cognito/user-pool.ts';
import type { HttpApiDraft } from './api-gateway/http-api-draft.ts';
import type { WebSocketApiDraft } from './api-gateway/web-socket-api-draft.ts';
import type { ProvisionedResource, ResourceRequest } from './template/resource.ts';

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

/** Makes a resource. Of the world it sees what it names. */
export type Provision<Reach = World> = (
  resource: ResourceRequest,
  world: Reach,
) => ProvisionedResource | Promise<ProvisionedResource>;
