import type { CallAws } from '../endpoint/index.ts';
import type { HostEvent } from '../events.ts';
import { mayWriteTo, requireAssumable, type Access } from '../iam/index.ts';
import { filterPatterns } from '../patterns/index.ts';
import {
  isJsonList,
  isJsonObject,
  numberWithin,
  optionalText,
  physicalName,
  requiredText,
  ResourceError,
  textAt,
  type Place,
  type Provision,
  type ResourceRequest,
  type StartLater,
} from '../template/index.ts';
import { compileInputTemplate, type InputTemplate } from './input-template.ts';
import { createPipe, type Pipe, type PipeOptions } from './pipe.ts';

/** A pipe, with what tests may do to it. */
export interface HostedPipe extends Pipe {
  readonly stackName: string;
  readonly logicalId: string;
  readonly pipeName: string;
}

export interface PipeWorld extends Place {
  readonly access: Access;
  readonly awsEndpoint: string;
  readonly callAs: (roleArn: string, sessionName: string) => CallAws;
  readonly dynamoDb: {
    readonly streams: {
      readonly hasStream: (streamArn: string) => boolean;
      readonly writtenAt: (streamArn: string, sequenceNumber: string) => Date | undefined;
    };
  };
  readonly logGroups: ReadonlySet<string>;
  readonly onEvent: (event: HostEvent) => void;
  readonly pipes: HostedPipe[];
  readonly sqs: { readonly visibilityTimeoutSeconds: (queueArn: string) => number | undefined };
  readonly startLater: StartLater;
}

const SOURCE = 'SourceParameters.DynamoDBStreamParameters';
/** A batch goes to SQS in one request. */
const MAXIMUM_BATCH_SIZE = 10;
const DEFAULT_BATCH_SIZE = 100;
const FOREVER = -1;

/** AWS::Pipes::Pipe, from a DynamoDB stream to an SQS queue. */
export const provisionPipe: Provision<PipeWorld> = (resource, world) => {
  const pipeName = optionalText(resource, 'Name') ?? physicalName(resource.stackName, resource.logicalId, 64);
  const pipeArn = `arn:aws:pipes:${world.region}:${world.accountId}:pipe/${pipeName}`;
  const streamArn = requiredText(resource, 'Source');
  if (!world.dynamoDb.streams.hasStream(streamArn)) {
    throw new ResourceError(resource, `Source ${streamArn} names no stream of this app's tables.`);
  }
  const target = requiredText(resource, 'Target');
  const roleArn = requiredText(resource, 'RoleArn');
  requireAssumable(resource, world, {
    roleArn,
    service: 'pipes.amazonaws.com',
    sourceArn: pipeArn,
    words: 'The pipe can not assume its role.',
  });
  const callAws = world.callAs(roleArn, pipeName);
  const queues = queueSender(callAws);
  const targetUrl = queueUrl(resource, world, target);
  const deadLetterArn = optionalText(resource, `${SOURCE}.DeadLetterConfig.Arn`);
  const deadLetterUrl = deadLetterArn === undefined ? undefined : queueUrl(resource, world, deadLetterArn);
  requireAccess(resource, world, { roleArn, pipeName, streamArn, deadLetterArn });
  tellOfLog(resource, world, { roleArn, pipeName });
  const maximumRetryAttempts = limit(resource, `${SOURCE}.MaximumRetryAttempts`, 10_000);
  const maximumRecordAgeSeconds = limit(resource, `${SOURCE}.MaximumRecordAgeInSeconds`, 604_800);

  const pipe = createPipe({
    callAws,
    pipeName,
    pipeArn,
    streamArn,
    startingPosition: startingPosition(resource),
    batchSize: batchSize(resource),
    windowSeconds: numberWithin(resource, `${SOURCE}.MaximumBatchingWindowInSeconds`, {
      minimum: 0,
      maximum: 300,
      byDefault: 0,
    }),
    ...(maximumRetryAttempts === undefined ? {} : { maximumRetryAttempts }),
    ...(maximumRecordAgeSeconds === undefined ? {} : { maximumRecordAgeSeconds }),
    patterns: filterPatterns(resource, 'SourceParameters.FilterCriteria'),
    template: templateOf(resource, {
      'pipe-arn': () => pipeArn,
      'pipe-name': () => pipeName,
      'source-arn': () => streamArn,
      'target-arn': () => target,
      'event.ingestion-time': () => new Date().toISOString(),
    }),
    send: (bodies, signal) => queues.sendBatch(targetUrl, bodies, signal),
    ...(deadLetterUrl === undefined ? {} : { giveUp: (body) => queues.send(deadLetterUrl, body) }),
    writtenAt: (sequenceNumber) => world.dynamoDb.streams.writtenAt(streamArn, sequenceNumber),
    onEvent: world.onEvent,
  });
  const { stackName, logicalId } = resource;
  world.pipes.push({ stackName, logicalId, pipeName, ...pipe });
  const isStopped = optionalText(resource, 'DesiredState') === 'STOPPED';
  world.startLater(() => {
    if (!isStopped) pipe.start();
    return { stop: pipe.stop };
  });
  return {
    ref: pipeName,
    attributes: { Arn: pipeArn, CurrentState: isStopped ? 'STOPPED' : 'RUNNING' },
  };
};

/** What a pipe is checked for when it is made, and needs as it runs. Source: EventBridge user guide, "Pipes permissions". */
const SOURCE_ACTIONS = ['DescribeStream', 'GetRecords', 'GetShardIterator', 'ListStreams'] as const;

/** Refuses a pipe whose role may not read its source or write to its dead-letter queue, as AWS does. */
function requireAccess(
  resource: ResourceRequest,
  world: PipeWorld,
  pipe: {
    readonly roleArn: string;
    readonly pipeName: string;
    readonly streamArn: string;
    readonly deadLetterArn: string | undefined;
  },
): void {
  const { roleArn, pipeName, streamArn, deadLetterArn } = pipe;
  const principal = { kind: 'role', roleArn, sessionName: pipeName } as const;
  for (const name of SOURCE_ACTIONS) {
    // ListStreams acts on no resource, but a role that has it for the stream alone, as CDK's TableV2 grants it, will do.
    const refusal = world.access.refusalOf({
      principal,
      action: `dynamodb:${name}`,
      resourceArn: streamArn,
    });
    if (refusal === undefined) continue;
    throw new ResourceError(
      resource,
      `Cannot access stream ${streamArn}. Please ensure the role can perform the GetRecords, GetShardIterator, DescribeStream, and ListStreams Actions on your stream in IAM. (${refusal})`,
    );
  }
  if (deadLetterArn === undefined) return;
  const refusal = world.access.refusalOf({
    principal,
    action: 'sqs:SendMessage',
    resourceArn: deadLetterArn,
  });
  if (refusal === undefined) return;
  throw new ResourceError(
    resource,
    `Error occurred while sending message to SQS queue: ${deadLetterArn} (${refusal})`,
  );
}

/** A pipe whose role may not write its log runs, and nobody reads its lines: the host tells of it. */
function tellOfLog(
  resource: ResourceRequest,
  world: PipeWorld,
  { roleArn, pipeName }: { readonly roleArn: string; readonly pipeName: string },
): void {
  const arn = optionalText(resource, 'LogConfiguration.CloudwatchLogsLogDestination.LogGroupArn');
  if (arn === undefined) return;
  const groupArn = arn.replace(/:\*$/, '');
  const isThere = world.logGroups.has(groupArn.split(':log-group:').at(-1) ?? '');
  mayWriteTo(world.access, { roleArn, sessionName: pipeName }, { groupArn, streamName: pipeName, isThere });
}

function startingPosition(resource: ResourceRequest): PipeOptions['startingPosition'] {
  const text = requiredText(resource, `${SOURCE}.StartingPosition`);
  if (text !== 'TRIM_HORIZON' && text !== 'LATEST') {
    throw new ResourceError(
      resource,
      `${SOURCE}.StartingPosition must be TRIM_HORIZON or LATEST, not ${text}.`,
    );
  }
  return text;
}

function batchSize(resource: ResourceRequest): number {
  const size = numberWithin(resource, `${SOURCE}.BatchSize`, {
    minimum: 1,
    maximum: 10_000,
    byDefault: DEFAULT_BATCH_SIZE,
  });
  if (size <= MAXIMUM_BATCH_SIZE) return size;
  throw new ResourceError(
    resource,
    `${SOURCE}.BatchSize is ${size}; for an SQS target it may be at most ${MAXIMUM_BATCH_SIZE}.`,
  );
}

/** Undefined: as long as the stream keeps the record. */
function limit(resource: ResourceRequest, path: string, maximum: number): number | undefined {
  const value = numberWithin(resource, path, { minimum: FOREVER, maximum, byDefault: FOREVER });
  return value === FOREVER ? undefined : value;
}

function templateOf(
  resource: ResourceRequest,
  reserved: Parameters<typeof compileInputTemplate>[1],
): InputTemplate {
  const template = optionalText(resource, 'TargetParameters.InputTemplate');
  if (template === undefined) return (event) => JSON.stringify(event);
  try {
    return compileInputTemplate(template, reserved);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ResourceError(resource, `TargetParameters.InputTemplate: ${reason}`);
  }
}

function queueUrl(resource: ResourceRequest, world: PipeWorld, queueArn: string): string {
  if (world.sqs.visibilityTimeoutSeconds(queueArn) === undefined) {
    throw new ResourceError(resource, `${queueArn} names no queue of this app.`);
  }
  return `${world.awsEndpoint}/${world.accountId}/${queueArn.split(':').at(-1)}`;
}

/** Sends to queues as the pipe's role. */
function queueSender(callAws: CallAws) {
  return {
    send: async (url: string, body: string): Promise<void> => {
      await callAws('AmazonSQS.SendMessage', { QueueUrl: url, MessageBody: body });
    },
    /** @returns the places of the bodies that the queue refused. */
    sendBatch: async (
      url: string,
      bodies: readonly string[],
      signal: AbortSignal,
    ): Promise<ReadonlySet<number>> => {
      const Entries = bodies.map((body, index) => ({ Id: String(index), MessageBody: body }));
      const { Failed = [] } = await callAws('AmazonSQS.SendMessageBatch', { QueueUrl: url, Entries }, signal);
      const failed = isJsonList(Failed) ? Failed.filter(isJsonObject) : [];
      return new Set(failed.map((entry) => Number(textAt(entry, 'Id'))));
    },
  };
}
