import type { Access } from './access.ts';

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
