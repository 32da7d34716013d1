import { CfnOutput, type Stack } from 'aws-cdk-lib';
import { CfnApi } from 'aws-cdk-lib/aws-apigatewayv2';
import { Table } from 'aws-cdk-lib/aws-dynamodb';
import { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { CfnPipe } from 'aws-cdk-lib/aws-pipes';
import { CfnSchedule } from 'aws-cdk-lib/aws-scheduler';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import type { IConstruct } from 'constructs';

/** For the runbook's commands and the smoke test. Keys come from construct paths: `SettlementDeadLetterQueueUrl`. */
export function outputOperated(stack: Stack): void {
  const names = new Map<string, string>();
  for (const construct of stack.node.findAll()) {
    // Path and last word: `Settlement/DeadLetters` of the stack is a queue, `Settlement/Worker/Logs` a log group.
    const ids = construct.node.path.split('/').slice(1);
    for (const [suffix, value] of namesOf(construct)) {
      const place = ids
        .filter((id) => !implied.has(id))
        .join('')
        .replace(/Logs$/, '');
      names.set(`${place}${suffix}`, value);
    }
  }
  for (const [name, value] of names) new CfnOutput(stack, name, { value });
}

/** Construct ids that only repeat the kind of resource. */
const implied: ReadonlySet<string> = new Set([
  'Alarms',
  'Api',
  'DeadLetters',
  'Function',
  'Pipe',
  'Queue',
  'Resource',
  'Schedule',
]);

function namesOf(construct: IConstruct): readonly (readonly [suffix: string, value: string])[] {
  if (construct instanceof Topic) return [['AlarmTopicArn', construct.topicArn]];
  if (construct instanceof Table) return [['Table', construct.tableName]];
  if (construct instanceof LambdaFunction) return [['Function', construct.functionName]];
  if (construct instanceof LogGroup) return [['LogGroup', construct.logGroupName]];
  if (construct instanceof CfnPipe) return [['Name', construct.ref]];
  if (construct instanceof CfnSchedule) return [['ScheduleName', construct.ref]];
  if (construct instanceof CfnApi) return [['Id', construct.ref]];
  if (!(construct instanceof Queue)) return [];
  return construct.node.id === 'DeadLetters'
    ? [
        ['DeadLetterQueueUrl', construct.queueUrl],
        ['DeadLetterQueueArn', construct.queueArn],
      ]
    : [['QueueUrl', construct.queueUrl]];
}
