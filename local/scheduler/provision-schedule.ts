import type { SQSClient } from '@aws-sdk/client-sqs';
import type { HostEvent } from '../events.ts';
import { requireAssumable, type Access } from '../iam/index.ts';
import type { CredentialStore } from '../endpoint/index.ts';
import {
  numberWithin,
  optionalText,
  physicalName,
  requiredText,
  ResourceError,
  type Place,
  type Provision,
  type ResourceRequest,
  type StartLater,
} from '../template/index.ts';
import { parseScheduleExpression, type ScheduleExpression } from './schedule-expression.ts';
import { startSchedule, type RunningSchedule } from './schedule.ts';

/** A schedule, with what tests may do to it. */
export interface HostedSchedule {
  readonly stackName: string;
  readonly logicalId: string;
  readonly scheduleName: string;
  /** Delivers to the target now, as at an occurrence. */
  readonly fire: () => Promise<void>;
}

export interface ScheduleWorld extends Place {
  readonly access: Access;
  readonly awsEndpoint: string;
  readonly credentials: CredentialStore;
  readonly functionPool: {
    readonly find: (functionArn: string) => unknown;
    readonly invoke: (functionArn: string, event: unknown) => Promise<{ readonly kind: string }>;
  };
  readonly onEvent: (event: HostEvent) => void;
  readonly schedules: HostedSchedule[];
  readonly sqs: { readonly visibilityTimeoutSeconds: (queueArn: string) => number | undefined };
  readonly startLater: StartLater;
}

/** AWS::Scheduler::Schedule, with an SQS queue or a Lambda function as its target. */
export const provisionSchedule: Provision<ScheduleWorld> = (resource, world) => {
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
  const send = senderOf(resource, world, roleArn, name);
  const isFlexible = requiredText(resource, 'FlexibleTimeWindow.Mode') === 'FLEXIBLE';
  const flexibleWindowMinutes = isFlexible
    ? numberWithin(resource, 'FlexibleTimeWindow.MaximumWindowInMinutes', {
        minimum: 1,
        maximum: 1440,
        byDefault: 1,
      })
    : 0;
  const deadLetterArn = optionalText(resource, 'Target.DeadLetterConfig.Arn');
  if (deadLetterArn !== undefined) requireQueue(resource, world, deadLetterArn);
  const input = optionalText(resource, 'Target.Input') ?? '{}';
  const maximumRetryAttempts = numberWithin(resource, 'Target.RetryPolicy.MaximumRetryAttempts', {
    minimum: 0,
    maximum: 185,
    byDefault: 185,
  });
  const maximumEventAgeSeconds = numberWithin(resource, 'Target.RetryPolicy.MaximumEventAgeInSeconds', {
    minimum: 60,
    maximum: 86_400,
    byDefault: 86_400,
  });
  const deliver = deliveryOf(resource, world, { target, input, send, roleArn, name });

  if (optionalText(resource, 'State') !== 'DISABLED') {
    let running: RunningSchedule | undefined;
    const { stackName, logicalId } = resource;
    world.schedules.push({ stackName, logicalId, scheduleName: name, fire: async () => running?.fire() });
    world.startLater(() => {
      running = startSchedule({
        expression,
        flexibleWindowMinutes,
        maximumRetryAttempts,
        maximumEventAgeSeconds,
        deliver: async () => {
          world.onEvent({ type: 'schedule', scheduleName: name, target });
          await deliver();
        },
        giveUp: async () => {
          if (deadLetterArn !== undefined) await send(deadLetterArn, input);
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

type Send = (queueArn: string, body: string) => Promise<void>;

/** Sends to a queue as the schedule's role, through the AWS endpoint, like the scheduler on AWS. */
function senderOf(
  resource: ResourceRequest,
  world: ScheduleWorld,
  roleArn: string,
  sessionName: string,
): Send {
  let client: SQSClient | undefined;
  return async (queueArn, body) => {
    const { SendMessageCommand, SQSClient: Client } = await import('@aws-sdk/client-sqs');
    client ??= new Client({
      region: world.region,
      endpoint: world.awsEndpoint,
      credentials: world.credentials.credentialsOf(roleArn, sessionName),
      maxAttempts: 1,
    });
    await client.send(
      new SendMessageCommand({ QueueUrl: requireQueue(resource, world, queueArn), MessageBody: body }),
    );
  };
}

function deliveryOf(
  resource: ResourceRequest,
  world: ScheduleWorld,
  schedule: {
    readonly target: string;
    readonly input: string;
    readonly send: Send;
    readonly roleArn: string;
    readonly name: string;
  },
): () => Promise<void> {
  const { target, input, send, roleArn, name } = schedule;
  if (target.startsWith('arn:aws:sqs:')) {
    requireQueue(resource, world, target);
    return () => send(target, input);
  }
  if (world.functionPool.find(target) === undefined)
    throw new ResourceError(resource, `Target.Arn ${target} is nothing of this app.`);
  const principal = { kind: 'role', roleArn, sessionName: name } as const;
  return async () => {
    const refusal = world.access.refusalOf({
      principal,
      action: 'lambda:InvokeFunction',
      resourceArn: target,
    });
    if (refusal !== undefined) throw new Error(refusal);
    const invocation = await world.functionPool.invoke(target, JSON.parse(input));
    if (invocation.kind !== 'success') throw new Error(`The function answered ${invocation.kind}.`);
  };
}

/** The url of a queue of this app. */
function requireQueue(resource: ResourceRequest, world: ScheduleWorld, queueArn: string): string {
  if (world.sqs.visibilityTimeoutSeconds(queueArn) === undefined) {
    throw new ResourceError(resource, `${queueArn} names no queue of this app.`);
  }
  return `${world.awsEndpoint}/${world.accountId}/${queueArn.split(':').at(-1)}`;
}
