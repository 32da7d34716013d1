import { requireAssumable, type Access } from '../iam/index.ts';
import {
  description,
  each,
  encryption,
  existing,
  honoured,
  honours,
  inert,
  inertType,
  numberWithin,
  only,
  optionalText,
  physicalName,
  refused,
  requiredText,
  ResourceError,
  type Place,
  type Provision,
  type ResourceRequest,
  type ResourceTypes,
  type StartLater,
} from '../template/index.ts';
import { parseScheduleExpression, type ScheduleExpression } from './schedule-expression.ts';
import { startSchedule, type RunningSchedule, type ScheduleOptions } from './schedule.ts';

export interface ScheduleEvent {
  readonly type: 'schedule';
  readonly scheduleName: string;
  readonly target: string;
}

export interface HostedSchedule {
  readonly stackName: string;
  readonly logicalId: string;
  readonly scheduleName: string;
  readonly fire: () => Promise<void>;
}

interface ScheduleWorld extends Place {
  readonly access: Access;
  readonly callAs: (
    roleArn: string,
    sessionName: string,
  ) => (target: string, message: { QueueUrl: string; MessageBody: string }) => Promise<unknown>;
  readonly functionPool: {
    readonly find: (functionArn: string) => unknown;
    readonly invoke: (functionArn: string, event: unknown) => Promise<{ readonly kind: string }>;
  };
  readonly onEvent: (event: ScheduleEvent) => void;
  readonly schedules: HostedSchedule[];
  readonly sqs: { readonly urlOf: (queueArn: string) => string | undefined };
  readonly startLater: StartLater;
}

const provisionSchedule: Provision<ScheduleWorld> = (resource, world) => {
  const name = optionalText(resource, 'Name') ?? physicalName(resource.stackName, resource.logicalId, 64);
  const expression = expressionOf(resource);
  const target = requiredText(resource, 'Target.Arn');
  const roleArn = requiredText(resource, 'Target.RoleArn');
  const groupName = optionalText(resource, 'GroupName') ?? 'default';
  requireAssumable(resource, world, {
    roleArn,
    service: 'scheduler.amazonaws.com',
    // Trust policies name the group. Source: EventBridge Scheduler user guide, "Confused deputy prevention".
    sourceArn: `arn:aws:scheduler:${world.region}:${world.accountId}:schedule-group/${groupName}`,
    words: 'The execution role you provide must allow AWS EventBridge Scheduler to assume the role.',
  });
  const input = optionalText(resource, 'Target.Input') ?? '{}';
  const callAws = world.callAs(roleArn, name);
  const send = async (queueUrl: string): Promise<void> => {
    await callAws('AmazonSQS.SendMessage', { QueueUrl: queueUrl, MessageBody: input });
  };
  const deadLetterArn = optionalText(resource, 'Target.DeadLetterConfig.Arn');
  const deadLetterUrl = deadLetterArn === undefined ? undefined : queueUrlOf(resource, world, deadLetterArn);
  const limits = limitsOf(resource);
  const targetUrl = target.startsWith('arn:aws:sqs:') ? queueUrlOf(resource, world, target) : undefined;
  const deliver =
    targetUrl === undefined
      ? invoker(resource, world, { target, input, roleArn, name })
      : () => send(targetUrl);

  if (optionalText(resource, 'State') !== 'DISABLED') {
    let running: RunningSchedule | undefined;
    const { stackName, logicalId } = resource;
    world.schedules.push({ stackName, logicalId, scheduleName: name, fire: async () => running?.fire() });
    world.startLater(() => {
      running = startSchedule({
        expression,
        ...limits,
        deliver: async () => {
          world.onEvent({ type: 'schedule', scheduleName: name, target });
          await deliver();
        },
        giveUp: async () => {
          if (deadLetterUrl !== undefined) await send(deadLetterUrl);
        },
      });
      return running;
    });
  }
  return {
    ref: name,
    attributes: { Arn: `arn:aws:scheduler:${world.region}:${world.accountId}:schedule/${groupName}/${name}` },
  };
};

function expressionOf(resource: ResourceRequest): ScheduleExpression {
  const dateAt = (property: string): Date | undefined => {
    const text = optionalText(resource, property);
    if (text === undefined) return undefined;
    const date = new Date(text);
    if (Number.isNaN(date.getTime())) throw new ResourceError(resource, `${property} ${text} is no date.`);
    return date;
  };
  const startDate = dateAt('StartDate');
  const endDate = dateAt('EndDate');
  const timeZone = optionalText(resource, 'ScheduleExpressionTimezone');
  try {
    return parseScheduleExpression({
      expression: requiredText(resource, 'ScheduleExpression'),
      createdAt: new Date(),
      ...(timeZone === undefined ? {} : { timeZone }),
      ...(startDate === undefined ? {} : { startDate }),
      ...(endDate === undefined ? {} : { endDate }),
    });
  } catch (error) {
    throw new ResourceError(resource, error instanceof Error ? error.message : String(error));
  }
}

type Limits = Pick<
  ScheduleOptions,
  'flexibleWindowMinutes' | 'maximumRetryAttempts' | 'maximumEventAgeSeconds'
>;

function limitsOf(resource: ResourceRequest): Limits {
  const within = (path: string, minimum: number, maximum: number, byDefault: number): number =>
    numberWithin(resource, path, { minimum, maximum, byDefault });
  const isFlexible = requiredText(resource, 'FlexibleTimeWindow.Mode') === 'FLEXIBLE';
  return {
    flexibleWindowMinutes: isFlexible ? within('FlexibleTimeWindow.MaximumWindowInMinutes', 1, 1440, 1) : 0,
    maximumRetryAttempts: within('Target.RetryPolicy.MaximumRetryAttempts', 0, 185, 185),
    maximumEventAgeSeconds: within('Target.RetryPolicy.MaximumEventAgeInSeconds', 60, 86_400, 86_400),
  };
}

function invoker(
  resource: ResourceRequest,
  world: ScheduleWorld,
  schedule: {
    readonly target: string;
    readonly input: string;
    readonly roleArn: string;
    readonly name: string;
  },
): () => Promise<void> {
  const { target, input, roleArn, name } = schedule;
  existing(resource, world.functionPool.find(target), `Target.Arn ${target} is nothing of this app.`);
  const principal = { kind: 'role', roleArn, sessionName: name } as const;
  return async () => {
    const action = 'lambda:InvokeFunction';
    const refusal = world.access.refusalOf({ principal, action, resourceArn: target });
    if (refusal !== undefined) throw new Error(refusal);
    const invocation = await world.functionPool.invoke(target, JSON.parse(input));
    if (invocation.kind !== 'success') throw new Error(`The function answered ${invocation.kind}.`);
  };
}

function queueUrlOf(resource: ResourceRequest, world: ScheduleWorld, queueArn: string): string {
  return existing(resource, world.sqs.urlOf(queueArn), `${queueArn} names no queue of this app.`);
}

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
