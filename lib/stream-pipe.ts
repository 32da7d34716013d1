import { Duration, Validations } from 'aws-cdk-lib';
import { GraphWidget, Metric, type IWidget } from 'aws-cdk-lib/aws-cloudwatch';
import type { Table } from 'aws-cdk-lib/aws-dynamodb';
import { PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { CfnPipe } from 'aws-cdk-lib/aws-pipes';
import type { RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { DeadLetterQueue } from './dead-letter-queue.ts';
import { logGroup } from './log-group.ts';
import { RunbookAlarm, sumOf, type AlarmText } from './runbook-alarm.ts';

export interface StreamPipeProps {
  readonly description: string;
  readonly table: Table;
  /** Other changes are dropped. */
  readonly eventNames: readonly ('INSERT' | 'MODIFY' | 'REMOVE')[];
  /** A message's body; `<$.path>` stands for a value of the stream record. */
  readonly inputTemplate: string;
  readonly queue: IQueue;
  readonly failure: AlarmText;
  readonly deadLetters: AlarmText;
  readonly logRetention: RetentionDays;
  readonly alarmTopic: ITopic;
}

const FAILURE_METRICS = [
  'ExecutionFailed',
  'ExecutionPartiallyFailed',
  'ExecutionTimeout',
  'ExecutionThrottled',
];

/** Leaves an hour to read a given-up record from the stream, which keeps it for 24. */
const MAXIMUM_RECORD_AGE = Duration.hours(23);

/**
 * Every change becomes a message, at least once. The pipe starts at the stream's oldest record, or it could miss what
 * is written meanwhile, and retries for almost as long as the stream keeps a record. What it gives up goes to its own
 * dead-letter queue: the worker could not read it.
 */
export class StreamPipe extends Construct {
  readonly deadLetterQueue: DeadLetterQueue;
  private readonly pipeName: string;

  constructor(scope: Construct, id: string, props: StreamPipeProps) {
    super(scope, id);
    const streamArn = props.table.tableStreamArn;
    if (streamArn === undefined) throw new Error(`The table of the pipe ${this.node.path} has no stream.`);
    this.deadLetterQueue = new DeadLetterQueue(this, 'DeadLetters', {
      ...props.deadLetters,
      alarmTopic: props.alarmTopic,
    });
    Validations.of(this.deadLetterQueue).acknowledge({
      id: 'AwsSolutions-SQS3',
      reason:
        'This is the dead-letter queue of a pipe. The rule looks for queues that name it in a redrive policy, and a pipe names it in its source parameters.',
    });
    const logs = logGroup(this, 'Logs', props.logRetention);
    const role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('pipes.amazonaws.com'),
      // Inline, so that the policy is there when the pipe is created.
      inlinePolicies: {
        StreamToQueue: new PolicyDocument({
          statements: [
            new PolicyStatement({
              actions: ['dynamodb:DescribeStream', 'dynamodb:GetRecords', 'dynamodb:GetShardIterator'],
              resources: [streamArn],
            }),
            new PolicyStatement({ actions: ['dynamodb:ListStreams'], resources: ['*'] }),
            new PolicyStatement({
              actions: ['sqs:SendMessage'],
              resources: [props.queue.queueArn, this.deadLetterQueue.queueArn],
            }),
            new PolicyStatement({
              actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
              resources: [logs.logGroupArn],
            }),
          ],
        }),
      },
    });
    Validations.of(role).acknowledge({
      id: 'AwsSolutions-IAM5[Resource::*]',
      reason:
        'dynamodb:ListStreams, which a pipe calls to find its stream, knows no resource to be narrowed to. It lists names of streams; to read one takes the other statement, which names one stream.',
    });
    const pipe = new CfnPipe(this, 'Pipe', {
      description: props.description,
      roleArn: role.roleArn,
      source: streamArn,
      sourceParameters: {
        dynamoDbStreamParameters: {
          startingPosition: 'TRIM_HORIZON',
          batchSize: 10,
          maximumRecordAgeInSeconds: MAXIMUM_RECORD_AGE.toSeconds(),
          deadLetterConfig: { arn: this.deadLetterQueue.queueArn },
        },
        filterCriteria: { filters: [{ pattern: JSON.stringify({ eventName: props.eventNames }) }] },
      },
      target: props.queue.queueArn,
      targetParameters: { inputTemplate: props.inputTemplate },
      // Without execution data, which would log what people write.
      logConfiguration: {
        cloudwatchLogsLogDestination: { logGroupArn: logs.logGroupArn },
        level: 'ERROR',
      },
    });
    this.pipeName = pipe.ref;
    const period = Duration.minutes(1);
    new RunbookAlarm(this, 'FailureAlarm', {
      ...props.failure,
      metric: sumOf(
        FAILURE_METRICS.map((name) => this.metric(name)),
        period,
      ),
      topic: props.alarmTopic,
    });
  }

  private metric(metricName: string, label?: string): Metric {
    return new Metric({
      namespace: 'AWS/EventBridge/Pipes',
      metricName,
      dimensionsMap: { PipeName: this.pipeName },
      statistic: 'Sum',
      period: Duration.minutes(1),
      ...(label === undefined ? {} : { label }),
    });
  }

  widgets(): IWidget[] {
    return [
      new GraphWidget({
        title: this.node.id,
        left: [
          this.metric('EventCount', 'records'),
          this.metric('ExecutionFailed', 'failed'),
          this.deadLetterQueue.metricApproximateNumberOfMessagesVisible({ label: 'dead letters' }),
        ],
        right: [this.metric('Duration', 'duration, ms').with({ statistic: 'p99' })],
      }),
    ];
  }
}
