import { beforeAll, describe, expect, test } from '@jest/globals';
import { type App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks, type IApplyRule, NagRuleCompliance, ServerlessChecks } from 'cdk-nag';
import type { IConstruct } from 'constructs';
import { constructTree } from './construct-tree.ts';
import { stages } from './templates.ts';

/**
 * Goal: what AWS's rule packs find is fixed, or acknowledged next to the construct with a reason; and no acknowledgement
 * outlives its finding, or covers more than that construct.
 * Method: both packs over the construct tree of every stage, once with acknowledgements and once without.
 */

interface Finding {
  readonly rule: string;
  readonly path: string;
}

interface Acknowledgement extends Finding {
  readonly reason: string;
}

describe.each(stages)('in the %s stage', (stage) => {
  let app: App;
  let findings: Finding[];
  let acknowledgements: Acknowledgement[];

  beforeAll(async () => {
    ({ app } = await constructTree(stage));
    findings = [new RawAwsSolutions(), new RawServerless()].flatMap((pack) => {
      pack.validateScope(app);
      return pack.findings;
    });
    acknowledgements = app.node.findAll().flatMap(acknowledgementsOf);
  });

  test.each([
    ['AwsSolutions', AwsSolutionsChecks],
    ['Serverless', ServerlessChecks],
  ])('%s finds nothing that is not acknowledged', (_name, Pack) => {
    const { violations } = new Pack().validateScope(app);
    expect(
      violations.flatMap(({ ruleName, description, violatingResources }) =>
        violatingResources.map((resource) => `${ruleName} at ${JSON.stringify(resource)}: ${description}`),
      ),
    ).toEqual([]);
  });

  test('every acknowledgement has a finding at its construct, and gives a reason', () => {
    expect(findings.length).toBeGreaterThan(20);
    expect(acknowledgements.length).toBeGreaterThan(20);
    for (const { rule, path, reason } of acknowledgements) {
      const met = findings.filter(
        (finding) => finding.rule === rule && `${finding.path}/`.startsWith(`${path}/`),
      );
      // One resource each: an acknowledgement of a whole stack or API would cover what is added later.
      expect([path, rule, met.length]).toEqual([path, rule, 1]);
      expect([rule, reason.length > 80 && reason.endsWith('.')]).toEqual([rule, true]);
    }
  });
});

class RawAwsSolutions extends AwsSolutionsChecks {
  readonly findings: Finding[] = [];
  protected override applyRule(params: IApplyRule): void {
    this.findings.push(...findingsOf(this.packName, params));
  }
}

class RawServerless extends ServerlessChecks {
  readonly findings: Finding[] = [];
  protected override applyRule(params: IApplyRule): void {
    this.findings.push(...findingsOf(this.packName, params));
  }
}

function findingsOf(pack: string, params: IApplyRule): Finding[] {
  const id = `${pack}-${params.ruleSuffixOverride ?? params.rule.name}`;
  const { path } = params.node.node;
  const result = params.rule(params.node);
  if (Array.isArray(result)) return result.map((finding) => ({ rule: `${id}[${finding}]`, path }));
  return result === NagRuleCompliance.NON_COMPLIANT ? [{ rule: id, path }] : [];
}

function acknowledgementsOf(construct: IConstruct): Acknowledgement[] {
  return construct.node.metadata
    .filter(({ type }) => type === Validations.ACKNOWLEDGED_RULES_METADATA_KEY)
    .flatMap(({ data }) => Object.entries(data as Record<string, string>))
    .map(([id, reason]) => ({ rule: id.replace(/^annotation::/i, ''), path: construct.node.path, reason }));
}
