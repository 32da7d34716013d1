import type { Patterns, Statement } from './statement.ts';

/** All policies of an app, compiled. */
export interface Policies {
  readonly accountId: string;
  readonly region: string;
  /** Identity-based policies by the ARN of the role. A role without any has an entry, too. */
  readonly identity: ReadonlyMap<string, readonly Statement[]>;
  /** Permissions boundaries by the ARN of the role. */
  readonly boundaries: ReadonlyMap<string, readonly Statement[]>;
  /** Resource-based policies by the ARN of the resource. The trust policy of a role is that of the role. */
  readonly resources: ReadonlyMap<string, readonly Statement[]>;
}

/** A statement, or one of its actions or resources. */
export interface PolicyPart {
  /** The statement's source. */
  readonly source: string;
  readonly action?: string;
  readonly resource?: string;
}

/** The parts of a policy set that can be taken away: each statement, and of those with several, each action and resource. */
export function partsOf(policies: Policies): readonly PolicyPart[] {
  return statementsOf(policies).flatMap(({ source, actions, resources }) => [
    { source },
    ...several(actions).map((action) => ({ source, action })),
    ...several(resources).map((resource) => ({ source, resource })),
  ]);
}

/** Every statement, once. */
function statementsOf({ identity, boundaries, resources }: Policies): readonly Statement[] {
  const bySource = new Map(
    [identity, boundaries, resources]
      .flatMap((policies) => [...policies.values()].flat())
      .map((statement) => [statement.source, statement]),
  );
  return [...bySource.values()];
}

/** The same policies with a part taken away. */
export function without(policies: Policies, part: PolicyPart): Policies {
  const stripped = (kind: ReadonlyMap<string, readonly Statement[]>): Map<string, readonly Statement[]> =>
    new Map(
      [...kind].map(([arn, statements]) => [arn, statements.flatMap((each) => withoutPart(each, part))]),
    );
  return {
    ...policies,
    identity: stripped(policies.identity),
    boundaries: stripped(policies.boundaries),
    resources: stripped(policies.resources),
  };
}

function withoutPart(statement: Statement, { source, action, resource }: PolicyPart): readonly Statement[] {
  if (statement.source !== source) return [statement];
  if (action !== undefined) return [{ ...statement, actions: withoutText(statement.actions, action) }];
  if (resource !== undefined)
    return [{ ...statement, resources: withoutText(statement.resources, resource) }];
  return [];
}

function several({ patterns }: Patterns): readonly string[] {
  return patterns.length > 1 ? patterns.map(({ text }) => text) : [];
}

function withoutText({ isNegated, patterns }: Patterns, text: string): Patterns {
  return { isNegated, patterns: patterns.filter((pattern) => pattern.text !== text) };
}
