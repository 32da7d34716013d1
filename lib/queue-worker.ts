import { Duration, Validations } from 'aws-cdk-lib';
import { GraphWidget, type IWidget } from 'aws-cdk-lib/aws-cloudwatch';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { EventSourceMapping } from 'aws-cdk-lib/aws-lambda';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { WorkerConfig } from './config.ts';
import { DeadLetterQueue } from './dead-letter-queue.ts';
import { NodeFunction, type Access, type NodeFunctionProps } from './node-function.ts';
import { RunbookAlarm, sumOf, type AlarmText } from './runbook-alarm.ts';

export interface QueueWorkerProps extends Omit<
  NodeFunctionProps,
  'timeout' | 'memoryMegabytes' | 'allowsRecursion'
> {
  /** Tells senders the queue's URL. */
  readonly urlVariable: string;
  readonly tempo: WorkerConfig;
  /** The function reports which messages failed, and only those come again. */
  readonly reportsBatchItemFailures?: boolean;
  /** The function may send to its own queue. Say where its code ends the chain. */
  readonly sendsToItself?: boolean;
  readonly deadLetters: AlarmText;
  readonly alarmTopic: ITopic;
}

/** Both tempos: a queue, its function, a dead-letter queue for messages that keep failing, and alarms. */
export class QueueWorker extends Construct {
  readonly queue: Queue;
  readonly deadLetterQueue: Queue;
  readonly worker: NodeFunction;
  private readonly urlVariable: string;
  /** By then a message has been worked on or is in the dead-letter queue. */
  readonly horizon: Duration;

  constructor(scope: Construct, id: string, props: QueueWorkerProps) {
    super(scope, id);
    this.urlVariable = props.urlVariable;
    const { batchSize, windowSeconds, timeoutSeconds, memoryMegabytes, maxReceiveCount } = props.tempo;
    // AWS recommends six times the function's timeout plus the window, so that throttled batches can be retried.
    const visibilityTimeout = Duration.seconds(6 * timeoutSeconds + windowSeconds);
    this.horizon = Duration.seconds(maxReceiveCount * visibilityTimeout.toSeconds() + windowSeconds);

    this.deadLetterQueue = new DeadLetterQueue(this, 'DeadLetters', {
      ...props.deadLetters,
      alarmTopic: props.alarmTopic,
    });
    this.queue = new Queue(this, 'Queue', {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      visibilityTimeout,
      retentionPeriod: Duration.days(4),
      deadLetterQueue: { queue: this.deadLetterQueue, maxReceiveCount },
    });

    const { access = [], sendsToItself = false, ...functionProps } = props;
    this.worker = new NodeFunction(this, 'Worker', {
      ...functionProps,
      timeout: Duration.seconds(timeoutSeconds),
      memoryMegabytes,
      allowsRecursion: sendsToItself,
    });
    // An event source mapping polls with the function's role. CDK's SqsEventSource would grant two actions too many.
    this.worker.role.addToPolicy(
      new PolicyStatement({
        actions: ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'],
        resources: [this.queue.queueArn],
      }),
    );
    this.worker.allow(...access, ...(sendsToItself ? [this.access('SendMessage')] : []));
    const mapping = new EventSourceMapping(this, 'Mapping', {
      target: this.worker.function,
      eventSourceArn: this.queue.queueArn,
      batchSize,
      ...(windowSeconds === 0 ? {} : { maxBatchingWindow: Duration.seconds(windowSeconds) }),
      maxConcurrency: props.tempo.maximumConcurrency,
      reportBatchItemFailures: props.reportsBatchItemFailures ?? false,
    });
    Validations.of(mapping).acknowledge({
      id: 'Serverless-LambdaEventSourceMappingDestination',
      reason:
        'Lambda refuses a failure destination on the mapping of an SQS queue: that is for streams. What fails too often goes to the dead-letter queue by the redrive policy of the queue itself.',
    });
    // Lambda checks at creation that the role may poll.
    mapping.node.addDependency(this.worker.role);

    this.alarms(id, props);
  }

  access(...actions: readonly string[]): Access {
    return {
      environment: { [this.urlVariable]: this.queue.queueUrl },
      actions: actions.map((action) => `sqs:${action}`),
      resource: this.queue.queueArn,
    };
  }

  private alarms(id: string, { tempo, alarmTopic: topic }: QueueWorkerProps): void {
    const alarmAge = Duration.minutes(tempo.alarmAgeMinutes);
    const minute = Duration.minutes(1);
    new RunbookAlarm(this, 'AgeAlarm', {
      impact: `A message of the ${id.toLowerCase()} queue waits for more than ${alarmAge.toHumanString()}.`,
      runbookHeading: 'A queue falls behind',
      metric: this.queue.metricApproximateAgeOfOldestMessage({ period: minute, statistic: 'Maximum' }),
      threshold: alarmAge.toSeconds(),
      periods: 5,
      topic,
    });
    const period = Duration.minutes(5);
    const { function: worker } = this.worker;
    new RunbookAlarm(this, 'FailureAlarm', {
      impact: `The worker of the ${id.toLowerCase()} queue has failed, or was not allowed to run, for 15 minutes.`,
      runbookHeading: 'A worker fails',
      metric: sumOf(
        [
          worker.metricErrors({ period }),
          worker.metricThrottles({ period }),
          worker.metric('RecursiveInvocationsDropped', { period, statistic: 'Sum' }),
        ],
        period,
      ),
      periods: 3,
      topic,
    });
  }

  widgets(): IWidget[] {
    const { queue, deadLetterQueue, worker } = this;
    const title = this.node.id;
    return [
      new GraphWidget({
        title: `${title}: messages`,
        left: [
          queue.metricNumberOfMessagesSent({ label: 'sent' }),
          queue.metricNumberOfMessagesDeleted({ label: 'done' }),
          queue.metricApproximateNumberOfMessagesVisible({ label: 'waiting' }),
          deadLetterQueue.metricApproximateNumberOfMessagesVisible({ label: 'dead letters' }),
        ],
        right: [queue.metricApproximateAgeOfOldestMessage({ label: 'oldest, s' })],
      }),
      new GraphWidget({
        title: `${title}: worker`,
        left: [
          worker.function.metricInvocations({ label: 'invocations' }),
          worker.function.metricErrors({ label: 'errors' }),
          worker.function.metricThrottles({ label: 'throttles' }),
        ],
        right: [
          worker.function.metricDuration({ label: 'p50, ms', statistic: 'p50' }),
          worker.function.metricDuration({ label: 'p99, ms', statistic: 'p99' }),
        ],
      }),
    ];
  }
}
