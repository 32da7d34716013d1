import { mayWriteTo, type Access } from '../iam/index.ts';
import { logGroupName, type FunctionDefinition } from './function-definition.ts';

/**
 * Whether a function's lines reach its log group. Where its role may not write them, the function still runs, as on AWS,
 * and nobody ever reads them.
 *
 * Source: Lambda developer guide, "Sending Lambda function logs to CloudWatch Logs", and the Service Authorization
 * Reference for CloudWatch Logs.
 *
 * @param hasLogGroup whether the app makes a group; any other Lambda makes with the first line, if the role may
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
