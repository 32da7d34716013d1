import { mayWriteTo, requireAssumable, type Access } from '../iam/index.ts';
import { filterPatterns } from '../patterns/index.ts';
import {
  description,
  each,
  encryption,
  existing,
  honoured,
  honours,
  inert,
  numberWithin,
  objectsAt,
  only,
  optionalText,
  physicalName,
  refused,
  requiredText,
  ResourceError,
  tagMap,
  textAt,
  type Place,
  type Provision,
  type ResourceRequest,
  type ResourceTypes,
  type StartLater,
} from '../template/index.ts';
import { compileInputTemplate, type InputTemplate } from './input-template.ts';
import type { PipeEvent } from './delivery.ts';
import { createPipe, type Pipe, type PipeOptions } from './pipe.ts';

export interface HostedPipe extends Pipe {
  readonly stackName: string;
  readonly logicalId: string;
  readonly pipeName: string;
}

interface PipeWorld extends Place {
  readonly access: Access;
  readonly callAs: (roleArn: string, sessionName: string) => PipeOptions['callAws'];
  readonly dynamoDb: {
    readonly streams: {
      readonly hasStream: (streamArn: string) => boolean;
      readonly hasRecordAfter: (streamArn: string, sequenceNumber: string | undefined) => boolean;
      readonly writtenAt: (streamArn: string, sequenceNumber: string) => Date | undefined;
    };
  };
  readonly logGroups: ReadonlySet<string>;
  readonly onEvent: (event: PipeEvent) => void;
  readonly pipes: HostedPipe[];
  readonly sqs: { readonly urlOf: (queueArn: string) => string | undefined };
  readonly startLater: StartLater;
}

const SOURCE = 'SourceParameters.DynamoDBStreamParameters';
/** A batch goes to SQS in one request. */
const MAXIMUM_BATCH_SIZE = 10;
const DEFAULT_BATCH_SIZE = 100;
const FOREVER = -1;

const provisionPipe: Provision<PipeWorld> = (resource, world) => {
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
  const targetUrl = queueUrl(resource, world, target);
  const deadLetterArn = optionalText(resource, `${SOURCE}.DeadLetterConfig.Arn`);
  const deadLetterUrl = deadLetterArn === undefined ? undefined : queueUrl(resource, world, deadLetterArn);
  requireAccess(resource, world, { roleArn, pipeName, streamArn, deadLetterArn });
  tellOfLog(resource, world, { roleArn, pipeName });
  const pipe = createPipe({
    ...limitsOf(resource),
    callAws,
    pipeName,
    pipeArn,
    streamArn,
    patterns: filterPatterns(resource, 'SourceParameters.FilterCriteria'),
    template: templateOf(resource, {
      'pipe-arn': () => pipeArn,
      'pipe-name': () => pipeName,
      'source-arn': () => streamArn,
      'target-arn': () => target,
      'event.ingestion-time': () => new Date().toISOString(),
    }),
    send: (bodies, signal) => sendBatch(callAws, targetUrl, bodies, signal),
    giveUp: async (body) => {
      if (deadLetterUrl === undefined) return;
      await callAws('AmazonSQS.SendMessage', { QueueUrl: deadLetterUrl, MessageBody: body });
    },
    hasRecordAfter: (sequenceNumber) => world.dynamoDb.streams.hasRecordAfter(streamArn, sequenceNumber),
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

/** AWS checks them when it makes the pipe. Source: EventBridge user guide, "Pipes permissions". */
const SOURCE_ACTIONS = ['DescribeStream', 'GetRecords', 'GetShardIterator', 'ListStreams'] as const;

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
    // ListStreams acts on no resource, but AWS accepts a grant on the stream alone, which CDK's TableV2 writes.
    const action = `dynamodb:${name}`;
    const refusal = world.access.refusalOf({ principal, action, resourceArn: streamArn });
    if (refusal === undefined) continue;
    throw new ResourceError(
      resource,
      `Cannot access stream ${streamArn}. Please ensure the role can perform the GetRecords, GetShardIterator, DescribeStream, and ListStreams Actions on your stream in IAM. (${refusal})`,
    );
  }
  if (deadLetterArn === undefined) return;
  const action = 'sqs:SendMessage';
  const refusal = world.access.refusalOf({ principal, action, resourceArn: deadLetterArn });
  if (refusal === undefined) return;
  throw new ResourceError(
    resource,
    `Error occurred while sending message to SQS queue: ${deadLetterArn} (${refusal})`,
  );
}

/** A pipe that may not write its log still runs, so the host reports it. */
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

type Limits = Pick<
  PipeOptions,
  'startingPosition' | 'batchSize' | 'windowSeconds' | 'maximumRetryAttempts' | 'maximumRecordAgeSeconds'
>;

function limitsOf(resource: ResourceRequest): Limits {
  const within = (name: string, minimum: number, maximum: number, byDefault: number): number =>
    numberWithin(resource, `${SOURCE}.${name}`, { minimum, maximum, byDefault });
  const startingPosition = requiredText(resource, `${SOURCE}.StartingPosition`);
  if (startingPosition !== 'TRIM_HORIZON' && startingPosition !== 'LATEST') {
    throw new ResourceError(
      resource,
      `${SOURCE}.StartingPosition must be TRIM_HORIZON or LATEST, not ${startingPosition}.`,
    );
  }
  const batchSize = within('BatchSize', 1, 10_000, DEFAULT_BATCH_SIZE);
  if (batchSize > MAXIMUM_BATCH_SIZE) {
    throw new ResourceError(
      resource,
      `${SOURCE}.BatchSize is ${batchSize}; for an SQS target it may be at most ${MAXIMUM_BATCH_SIZE}.`,
    );
  }
  const maximumRetryAttempts = within('MaximumRetryAttempts', FOREVER, 10_000, FOREVER);
  const maximumRecordAgeSeconds = within('MaximumRecordAgeInSeconds', FOREVER, 604_800, FOREVER);
  return {
    startingPosition,
    batchSize,
    windowSeconds: within('MaximumBatchingWindowInSeconds', 0, 300, 0),
    ...(maximumRetryAttempts === FOREVER ? {} : { maximumRetryAttempts }),
    ...(maximumRecordAgeSeconds === FOREVER ? {} : { maximumRecordAgeSeconds }),
  };
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
  return existing(resource, world.sqs.urlOf(queueArn), `${queueArn} names no queue of this app.`);
}

/** @returns the indexes of the bodies that the queue refused */
async function sendBatch(
  callAws: PipeOptions['callAws'],
  url: string,
  bodies: readonly string[],
  signal: AbortSignal,
): Promise<ReadonlySet<number>> {
  const Entries = bodies.map((body, index) => ({ Id: String(index), MessageBody: body }));
  const answer = await callAws('AmazonSQS.SendMessageBatch', { QueueUrl: url, Entries }, signal);
  return new Set(objectsAt(answer, 'Failed').map((entry) => Number(textAt(entry, 'Id'))));
}

const stream = 'SourceParameters.DynamoDBStreamParameters.';

export const PIPES_TYPES: ResourceTypes<PipeWorld> = {
  'AWS::Pipes::Pipe': {
    provision: provisionPipe,
    properties: {
      ...honours(
        'Name RoleArn TargetParameters.InputTemplate',
        'LogConfiguration.CloudwatchLogsLogDestination.LogGroupArn',
      ),
      Source: only(/^arn:aws:dynamodb:[^:]+:\d+:table\/.+\/stream\//),
      'SourceParameters.FilterCriteria.Filters[].Pattern': honoured,
      ...each(
        stream,
        honoured,
        'BatchSize DeadLetterConfig.Arn MaximumBatchingWindowInSeconds MaximumRecordAgeInSeconds',
        'MaximumRetryAttempts StartingPosition',
      ),
      [`${stream}OnPartialBatchItemFailure`]: inert(
        'For SQS, only failed entries of a batch are tried again.',
      ),
      [`${stream}ParallelizationFactor`]: only(/^1$/),
      Target: only(/^arn:aws:sqs:/),
      'TargetParameters.SqsQueueParameters': refused('FIFO queues are not supported.'),
      DesiredState: only(/^(RUNNING|STOPPED)$/),
      Description: description,
      Enrichment: refused('Enrichments are not called.'),
      EnrichmentParameters: refused('Enrichments are not called.'),
      KmsKeyIdentifier: encryption,
      'LogConfiguration.Level': inert('The host tells of every execution.'),
      'LogConfiguration.IncludeExecutionData': inert('The host shows no payloads.'),
      'LogConfiguration.FirehoseLogDestination': refused('There is no Firehose here.'),
      'LogConfiguration.S3LogDestination': refused('There is no S3 here.'),
      ...tagMap(),
    },
  },
};
