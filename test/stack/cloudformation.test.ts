import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { inDependencyOrder, referencesIn } from './references.ts';
import { stackNamesOf, stages, stageTemplates, type StageTemplates } from './templates.ts';

/**
 * Goal: a reference or an order that CloudFormation would refuse, minutes into a deployment, fails here.
 * Method: loops over all templates of all stages.
 */

const pseudoParameters = [
  ...['AccountId', 'NotificationARNs', 'NoValue', 'Partition', 'Region', 'StackId', 'StackName', 'URLSuffix'],
].map((name) => `AWS::${name}`);

/** The attributes that templates here read, by type, as the resource's page in the user guide lists them. */
const attributes: Readonly<Record<string, readonly string[]>> = {
  'AWS::ApiGatewayV2::Api': ['ApiEndpoint', 'ApiId'],
  'AWS::Cognito::UserPool': ['Arn', 'ProviderName', 'ProviderURL', 'UserPoolId'],
  'AWS::DynamoDB::Table': ['Arn', 'StreamArn'],
  'AWS::IAM::Role': ['Arn', 'RoleId'],
  'AWS::Lambda::Function': ['Arn'],
  'AWS::Logs::LogGroup': ['Arn'],
  'AWS::SQS::Queue': ['Arn', 'QueueName', 'QueueUrl'],
};

describe.each(stages)('in the %s stage', (stage) => {
  let app: StageTemplates;

  beforeAll(async () => {
    app = await stageTemplates(stage);
  });

  test('every reference names something that exists, and an attribute that it has', () => {
    const wrong: string[] = [];
    let seen = 0;
    for (const [stackName, { Resources, Outputs = {}, Parameters = {} }] of app.templates) {
      for (const { kind, target, attribute = '', path } of referencesIn({ Resources, Outputs })) {
        seen += 1;
        const type = Resources[target]?.Type ?? '';
        const exists =
          kind === 'Fn::ImportValue'
            ? [...app.templates.keys()].some(
                (name) => name !== stackName && app.exportsOf(name).includes(target),
              )
            : kind === 'Ref'
              ? type !== '' || target in Parameters || pseudoParameters.includes(target)
              : (attributes[type]?.includes(attribute) ?? false);
        if (!exists) wrong.push(`${stackName}/${path}: ${kind} ${target} ${attribute} (${type})`);
      }
      for (const [logicalId, { DependsOn = [], Condition }] of Object.entries(Resources)) {
        for (const dependency of [DependsOn].flat()) {
          if (!(dependency in Resources)) wrong.push(`${stackName}/${logicalId}: depends on ${dependency}`);
        }
        if (Condition !== undefined) wrong.push(`${stackName}/${logicalId}: no check knows conditions`);
      }
      // `cdk deploy` passes no parameters.
      for (const [name, { Default }] of Object.entries(Parameters)) {
        if (Default === undefined) wrong.push(`${stackName}: the parameter ${name} has no default`);
      }
    }
    expect(wrong).toEqual([]);
    expect(seen).toBeGreaterThan(300);
  });

  test('nothing in a stack depends on itself, however far around', () => {
    for (const { Resources } of app.templates.values()) {
      const dependencies = new Map(
        Object.entries(Resources).map(([logicalId, { Properties, DependsOn = [] }]) => [
          logicalId,
          new Set([
            ...[DependsOn].flat(),
            ...referencesIn(Properties)
              .filter(({ kind, target }) => kind !== 'Fn::ImportValue' && target in Resources)
              .map(({ target }) => target),
          ]),
        ]),
      );
      expect(inDependencyOrder(dependencies)).toHaveLength(Object.keys(Resources).length);
    }
  });

  test('stacks deploy after those whose exports they import, and are destroyed before them', () => {
    const exporterOf = (name: string) =>
      stackNamesOf(stage).find((stackName) => app.exportsOf(stackName).includes(name));
    const imports = new Map(
      [...app.templates].map(([stackName, content]) => [
        stackName,
        new Set(
          referencesIn(content.Resources)
            .filter(({ kind }) => kind === 'Fn::ImportValue')
            .map(({ target }) => String(exporterOf(target))),
        ),
      ]),
    );
    expect(inDependencyOrder(imports)).toEqual(stackNamesOf(stage));
    expect(
      [...imports]
        .filter(([, needed]) => needed.size > 0)
        .map(([name]) => name)
        .toSorted(),
    ).toEqual(stackNamesOf(stage).slice(1));

    // What `cdk deploy --all` goes by.
    const { artifacts } = JSON.parse(readFileSync(join(app.folder, 'manifest.json'), 'utf8')) as {
      artifacts: Record<string, { dependencies?: readonly string[] }>;
    };
    for (const [stackName, needed] of imports) {
      expect(artifacts[stackName]?.dependencies).toEqual(expect.arrayContaining([...needed]));
    }
    const names = stackNamesOf(stage).flatMap(app.exportsOf);
    expect(new Set(names).size).toBe(names.length);
  });

  test('what works as soon as it is created has its permissions by then', () => {
    for (const mapping of app.ofType('AWS::Lambda::EventSourceMapping')) {
      const { Resources = {} } = app.templates.get(mapping.stackName) ?? {};
      const worker = String(referencesIn(mapping.Properties['FunctionName'])[0]?.target);
      const role = referencesIn(Resources[worker]?.Properties?.['Role'])[0]?.target;
      const policies = Object.entries(Resources)
        .filter(([, { Type, Properties }]) => {
          const roles = referencesIn(Properties?.['Roles']).map(({ target }) => target);
          return Type === 'AWS::IAM::Policy' && roles.some((each) => each === role);
        })
        .map(([logicalId]) => logicalId);
      expect(policies).toHaveLength(1);
      expect([mapping.DependsOn].flat()).toEqual(expect.arrayContaining(policies));
    }
    for (const { stackName, Properties } of app.ofType('AWS::Pipes::Pipe')) {
      const role = String(referencesIn(Properties['RoleArn'])[0]?.target);
      expect(app.templates.get(stackName)?.Resources[role]?.Properties?.['Policies']).toHaveLength(1);
    }
    // A client may only ask for scopes that exist.
    for (const { place, Properties } of app.ofType('AWS::Cognito::UserPoolClient')) {
      const scopes = [Properties['AllowedOAuthScopes'] ?? []].flat();
      const servers = new Set(referencesIn(scopes).map(({ target }) => target));
      expect([place, servers.size]).toEqual([place, scopes.length === 0 ? 0 : 1]);
    }
  });
});
