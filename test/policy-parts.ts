import type { Policies } from '../local/iam/evaluate.ts';
import type { Patterns, Statement } from '../local/iam/policy.ts';

/** What a test removes to show that it is needed: a statement, or one of its actions or resources. */
export interface PolicyPart {
  readonly source: string;
  readonly action?: string;
  readonly resource?: string;
}

export function partsOf({ identity, boundaries, resources }: Policies): readonly PolicyPart[] {
  const bySource = new Map(
    [identity, boundaries, resources]
      .flatMap((policies) => [...policies.values()].flat())
      .map((statement) => [statement.source, statement]),
  );
  return [...bySource.values()].flatMap((statement) => [
    { source: statement.source },
    ...several(statement.actions).map((action) => ({ source: statement.source, action })),
    ...several(statement.resources).map((resource) => ({ source: statement.source, resource })),
  ]);
}

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
  if (action === undefined && resource === undefined) return [];
  return [
    {
      ...statement,
      actions: withoutText(statement.actions, action),
      resources: withoutText(statement.resources, resource),
    },
  ];
}

function several({ patterns }: Patterns): readonly string[] {
  return patterns.length > 1 ? patterns.map(({ text }) => text) : [];
}

function withoutText({ isNegated, patterns }: Patterns, text: string | undefined): Patterns {
  return { isNegated, patterns: patterns.filter((pattern) => pattern.text !== text) };
}
