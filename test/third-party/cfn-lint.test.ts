import { rmSync } from 'node:fs';
import { afterAll, expect, test } from '@jest/globals';
import { RESOURCE_TYPES } from '../../local/services.ts';
import {
  editedAssembly,
  type TemplateEdit,
  type UnknownProperty,
  withUnknownProperties,
} from '../end-to-end/edited-assembly.ts';
import { stages, stageTemplates, synthesized, type StageTemplates } from '../stack/templates.ts';
import { describeJudge } from './judges/judge.ts';
import { HOW_TO_INSTALL, pythonCommand } from './judges/programs.mjs';
import { type Finding, lint } from './templates/cfn-lint.ts';
import { cloudFormationSchemas } from './templates/schemas.ts';

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

const folders: string[] = [];

afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true });
});

/** What cfn-lint finds in the app with that edit: `<logical id> <path of the property>`. */
async function findingsWith(edit: TemplateEdit): Promise<ReadonlySet<string>> {
  const assembly = editedAssembly(await synthesized('sandbox'), [edit]);
  folders.push(assembly);
  const errors = (await lint([assembly])).filter(({ rule }) => rule.startsWith('E'));
  return new Set(errors.map(({ logicalId, path }) => `${logicalId} ${path.replace('Properties.', '')}`));
}

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

  test('refuses what the host refuses: a property that CloudFormation does not know, wherever it stands', async () => {
    const added: UnknownProperty[] = [];
    const found = await findingsWith(withUnknownProperties((property) => added.push(property)));
    const missed = added.filter(({ logicalId, path }) => !found.has(`${logicalId} ${dotted(path)}`));
    expect(missed.filter(({ path }) => !/KeySchema\[\d\]\.Colour$/.test(path))).toEqual([]);
    expect(missed).not.toEqual([]);
    for (const _ of missed)
      tally.differ('cfn-lint looks at the names and values that a key needs, not for others');
    tally.agree(added.length - missed.length);
  });

  test('refuses a value that a property does not take, wherever CloudFormation lists the values', async () => {
    const schemaOf = cloudFormationSchemas();
    const changed: string[] = [];
    const found = await findingsWith((resources) => {
      for (const [logicalId, { Type, Properties }] of Object.entries(resources)) {
        const known = schemaOf(Type);
        changeTexts(Properties, '', (path) => {
          const isListed = known.get(path.replaceAll(/\[\d+\]/g, '[]'))?.values !== undefined;
          if (isListed) changed.push(`${logicalId} ${dotted(path)}`);
          return isListed;
        });
      }
      return true;
    });
    expect(changed.filter((place) => !found.has(place))).toEqual([]);
    expect(changed.length).toBeGreaterThan(100);
    tally.agree(changed.length);
  });

  test('knows each property that the host lists, and none below those that the host takes', () => {
    const schemaOf = cloudFormationSchemas();
    const wrong: string[] = [];
    for (const [type, { properties }] of Object.entries(RESOURCE_TYPES)) {
      const known = schemaOf(type);
      for (const [path, { kind }] of Object.entries(properties)) {
        // A map from routes to settings, of which the schema says no more than that it is an object.
        if (type === 'AWS::ApiGatewayV2::Stage' && path.startsWith('RouteSettings.*.')) continue;
        const below = [...known.keys()].filter(
          (each) => /^(\[\])*\./.test(each.replace(path, '')) && each.startsWith(path),
        );
        if (!known.has(path)) wrong.push(`${type} has no ${path}`);
        else if (kind !== 'refused' && below.length > 0)
          wrong.push(`${type} ${path} has ${below.join(', ')}`);
        else tally.agree();
      }
    }
    expect(wrong).toEqual([]);
  });
});

/** Changes the texts for which `isChanged`, in place. */
function changeTexts(
  holder: Record<string, unknown> | unknown[],
  path: string,
  isChanged: (path: string) => boolean,
): void {
  for (const [key, value] of Object.entries(holder)) {
    const place = Array.isArray(holder) ? `${path}[${key}]` : path === '' ? key : `${path}.${key}`;
    if (typeof value === 'string' && isChanged(place)) Object.assign(holder, { [key]: 'Colour' });
    else if (typeof value === 'object' && value !== null)
      changeTexts(value as Record<string, unknown>, place, isChanged);
  }
}

/** `Tags[0].Key` as cfn-lint has it. */
function dotted(path: string): string {
  return path.replaceAll(/\[(\d+)\]/g, '.$1');
}

function listedReason({ rule, type, path, message }: Finding): string | undefined {
  return LISTED.find(
    (each) => each.rule === rule && each.type === type && each.path.test(path) && each.message.test(message),
  )?.reason;
}
