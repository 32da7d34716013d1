import { sessionArn, type RoleSession } from '../endpoint/index.ts';
import type { RequestContext } from './condition.ts';
import type { Patterns, PrincipalPattern, Statement } from './policy.ts';

export interface Policies {
  readonly accountId: string;
  readonly region: string;
  /** By the role's ARN. A role without policies has an entry too. */
  readonly identity: ReadonlyMap<string, readonly Statement[]>;
  readonly boundaries: ReadonlyMap<string, readonly Statement[]>;
  /** By the resource's ARN. For a role, this is its trust policy. */
  readonly resources: ReadonlyMap<string, readonly Statement[]>;
}

export type Principal =
  | ({ readonly kind: 'role' } & RoleSession)
  | {
      readonly kind: 'service';
      readonly service: string;
      readonly sourceArn: string;
    };

export interface AccessRequest {
  readonly principal: Principal;
  readonly action: string;
  /** `*` for an action without a resource. */
  readonly resourceArn: string;
  /** Over TLS. @default true, for every call to the host */
  readonly isSecure?: boolean;
}

interface Denial {
  readonly isAllowed: false;
  /** The policy that denies, or that would have to allow. */
  readonly policyType: 'identity-based policy' | 'resource-based policy' | 'permissions boundary';
  readonly isExplicit: boolean;
}

export type Decision = { readonly isAllowed: true } | Denial;

/**
 * A Deny anywhere wins. A role needs an identity-based policy, or a resource-based one that names it; its permissions
 * boundary must allow the request too. A service needs a resource-based policy. Source: IAM user guide, "Policy
 * evaluation logic".
 */
export function evaluate(policies: Policies, request: AccessRequest): Decision {
  const { principal, action, resourceArn } = request;
  const context = contextOf(policies, request);
  const applicable = (statements: readonly Statement[] = []): readonly Statement[] =>
    statements.filter(
      (statement) =>
        includes(statement.actions, action) &&
        includes(statement.resources, resourceArn) &&
        (statement.principals === undefined ||
          statement.principals.some((each) => names(each, principal, statement))) &&
        statement.conditions.every((holds) => holds(context)),
    );
  const roleArn = principal.kind === 'role' ? principal.roleArn : undefined;
  const identity = applicable(policies.identity.get(roleArn ?? ''));
  const boundaryPolicy = policies.boundaries.get(roleArn ?? '');
  const boundary = applicable(boundaryPolicy);
  const resource = applicable(policies.resources.get(holderOf(resourceArn)));

  for (const [statements, policyType] of [
    [identity, 'identity-based policy'],
    [resource, 'resource-based policy'],
    [boundary, 'permissions boundary'],
  ] as const) {
    if (statements.some(({ effect }) => effect === 'Deny')) {
      return { isAllowed: false, policyType, isExplicit: true };
    }
  }
  if (resource.length === 0 && identity.length === 0) {
    const policyType = roleArn === undefined ? 'resource-based policy' : 'identity-based policy';
    return { isAllowed: false, policyType, isExplicit: false };
  }
  if (boundaryPolicy !== undefined && boundary.length === 0) {
    return { isAllowed: false, policyType: 'permissions boundary', isExplicit: false };
  }
  return { isAllowed: true };
}

/**
 * SQS writes actions in lower case; API Gateway hides the connection, the reason and most of the account. Source: IAM
 * user guide, "Troubleshoot access denied error messages".
 */
export function deniedMessage({ principal, action, resourceArn }: AccessRequest, denial: Denial): string {
  const who =
    principal.kind === 'role' ? `User: ${sessionArn(principal)}` : `Resource: ${principal.sourceArn}`;
  if (action.startsWith('execute-api:')) {
    const masked = resourceArn
      .replace(/:\d{8}(\d{4}):/, ':********$1:')
      .replace(/@connections\/.*$/, '@connections/{connectionId}');
    return `${who} is not authorized to perform: ${action} on resource: ${masked}`;
  }
  const named = action.startsWith('sqs:') ? action.toLowerCase() : action;
  const article = denial.policyType === 'identity-based policy' ? 'an' : 'a';
  const reason = denial.isExplicit
    ? `with an explicit deny in ${article} ${denial.policyType}`
    : `because no ${denial.policyType} allows the ${named} action`;
  return `${who} is not authorized to perform: ${named} on resource: ${resourceArn} ${reason}`;
}

function includes({ isNegated, patterns }: Patterns, text: string): boolean {
  return patterns.some(({ matches }) => matches(text)) !== isNegated;
}

function names(pattern: PrincipalPattern, principal: Principal, { effect }: Statement): boolean {
  if (pattern.kind === 'everyone') return true;
  if (principal.kind === 'service') {
    return pattern.kind === 'service' && principal.service === pattern.service;
  }
  if (pattern.kind === 'service') return false;
  if (pattern.kind === 'arn') return [principal.roleArn, sessionArn(principal)].includes(pattern.arn);
  return effect === 'Deny' && accountOf(principal.roleArn) === pattern.accountId;
}

/** A table's policy covers its indexes, and a function's its versions. */
function holderOf(resourceArn: string): string {
  if (resourceArn.startsWith('arn:aws:dynamodb:')) return resourceArn.replace(/\/index\/.*$/, '');
  if (resourceArn.startsWith('arn:aws:lambda:')) return resourceArn.split(':').slice(0, 7).join(':');
  return resourceArn;
}

function contextOf(
  { accountId, region }: Policies,
  { principal, isSecure = true }: AccessRequest,
): RequestContext {
  const common = {
    'aws:securetransport': String(isSecure),
    'aws:resourceaccount': accountId,
    'aws:requestedregion': region,
    'aws:principalisawsservice': String(principal.kind === 'service'),
  };
  if (principal.kind === 'role') {
    return {
      ...common,
      'aws:principalarn': principal.roleArn,
      'aws:principalaccount': accountOf(principal.roleArn),
    };
  }
  const { service, sourceArn } = principal;
  return {
    ...common,
    'aws:principalservicename': service,
    'aws:sourcearn': sourceArn,
    'aws:sourceaccount': accountOf(sourceArn),
  };
}

function accountOf(arn: string): string {
  return arn.split(':')[4] ?? '';
}
