import { expect, test } from '@jest/globals';
import { stages, stageTemplates } from './templates.ts';

/**
 * Goal: a throw-away stage is thrown away whole; production's data survives a mistake.
 * Method: what CloudFormation does with each resource when its stack is deleted, or when it must be replaced.
 */

/** What holds data, or what someone wrote. */
const stateful = ['AWS::Cognito::UserPool', 'AWS::DynamoDB::Table', 'AWS::Logs::LogGroup', 'AWS::SQS::Queue'];
const kept = ['AWS::Cognito::UserPool', 'AWS::DynamoDB::Table'];
/** A setting of the account, and the role that it names: they may serve others, too. */
const ofTheAccount = /\/WebSocketApiApiGateway(LogRole|Account)\w{8}$/;

test.each(stages.filter((stage) => stage !== 'production'))(
  'cdk destroy leaves nothing of the %s stage behind but the role that the account has for logs of API Gateway',
  async (stage) => {
    const { resources, ofType } = await stageTemplates(stage);
    for (const { place, Type, DeletionPolicy, UpdateReplacePolicy } of resources) {
      if (ofTheAccount.test(place)) continue;
      // Delete is the default of most types, but not of all: what holds data says it.
      const policies = stateful.includes(Type) ? ['Delete'] : ['Delete', undefined];
      expect([place, policies.includes(DeletionPolicy), policies.includes(UpdateReplacePolicy)]).toEqual([
        place,
        true,
        true,
      ]);
    }
    for (const { place, Properties } of ofType('AWS::DynamoDB::Table')) {
      expect([place, Properties['DeletionProtectionEnabled']]).toEqual([place, false]);
    }
    for (const { place, Properties } of ofType('AWS::Cognito::UserPool')) {
      expect([place, Properties['DeletionProtection']]).toEqual([place, 'INACTIVE']);
    }
  },
);

test.each(stages)('nothing in the %s stage makes resources that no stack knows of', async (stage) => {
  const { resources, ofType } = await stageTemplates(stage);
  // A custom resource may make anything, and a bucket is not deleted until it is empty.
  expect(resources.filter(({ Type }) => /^Custom::|CustomResource|^AWS::S3::/.test(Type))).toEqual([]);
  // A function without a log group of the stack's would have one made for it, which stays and never expires.
  for (const { place, Properties } of ofType('AWS::Lambda::Function')) {
    expect([place, Properties['LoggingConfig']]).toEqual([
      place,
      expect.objectContaining({ LogGroup: { Ref: expect.any(String) } }),
    ]);
  }
  for (const { place, Properties } of ofType('AWS::Logs::LogGroup')) {
    expect([place, Properties['RetentionInDays']]).toEqual([place, stage === 'production' ? 90 : 7]);
  }
});

test.each(stages)('the account keeps its role for logs of API Gateway after the %s stage', async (stage) => {
  const { resources } = await stageTemplates(stage);
  const found = resources.filter(({ place }) => ofTheAccount.test(place));
  expect(found.map(({ Type }) => Type)).toEqual(['AWS::IAM::Role', 'AWS::ApiGateway::Account']);
  // Not RetainExceptOnCreate: the setting outlives a deployment that fails, and must not name a role that is gone.
  for (const { DeletionPolicy, UpdateReplacePolicy } of found) {
    expect([DeletionPolicy, UpdateReplacePolicy]).toEqual(['Retain', 'Retain']);
  }
});

test('production keeps its tables and its users, and does not let them be deleted', async () => {
  const { resources, ofType } = await stageTemplates('production');
  for (const { place, Type, DeletionPolicy, UpdateReplacePolicy } of resources) {
    if (ofTheAccount.test(place)) continue;
    const isKept = kept.includes(Type);
    // What a first deployment has made when it fails holds nothing yet, and would be an orphan beside the next try's.
    const policies = [DeletionPolicy, UpdateReplacePolicy].map((policy) => policy ?? 'Delete');
    const wanted = isKept ? ['RetainExceptOnCreate', 'Retain'] : ['Delete', 'Delete'];
    expect([place, ...policies]).toEqual([place, ...wanted]);
  }
  const tables = ofType('AWS::DynamoDB::Table');
  expect(tables.length).toBeGreaterThanOrEqual(9);
  for (const { place, Properties } of tables) {
    expect([place, Properties]).toEqual([
      place,
      expect.objectContaining({
        DeletionProtectionEnabled: true,
        PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
      }),
    ]);
  }
  const pools = ofType('AWS::Cognito::UserPool').map(({ Properties }) => Properties['DeletionProtection']);
  expect(pools).toEqual(['ACTIVE']);
});
