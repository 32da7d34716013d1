import type { FunctionDefinition } from '../lambda/function-definition.ts';
import { logGroupName } from '../lambda/function-environment.ts';
import type { Access } from './access.ts';

/**
 * Whether a function's lines reach its log group. Where its role may not write them, the function runs on AWS all the
 * same, and nobody ever reads them.
 *
 * Source: Lambda developer guide, "Sending Lambda function logs to CloudWatch Logs", and the Service Authorization
 * Reference for CloudWatch Logs.
 *
 * @param hasLogGroup a group that the app does not make, Lambda makes with the first line, if the role may
 */
export function mayWriteLogs(
  access: Pick<Access, 'refusalOf'>,
  definition: FunctionDefinition,
  hasLogGroup: (name: string) => boolean,
): boolean {
  const { functionArn, functionName } = definition;
  const group = logGroupName(definition);
  const [, , , region, accountId] = functionArn.split(':');
  const groupArn = `arn:aws:logs:${region}:${accountId}:log-group:${group}`;
  return mayWriteTo(access, definition.credentials, {
    groupArn,
    streamName: `${functionName}[$LATEST]`,
    isThere: hasLogGroup(group),
  });
}

/** Whether a role may write to a stream of a log group, and make the group if it is not there. */
export function mayWriteTo(
  access: Pick<Access, 'refusalOf'>,
  role: { readonly roleArn: string; readonly sessionName: string },
  log: { readonly groupArn: string; readonly streamName: string; readonly isThere: boolean },
): boolean {
  const { roleArn, sessionName } = role;
  const principal = { kind: 'role', roleArn, sessionName } as const;
  const streamArn = `${log.groupArn}:log-stream:${log.streamName}`;
  const needed = [
    ...(log.isThere ? [] : [['logs:CreateLogGroup', `${log.groupArn}:*`] as const]),
    ['logs:CreateLogStream', streamArn] as const,
    ['logs:PutLogEvents', streamArn] as const,
  ];
  return needed.every(
    ([action, resourceArn]) => access.refusalOf({ principal, action, resourceArn }) === undefined,
  );
}
