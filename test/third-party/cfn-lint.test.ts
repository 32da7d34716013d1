import { expect, test } from '@jest/globals';
import { type StageTemplates, stageTemplates } from '../stack/stage-templates.ts';
import { stages } from '../stack/templates.ts';
import { describeJudge } from './judges/judge.ts';
import { HOW_TO_INSTALL, pythonCommand } from './judges/programs.mjs';
import { type Finding, lint } from './templates/cfn-lint.ts';

/**
 * Goal: the templates of every stage keep CloudFormation's resource schemas and cfn-lint's own rules.
 * Method: all its errors and warnings in all templates. A finding that is not listed fails, and so does one that is listed and not found.
 */

/** Warnings of CDK's own making. */
const LISTED: readonly {
  readonly rule: string;
  readonly type: string;
  readonly path: RegExp;
  readonly message: RegExp;
  readonly reason: string;
}[] = [
  {
    rule: 'W3005',
    type: 'AWS::Lambda::Function',
    path: /^DependsOn\.\d+$/,
    message: /^'\w+Role\w+' dependency already enforced by a 'GetAtt' at 'Resources\/\w+\/Properties\/Role'$/,
    reason:
      'CDK lets a function depend on its role, for the policies of the role; its Role property says so too',
  },
];

const needs = pythonCommand('cfn-lint') === undefined ? HOW_TO_INSTALL : undefined;

describeJudge('cfn-lint', needs, (tally) => {
  test('finds nothing in the templates of any stage that is not listed', async () => {
    const apps: StageTemplates[] = [];
    for (const stage of stages) apps.push(await stageTemplates(stage));
    const findings = await lint(apps.map(({ folder }) => folder));

    expect(findings.filter((finding) => listedReason(finding) === undefined)).toEqual([]);
    const reasons = new Map(
      findings.map((finding) => [`${finding.file} ${finding.logicalId}`, String(listedReason(finding))]),
    );
    expect(new Set(reasons.values())).toEqual(new Set(LISTED.map(({ reason }) => reason)));
    for (const reason of reasons.values()) tally.differ(reason);
    tally.agree(apps.flatMap(({ resources }) => resources).length - reasons.size);
  });
});

function listedReason({ rule, type, path, message }: Finding): string | undefined {
  return LISTED.find(
    (each) => each.rule === rule && each.type === type && each.path.test(path) && each.message.test(message),
  )?.reason;
}
