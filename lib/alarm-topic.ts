import { Topic } from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';

/** Where a stack's alarms go: subscribe a mailbox, a pager or a chat to it after the deployment. TLS only. */
export function alarmTopic(scope: Construct): Topic {
  return new Topic(scope, 'Alarms', { enforceSSL: true });
}
