import { randomUUID } from 'node:crypto';
import { compileQueueFilter, filterPatterns } from '../patterns/index.ts';
import {
  numberWithin,
  optionalBoolean,
  optionalNumber,
  requiredText,
  ResourceError,
  textListAt,
  type Provision,
  type ResourceRequest,
  type StartLater,
} from '../template/index.ts';
import { startEventSourceMapping, type EventSourceMappingOptions } from './event-source-mapping.ts';
import type { FunctionDefinition } from './function-definition.ts';
import { functionOf, type FunctionWorld } from './provision-function.ts';

export interface MappingWorld extends FunctionWorld {
  readonly awsEndpoint: string;
  readonly callAs: (roleArn: string, sessionName: string) => EventSourceMappingOptions['callAws'];
  readonly idleMappings: readonly string[];
  readonly onEvent: EventSourceMappingOptions['onEvent'];
  readonly sqs: {
    readonly visibilityTimeoutSeconds: (queueArn: string) => number | undefined;
    readonly deadLetter: (queueArn: string, receiptHandles: readonly string[]) => void;
  };
  readonly startLater: StartLater;
}

const POLLERS = 5;
/** More pollers than workers would only hold messages that wait for a worker. */
const MAXIMUM_POLLERS = 10;
const POLLER_SESSION = 'event-source-mapping';
/** What pollers do as the function's role. Source: Lambda developer guide, "Using Lambda with Amazon SQS". */
const POLLER_ACTIONS = ['ReceiveMessage', 'DeleteMessage', 'GetQueueAttributes'] as const;

/** Refuses what Lambda refuses at creation. */
export const provisionEventSourceMapping: Provision<MappingWorld> = (resource, world) => {
  const definition = functionOf(resource, world.functionPool);
  const { functionName, functionArn, allowsRecursion } = definition;
  const { roleArn } = definition.credentials;
  const queueArn = requiredText(resource, 'EventSourceArn');
  const queueName = queueArn.split(':').at(-1) ?? '';
  requireTimeout(resource, definition, world.sqs.visibilityTimeoutSeconds(queueArn));
  const batching = batchingOf(resource);
  requirePollerAccess(resource, world, roleArn, queueArn);
  const options: EventSourceMappingOptions = {
    ...batching,
    queueName,
    queueUrl: `${world.awsEndpoint}/${world.accountId}/${queueName}`,
    queueArn,
    functionName,
    functionArn,
    patterns: filterPatterns(resource, 'FilterCriteria', compileQueueFilter),
    pollers: pollersOf(resource),
    reportsBatchItemFailures: reportsBatchItemFailures(resource),
    region: world.region,
    callAws: world.callAs(roleArn, POLLER_SESSION),
    invoke: (...invocation) => world.functionPool.invoke(...invocation),
    ...(allowsRecursion === true
      ? {}
      : { deadLetter: (receiptHandles) => world.sqs.deadLetter(queueArn, receiptHandles) }),
    onEvent: world.onEvent,
  };
  const isIdle = world.idleMappings.some((beginning) => resource.logicalId.startsWith(beginning));
  if (optionalBoolean(resource, 'Enabled') !== false && !isIdle) {
    world.startLater(() => startEventSourceMapping(options));
  }
  const id = randomUUID();
  const arn = `arn:aws:lambda:${world.region}:${world.accountId}:event-source-mapping:${id}`;
  return { ref: id, attributes: { Id: id, EventSourceMappingArn: arn } };
};

function requireTimeout(
  resource: ResourceRequest,
  { timeoutSeconds }: FunctionDefinition,
  visibilityTimeoutSeconds: number | undefined,
): void {
  if (visibilityTimeoutSeconds === undefined) {
    const queueArn = requiredText(resource, 'EventSourceArn');
    throw new ResourceError(resource, `EventSourceArn ${queueArn} names no queue of this app.`);
  }
  if (timeoutSeconds <= visibilityTimeoutSeconds) return;
  throw new ResourceError(
    resource,
    `Queue visibility timeout: ${visibilityTimeoutSeconds} seconds is less than ` +
      `Function timeout: ${timeoutSeconds} seconds. Raise the one or lower the other.`,
  );
}

function batchingOf(resource: ResourceRequest): {
  readonly batchSize: number;
  readonly windowSeconds: number;
} {
  const batchSize = numberWithin(resource, 'BatchSize', { minimum: 1, maximum: 10_000, byDefault: 10 });
  const windowLimits = { minimum: 0, maximum: 300, byDefault: 0 };
  const windowSeconds = numberWithin(resource, 'MaximumBatchingWindowInSeconds', windowLimits);
  if (batchSize <= 10 || windowSeconds >= 1) return { batchSize, windowSeconds };
  throw new ResourceError(
    resource,
    `BatchSize ${batchSize} is over 10, which needs MaximumBatchingWindowInSeconds of at least 1.`,
  );
}

function requirePollerAccess(
  resource: ResourceRequest,
  { access }: MappingWorld,
  roleArn: string,
  queueArn: string,
): void {
  const principal = { kind: 'role', roleArn, sessionName: POLLER_SESSION } as const;
  for (const action of POLLER_ACTIONS) {
    const refusal = access.refusalOf({ principal, action: `sqs:${action}`, resourceArn: queueArn });
    if (refusal === undefined) continue;
    throw new ResourceError(
      resource,
      `The provided execution role does not have permissions to call ${action} on SQS. (${refusal})`,
    );
  }
}

function reportsBatchItemFailures(resource: ResourceRequest): boolean {
  const responseTypes = textListAt(resource, 'FunctionResponseTypes');
  const unknown = responseTypes.find((type) => type !== 'ReportBatchItemFailures');
  if (unknown !== undefined) throw new ResourceError(resource, `FunctionResponseTypes has no ${unknown}.`);
  return responseTypes.length > 0;
}

function pollersOf(resource: ResourceRequest): number {
  if (optionalNumber(resource, 'ScalingConfig.MaximumConcurrency') === undefined) return POLLERS;
  const maximumConcurrency = numberWithin(resource, 'ScalingConfig.MaximumConcurrency', {
    minimum: 2,
    maximum: 1000,
    byDefault: POLLERS,
  });
  return Math.min(maximumConcurrency, MAXIMUM_POLLERS);
}
