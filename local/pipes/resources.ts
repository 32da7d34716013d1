import {
  description,
  each,
  encryption,
  honoured,
  honours,
  inert,
  only,
  refused,
  tagMap,
  type ResourceTypes,
} from '../template/index.ts';
import { provisionPipe, type PipeWorld } from './provision-pipe.ts';

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
        'Of a batch for SQS only failed entries are tried again.',
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
