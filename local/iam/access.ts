import type { Authorize } from '../endpoint/aws-endpoint.ts';
import type { HostEvent } from '../events.ts';
import { deniedMessage } from './access-denied.ts';
import { neededAccess } from './call-access.ts';
import { evaluate, type AccessRequest, type Principal } from './evaluate.ts';
import type { Policies } from './policies.ts';
import type { Statement } from './statement.ts';

/** What an app's policies allow, and where they are put together. */
export interface Access {
  readonly policies: Policies;
  readonly addRole: (roleArn: string) => void;
  readonly hasRole: (roleArn: string) => boolean;
  /** Identity-based, of a role. */
  readonly attach: (roleArn: string, statements: readonly Statement[]) => void;
  readonly setBoundary: (roleArn: string, statements: readonly Statement[]) => void;
  /** Resource-based, of whatever has an ARN; the trust policy of a role. */
  readonly attachToResource: (resourceArn: string, statements: readonly Statement[]) => void;
  /** @returns AWS's message where the request is refused. */
  readonly refusalOf: (request: AccessRequest) => string | undefined;
  /** For the AWS endpoint. An operator may do everything. */
  readonly authorize: Authorize;
  /** The requests that were decided upon, each once, in the order of the first time; the first 20,000. */
  readonly requests: () => readonly AccessRequest[];
}

/** More than an app has roles, actions and resources; connections of WebSocket APIs come and go. */
const MAXIMUM_DECISIONS = 20_000;

/** Keeps an app's policies and decides by them; the same request is evaluated once. */
export function createAccess(
  place: { readonly accountId: string; readonly region: string },
  onEvent: (event: HostEvent) => void,
): Access {
  const identity = new Map<string, readonly Statement[]>();
  const boundaries = new Map<string, readonly Statement[]>();
  const resources = new Map<string, readonly Statement[]>();
  const policies: Policies = { ...place, identity, boundaries, resources };
  const decided = new Map<string, { readonly refusal: string | undefined }>();
  const requests = new Map<string, AccessRequest>();

  const add = (
    map: Map<string, readonly Statement[]>,
    arn: string,
    statements: readonly Statement[],
  ): void => {
    map.set(arn, [...(map.get(arn) ?? []), ...statements]);
    // What was refused while the app was being made may be allowed now.
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
    addRole: (roleArn) => add(identity, roleArn, []),
    hasRole: (roleArn) => identity.has(roleArn),
    attach: (roleArn, statements) => add(identity, roleArn, statements),
    setBoundary: (roleArn, statements) => add(boundaries, roleArn, statements),
    attachToResource: (resourceArn, statements) => add(resources, resourceArn, statements),
    refusalOf,
    authorize: (call) => {
      if (call.caller.kind === 'operator') return { allowed: true };
      for (const { action, resourceArn } of neededAccess(call, place)) {
        const message = refusalOf({ principal: call.caller, action, resourceArn });
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
