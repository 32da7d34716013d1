import {
  description,
  each,
  encryption,
  honoured,
  honours,
  inert,
  inertType,
  only,
  refused,
  type ResourceTypes,
} from '../template/index.ts';
import { provisionSchedule, type ScheduleWorld } from './provision-schedule.ts';

export const SCHEDULER_TYPES: ResourceTypes<ScheduleWorld> = {
  'AWS::Scheduler::Schedule': {
    provision: provisionSchedule,
    properties: {
      ...honours(
        'Name GroupName ScheduleExpression ScheduleExpressionTimezone StartDate EndDate State',
        'FlexibleTimeWindow.Mode FlexibleTimeWindow.MaximumWindowInMinutes',
      ),
      Description: description,
      'Target.Arn': only(/^arn:aws:(sqs|lambda):/),
      ...each('Target.', honoured, 'RoleArn Input DeadLetterConfig.Arn'),
      ...each('Target.RetryPolicy.', honoured, 'MaximumRetryAttempts MaximumEventAgeInSeconds'),
      // CDK writes an empty object for a standard queue.
      'Target.SqsParameters.MessageGroupId': refused('FIFO queues are not supported.'),
      KmsKeyArn: encryption,
    },
  },
  'AWS::Scheduler::ScheduleGroup': inertType(
    inert('Groups are for people.'),
    {
      nameProperty: 'Name',
      arnOf: (name, { region, accountId }) =>
        `arn:aws:scheduler:${region}:${accountId}:schedule-group/${name}`,
    },
    'Name Tags[].Key Tags[].Value',
  ),
};
