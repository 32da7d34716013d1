import { readdirSync, readFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { apiNameOf } from '../../lib/stage-names.ts';
import { referencesIn } from './references.ts';
import { stackNamesOf, stages, stageTemplates, type StageTemplates } from './templates.ts';

/**
 * Goal: a name or a size that AWS would refuse, minutes into a deployment, fails here.
 * Method: loops over all templates of all stages. Limits are from the quotas pages of CloudFormation's user guide and of
 * each service.
 */

describe.each(stages)('in the %s stage', (stage) => {
  let app: StageTemplates;

  beforeAll(async () => {
    app = await stageTemplates(stage);
  });

  test('templates are within what CloudFormation takes', () => {
    for (const [stackName, { Description = '', Resources, Outputs = {}, Parameters = {} }] of app.templates) {
      expect(stackName).toMatch(/^[A-Za-z][A-Za-z0-9-]{0,127}$/);
      expect(readFileSync(join(app.folder, `${stackName}.template.json`)).length).toBeLessThan(1_000_000);
      expect(Description).toMatch(/\S/);
      expect(Buffer.byteLength(Description)).toBeLessThanOrEqual(1024);
      expect(Object.keys(Resources).length).toBeLessThanOrEqual(500);
      expect(Object.keys(Outputs).length).toBeLessThanOrEqual(200);
      expect(Object.keys(Parameters).length).toBeLessThanOrEqual(200);
      for (const id of [...Object.keys(Resources), ...Object.keys(Outputs)]) {
        expect(id).toMatch(/^[A-Za-z0-9]{1,255}$/);
      }
      for (const name of app.exportsOf(stackName)) {
        expect(name).toMatch(/^[A-Za-z0-9:-]{1,255}$/);
        expect(name).toContain(`${stackName}:`);
      }
    }
  });

  test('functions are within what Lambda takes', () => {
    for (const { place, stackName, logicalId, Properties } of app.ofType('AWS::Lambda::Function')) {
      const { Variables = {} } = (Properties['Environment'] ?? {}) as { Variables?: Record<string, unknown> };
      const bytes = Object.entries(Variables).reduce(
        (sum, [name, value]) => sum + name.length + longestLength(value, stackName),
        0,
      );
      expect([place, bytes <= 4096]).toEqual([place, true]);
      expect(String(Properties['Description']).length).toBeLessThanOrEqual(256);
      const memory = Number(Properties['MemorySize']);
      expect([place, memory >= 128 && memory <= 10_240]).toEqual([place, true]);
      expect(Number(Properties['Timeout'])).toBeLessThanOrEqual(900);
      // Its resource policy may have 20 KB; a statement of CDK's has less than 500 bytes.
      const permissions = app
        .ofType('AWS::Lambda::Permission')
        .filter(
          (each) =>
            each.stackName === stackName &&
            referencesIn(each.Properties['FunctionName']).some(({ target }) => target === logicalId),
        );
      expect([place, permissions.length <= 40]).toEqual([place, true]);
    }
  });

  test('the policies of a role are within what IAM takes together', () => {
    for (const { place, stackName, logicalId, Properties } of app.ofType('AWS::IAM::Role')) {
      const policies = app
        .ofType('AWS::IAM::Policy')
        .filter(
          (policy) =>
            policy.stackName === stackName &&
            referencesIn(policy.Properties['Roles']).some(({ target }) => target === logicalId),
        );
      const documents = [
        ...policies.map((policy) => policy.Properties['PolicyDocument']),
        ...((Properties['Policies'] ?? []) as { PolicyDocument: unknown }[]).map(
          ({ PolicyDocument }) => PolicyDocument,
        ),
      ];
      const length = documents.reduce<number>((sum, each) => sum + longestLength(each, stackName), 0);
      const isManaged = 'ManagedPolicyArns' in Properties;
      expect([place, (isManaged || length > 100) && length <= 10_240]).toEqual([place, true]);
      expect(longestLength(Properties['AssumeRolePolicyDocument'], stackName)).toBeLessThanOrEqual(2048);
    }
  });

  test('tables, queues, alarms and APIs are within what their services take', () => {
    for (const { place, Properties } of app.ofType('AWS::DynamoDB::Table')) {
      const global = (Properties['GlobalSecondaryIndexes'] ?? []) as { Projection: object }[];
      const local = (Properties['LocalSecondaryIndexes'] ?? []) as { Projection: object }[];
      expect([place, global.length <= 20, local.length <= 5]).toEqual([place, true, true]);
      const projected = [...global, ...local].map(
        ({ Projection }) => (Projection as { NonKeyAttributes?: string[] }).NonKeyAttributes ?? [],
      );
      for (const names of projected) expect(new Set(names).size).toBe(names.length);
      expect(projected.every((names) => names.length <= 20)).toBe(true);
      expect(projected.flat().length).toBeLessThanOrEqual(100);
    }
    for (const { Properties } of app.ofType('AWS::SQS::Queue')) {
      expect(Number(Properties['VisibilityTimeout'] ?? 30)).toBeLessThanOrEqual(43_200);
    }
    for (const { Properties } of app.ofType('AWS::CloudWatch::Alarm')) {
      expect(String(Properties['AlarmDescription']).length).toBeLessThanOrEqual(1024);
    }
    for (const stackName of stackNamesOf(stage)) {
      const within = (type: string) => app.ofType(type).filter((each) => each.stackName === stackName).length;
      expect(within('AWS::ApiGatewayV2::Route')).toBeLessThanOrEqual(300);
      expect(within('AWS::ApiGatewayV2::Integration')).toBeLessThanOrEqual(300);
      expect(within('AWS::ApiGatewayV2::Authorizer')).toBeLessThanOrEqual(10);
    }
  });

  test('physical names are generated, so that a stack can be deployed twice and a resource replaced', () => {
    const named = app.resources.flatMap(({ Type, Properties }) =>
      Object.entries(Properties)
        .filter(
          ([name, value]) =>
            typeof value === 'string' &&
            ['Name', `${Type.split('::')[2]}Name`, 'Identifier', 'Domain'].includes(name),
        )
        .map(([name, value]) => `${Type} ${name} ${String(value)}`),
    );
    expect([...new Set(named)].filter((each) => !each.startsWith('AWS::IAM::Policy ')).toSorted()).toEqual([
      // These name nothing that must be unique: a title, or something within an API or a user pool.
      ...(['card-settlement', 'chat', 'chat-live'] as const)
        .map((part) => `AWS::ApiGatewayV2::Api Name ${apiNameOf(stage, part)}`)
        .toSorted(),
      'AWS::ApiGatewayV2::Authorizer Name Tokens',
      'AWS::ApiGatewayV2::Stage StageName $default',
      'AWS::ApiGatewayV2::Stage StageName live',
      'AWS::Cognito::UserPoolResourceServer Identifier duotempo',
      'AWS::Cognito::UserPoolResourceServer Name duotempo',
    ]);
    // Policies are within their role. A domain's prefix is unique in a region, hence the account's number.
    for (const { Properties } of app.ofType('AWS::IAM::Policy')) {
      expect(Properties['PolicyName']).toMatch(/^[\w+=,.@-]{1,128}$/);
    }
    for (const { Properties } of app.ofType('AWS::Cognito::UserPoolDomain')) {
      expect(Properties['Domain']).toEqual({
        'Fn::Join': ['', [`duotempo-${stage}-`, { Ref: 'AWS::AccountId' }]],
      });
      expect(`duotempo-${stage}-123456789012`).toMatch(/^(?!.*(aws|amazon|cognito))[a-z0-9-]{1,63}$/);
    }
  });

  test('logical ids of functions are unique over all stacks: the variables for sam local go by them', () => {
    const ids = app.ofType('AWS::Lambda::Function').map(({ logicalId }) => logicalId);
    expect(new Set(ids).size).toBe(ids.length);
  });

  test('what is uploaded says nothing of the machine that synthesized it', () => {
    const files = readdirSync(app.folder, { recursive: true, encoding: 'utf8', withFileTypes: true }).filter(
      // Where in the sources a construct was made stands in a file that stays here.
      (entry) => entry.isFile() && !entry.name.endsWith('.metadata.json'),
    );
    expect(files.length).toBeGreaterThan(25);
    const words = [process.cwd(), homedir(), join(tmpdir(), 'duotempo'), 'registry.', 'node_modules/'];
    for (const { name, parentPath } of files) {
      const text = readFileSync(join(parentPath, name), 'utf8');
      expect([name, words.filter((word) => text.includes(word))]).toEqual([name, []]);
    }
  });
});

/** How long a part can get once its references are resolved: generated names are stack, logical id and 13 characters. */
function longestLength(part: unknown, stackName: string): number {
  const nameLength = (target: string) => `${stackName}-${target}`.length + 13;
  const lengths = referencesIn(part).map(({ kind, target }) => {
    if (target.startsWith('AWS::')) return 'ap-southeast-1'.length;
    // Urls of queues and ARNs: what is around the name has less than 80 characters.
    return kind === 'Fn::ImportValue' ? 100 : nameLength(target) + 80;
  });
  const literal = typeof part === 'string' ? part : JSON.stringify(part);
  return literal.length + lengths.reduce((sum, length) => sum + length, 0);
}
