import type { Authorize, RoleSession } from '../endpoint/index.ts';
import { deniedMessage, evaluate, type AccessRequest, type Policies, type Principal } from './evaluate.ts';
import type { Statement } from './policy.ts';

/** In AWS's words. Each denial is told once. */
export interface AccessDeniedEvent {
  readonly type: 'access-denied';
  readonly message: string;
}

export interface Access {
  readonly policies: Policies;
  readonly addRole: (roleArn: string) => void;
  readonly hasRole: (roleArn: string) => boolean;
  readonly attach: (roleArn: string, statements: readonly Statement[]) => void;
  readonly setBoundary: (roleArn: string, statements: readonly Statement[]) => void;
  /** A role's trust policy counts as its resource-based policy. */
  readonly attachToResource: (resourceArn: string, statements: readonly Statement[]) => void;
  /** @returns AWS's message where the request is refused */
  readonly refusalOf: (request: AccessRequest) => string | undefined;
  readonly authorize: Authorize;
  /** The first 20,000 distinct requests, in order. */
  readonly requests: () => readonly AccessRequest[];
}

/** More than an app has roles, actions and resources. WebSocket connections come and go. */
const MAXIMUM_DECISIONS = 20_000;

export function createAccess(
  place: Pick<Policies, 'accountId' | 'region'>,
  onEvent: (event: AccessDeniedEvent) => void,
): Access {
  const identity = new Map<string, readonly Statement[]>();
  const boundaries = new Map<string, readonly Statement[]>();
  const resources = new Map<string, readonly Statement[]>();
  const policies: Policies = { ...place, identity, boundaries, resources };
  const decided = new Map<string, { readonly refusal: string | undefined }>();
  const requests = new Map<string, AccessRequest>();

  const addTo =
    (map: Map<string, readonly Statement[]>) =>
    (arn: string, statements: readonly Statement[]): void => {
      map.set(arn, [...(map.get(arn) ?? []), ...statements]);
      // A new policy may allow what was refused.
      decided.clear();
    };

  const refusalOf = (request: AccessRequest): string | undefined => {
    const key = `${keyOf(request.principal)} ${request.action} ${request.resourceArn}`;
    const known = decided.get(key);
    if (known !== undefined) return known.refusal;
    const decision = evaluate(policies, request);
    const refusal = decision.isAllowed ? undefined : deniedMessage(request, decision);
    if (decided.size >= MAXIMUM_DECISIONS) decided.clear();
    decided.set(key, { refusal });
    if (requests.size < MAXIMUM_DECISIONS) requests.set(key, request);
    if (refusal !== undefined) onEvent({ type: 'access-denied', message: refusal });
    return refusal;
  };

  return {
    policies,
    addRole: (roleArn) => addTo(identity)(roleArn, []),
    hasRole: (roleArn) => identity.has(roleArn),
    attach: addTo(identity),
    setBoundary: addTo(boundaries),
    attachToResource: addTo(resources),
    refusalOf,
    authorize: (call, neededAccess) => {
      if (call.caller.kind === 'operator') return { allowed: true };
      for (const needed of neededAccess(call, place)) {
        const message = refusalOf({ principal: call.caller, ...needed });
        if (message !== undefined) return { allowed: false, message };
      }
      return { allowed: true };
    },
    requests: () => [...requests.values()],
  };
}

function keyOf(principal: Principal): string {
  return principal.kind === 'role'
    ? `${principal.roleArn} ${principal.sessionName}`
    : `${principal.service} ${principal.sourceArn}`;
}

/** Source: Service Authorization Reference for CloudWatch Logs. */
export function mayWriteTo(
  access: Pick<Access, 'refusalOf'>,
  { roleArn, sessionName }: RoleSession,
  log: { readonly groupArn: string; readonly streamName: string; readonly isThere: boolean },
): boolean {
  const principal = { kind: 'role', roleArn, sessionName } as const;
  const streamArn = `${log.groupArn}:log-stream:${log.streamName}`;
  const needed = [
    ...(log.isThere ? [] : [{ action: 'logs:CreateLogGroup', resourceArn: `${log.groupArn}:*` }]),
    { action: 'logs:CreateLogStream', resourceArn: streamArn },
    { action: 'logs:PutLogEvents', resourceArn: streamArn },
  ];
  return needed.every((each) => access.refusalOf({ principal, ...each }) === undefined);
}
