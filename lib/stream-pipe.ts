import { Duration, Validations } from 'aws-cdk-lib';
import type { Table } from 'aws-cdk-lib/aws-dynamodb';
import { PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { CfnPipe } from 'aws-cdk-lib/aws-pipes';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';

export interface StreamPipeProps {
  readonly description: string;
  /** A table with a stream. */
  readonly table: Table;
  /** Kinds of change that go through; all others are dropped. */
  readonly eventNames: readonly ('INSERT' | 'MODIFY' | 'REMOVE')[];
  /** What a message on the queue says, with `<$.path>` for values of the stream record. */
  readonly inputTemplate: string;
  readonly queue: IQueue;
  /** Gets word of records that could not be delivered in time. */
  readonly deadLetterQueue: IQueue;
}

/** An hour before the stream drops a record: so long it can still be read there, by what the dead-letter queue says. */
const MAXIMUM_RECORD_AGE = Duration.hours(23);

/**
 * A pipe from a table's stream to a queue: every change becomes a message, at least once, without a function between.
 * It starts at the stream's oldest record, because one that starts at the latest can miss what is written while it
 * starts; and it tries for almost as long as the stream keeps a record.
 */
export class StreamPipe extends Construct {
  readonly pipeName: string;

  constructor(scope: Construct, id: string, props: StreamPipeProps) {
    super(scope, id);
    const streamArn = props.table.tableStreamArn;
    if (streamArn === undefined) throw new Error(`The table of the pipe ${this.node.path} has no stream.`);
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
            // This action knows no resource.
            new PolicyStatement({ actions: ['dynamodb:ListStreams'], resources: ['*'] }),
            new PolicyStatement({
              actions: ['sqs:SendMessage'],
              resources: [props.queue.queueArn, props.deadLetterQueue.queueArn],
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
          deadLetterConfig: { arn: props.deadLetterQueue.queueArn },
        },
        filterCriteria: { filters: [{ pattern: JSON.stringify({ eventName: props.eventNames }) }] },
      },
      target: props.queue.queueArn,
      targetParameters: { inputTemplate: props.inputTemplate },
    });
    this.pipeName = pipe.ref;
  }
}
