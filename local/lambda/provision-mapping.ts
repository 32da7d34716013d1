import { randomUUID } from 'node:crypto';
import type { CallAws } from '../endpoint/aws-call.ts';
import type { HostEvent } from '../events.ts';
import type { Access } from '../iam/access.ts';
import { compileQueueFilter, filterPatterns } from '../patterns/filter-criteria.ts';
import {
  numberWithin,
  optionalBoolean,
  optionalNumber,
  requiredText,
  ResourceError,
  textListAt,
  type Place,
  type Provision,
  type ResourceRequest,
  type StartLater,
} from '../template/index.ts';
import { startEventSourceMapping } from './event-source-mapping.ts';
import type { FunctionPool } from './function-pool.ts';
import { functionOf, type ProvisionedFunction } from './provision-function.ts';

export interface MappingWorld extends Place {
  readonly access: Access;
  readonly awsEndpoint: string;
  readonly callAs: (roleArn: string, sessionName: string) => CallAws;
  readonly functionPool: FunctionPool;
  readonly functions: ReadonlyMap<string, ProvisionedFunction>;
  readonly onEvent: (event: HostEvent) => void;
  readonly sqs: {
    readonly visibilityTimeoutSeconds: (queueArn: string) => number | undefined;
    readonly deadLetter: (queueArn: string, receiptHandles: readonly string[]) => void;
  };
  readonly startLater: StartLater;
}

const POLLERS = 5;
/** More pollers than workers would only hold messages that wait for one. */
const MAXIMUM_POLLERS = 10;
const POLLER_SESSION = 'event-source-mapping';
/** What Lambda's pollers do as the function's role. Source: Lambda developer guide, "Using Lambda with Amazon SQS". */
const POLLER_ACTIONS = ['ReceiveMessage', 'DeleteMessage', 'GetQueueAttributes'] as const;

/** AWS::Lambda::EventSourceMapping, for SQS. Refuses what Lambda refuses at creation. */
export const provisionEventSourceMapping: Provision<MappingWorld> = (resource, world) => {
  const definition = functionOf(resource, world);
  const queueArn = requiredText(resource, 'EventSourceArn');
  const queueName = queueArn.split(':').at(-1) ?? '';
  const visibilityTimeoutSeconds = world.sqs.visibilityTimeoutSeconds(queueArn);
  if (visibilityTimeoutSeconds === undefined) {
    throw new ResourceError(resource, `EventSourceArn ${queueArn} names no queue of this app.`);
  }
  if (definition.timeoutSeconds > visibilityTimeoutSeconds) {
    throw new ResourceError(
      resource,
      `Queue visibility timeout: ${visibilityTimeoutSeconds} seconds is less than ` +
        `Function timeout: ${definition.timeoutSeconds} seconds. Raise the one or lower the other.`,
    );
  }
  const batchSize = numberWithin(resource, 'BatchSize', { minimum: 1, maximum: 10_000, byDefault: 10 });
  const windowSeconds = numberWithin(resource, 'MaximumBatchingWindowInSeconds', {
    minimum: 0,
    maximum: 300,
    byDefault: 0,
  });
  if (batchSize > 10 && windowSeconds < 1) {
    throw new ResourceError(
      resource,
      `BatchSize ${batchSize} is over 10, which needs MaximumBatchingWindowInSeconds of at least 1.`,
    );
  }
  const { roleArn } = definition.credentials;
  for (const action of POLLER_ACTIONS) {
    const principal = { kind: 'role', roleArn, sessionName: POLLER_SESSION } as const;
    const refusal = world.access.refusalOf({ principal, action: `sqs:${action}`, resourceArn: queueArn });
    if (refusal !== undefined) {
      throw new ResourceError(
        resource,
        `The provided execution role does not have permissions to call ${action} on SQS. (${refusal})`,
      );
    }
  }
  const patterns = filterPatterns(resource, 'FilterCriteria', compileQueueFilter);
  const pollers = pollersOf(resource);
  const responseTypes = textListAt(resource, 'FunctionResponseTypes');
  const unknown = responseTypes.find((type) => type !== 'ReportBatchItemFailures');
  if (unknown !== undefined) throw new ResourceError(resource, `FunctionResponseTypes has no ${unknown}.`);

  if (optionalBoolean(resource, 'Enabled') !== false) {
    world.startLater(() =>
      startEventSourceMapping({
        queueName,
        queueUrl: `${world.awsEndpoint}/${world.accountId}/${queueName}`,
        queueArn,
        functionName: definition.functionName,
        functionArn: definition.functionArn,
        batchSize,
        windowSeconds,
        pollers,
        reportsBatchItemFailures: responseTypes.length > 0,
        patterns,
        region: world.region,
        callAws: world.callAs(roleArn, POLLER_SESSION),
        invoke: (functionArn, event, cause) => world.functionPool.invoke(functionArn, event, cause),
        ...(definition.allowsRecursion === true
          ? {}
          : { deadLetter: (receiptHandles) => world.sqs.deadLetter(queueArn, receiptHandles) }),
        onEvent: world.onEvent,
      }),
    );
  }
  const id = randomUUID();
  const arn = `arn:aws:lambda:${world.region}:${world.accountId}:event-source-mapping:${id}`;
  return { ref: id, attributes: { Id: id, EventSourceMappingArn: arn } };
};

function pollersOf(resource: ResourceRequest): number {
  if (optionalNumber(resource, 'ScalingConfig.MaximumConcurrency') === undefined) return POLLERS;
  const maximumConcurrency = numberWithin(resource, 'ScalingConfig.MaximumConcurrency', {
    minimum: 2,
    maximum: 1000,
    byDefault: POLLERS,
  });
  return Math.min(maximumConcurrency, MAXIMUM_POLLERS);
}
