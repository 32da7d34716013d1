import { Duration, Validations } from 'aws-cdk-lib';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { RunbookAlarm, type AlarmText } from './runbook-alarm.ts';

export interface DeadLetterQueueProps extends AlarmText {
  readonly alarmTopic: ITopic;
}

/**
 * Keeps messages for 14 days, the longest that SQS allows. The first one raises the alarm, up to 15 minutes late: SQS
 * stops the metrics of a queue that was not used for 6 hours (SQS developer guide, "Monitoring Amazon SQS queues using
 * CloudWatch").
 */
export class DeadLetterQueue extends Queue {
  constructor(scope: Construct, id: string, props: DeadLetterQueueProps) {
    super(scope, id, {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
    });
    Validations.of(this).acknowledge({
      id: 'Serverless-SQSRedrivePolicy',
      reason:
        'This is the dead-letter queue: the end of the line. It keeps messages for 14 days, the first of them raises an alarm, and the runbook says how to redrive them.',
    });
    new RunbookAlarm(this, 'Alarm', {
      impact: props.impact,
      runbookHeading: props.runbookHeading,
      metric: this.metricApproximateNumberOfMessagesVisible({
        period: Duration.minutes(1),
        statistic: 'Maximum',
      }),
      topic: props.alarmTopic,
    });
  }
}
