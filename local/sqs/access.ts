import type { AwsCall, NeededAccess, Place } from '../endpoint/index.ts';
import { textAt } from '../template/index.ts';
import { sourceOfTask } from './move-tasks.ts';

/**
 * Source: Service Authorization Reference, "Actions, resources, and condition keys for Amazon SQS"; of move tasks: SQS
 * developer guide, "Permissions for a dead-letter queue redrive".
 */
export function sqsAccess(
  { action, request }: AwsCall,
  { accountId, region }: Place,
): readonly NeededAccess[] {
  if (!/MessageMoveTasks?$/.test(action)) {
    const name = textAt(request, 'QueueName') ?? textAt(request, 'QueueUrl')?.split('/').findLast(Boolean);
    // IAM knows no batch actions of SQS.
    const single = action.replace(/^(SendMessage|DeleteMessage|ChangeMessageVisibility)Batch$/, '$1');
    const resourceArn = name === undefined ? '*' : `arn:aws:sqs:${region}:${accountId}:${name}`;
    return [{ action: `sqs:${single}`, resourceArn }];
  }
  const source = textAt(request, 'SourceArn') ?? sourceOfTask(textAt(request, 'TaskHandle')) ?? '*';
  const destination = textAt(request, 'DestinationArn');
  return [
    ...[action, 'ReceiveMessage', 'DeleteMessage', 'GetQueueAttributes'].map((as) => ({
      action: `sqs:${as}`,
      resourceArn: source,
    })),
    ...(destination === undefined ? [] : [{ action: 'sqs:SendMessage', resourceArn: destination }]),
  ];
}
