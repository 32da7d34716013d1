import { describe, expect, test } from '@jest/globals';
import { RESOURCE_TYPES } from '../../../local/services.ts';
import { checkSupport, honoured, type ResourceTypes } from '../../../local/template/support.ts';
import {
  isJsonObject,
  parseTemplate,
  type Json,
  type JsonObject,
  type TemplateResource,
} from '../../../local/template/template.ts';

function resource(type: string, properties: JsonObject, logicalId = 'Thing'): TemplateResource {
  return { stackName: 'Shop', logicalId, type, properties, dependsOn: [] };
}

const check = (type: string, properties: JsonObject) => () =>
  checkSupport([resource(type, properties)], RESOURCE_TYPES);

test('what is listed as honoured or inert passes', () => {
  expect(
    check('AWS::SQS::Queue', {
      VisibilityTimeout: 30,
      RedrivePolicy: { deadLetterTargetArn: { 'Fn::GetAtt': ['Dead', 'Arn'] }, maxReceiveCount: 5 },
      Tags: [{ Key: 'a', Value: 'b' }],
    }),
  ).not.toThrow();
  expect(
    check('AWS::Lambda::Function', {
      Code: { S3Bucket: 'bucket', S3Key: 'key.zip' },
      Handler: 'index.handler',
      Runtime: 'nodejs24.x',
      Architectures: ['arm64'],
      Environment: { Variables: { ANY_NAME: { Ref: 'Table' } } },
      LoggingConfig: { LogFormat: 'JSON' },
    }),
  ).not.toThrow();
  expect(
    check('AWS::DynamoDB::GlobalTable', {
      GlobalSecondaryIndexes: [
        {
          IndexName: 'byDay',
          KeySchema: [{ AttributeName: 'day', KeyType: 'HASH' }],
          Projection: { ProjectionType: 'ALL' },
        },
      ],
      Replicas: [
        {
          Region: { Ref: 'AWS::Region' },
          PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
        },
      ],
    }),
  ).not.toThrow();
  expect(
    check('AWS::ApiGatewayV2::Stage', {
      StageName: '$default',
      AutoDeploy: true,
      RouteSettings: { 'POST /orders': { ThrottlingRateLimit: 1, ThrottlingBurstLimit: 2 } },
    }),
  ).not.toThrow();
});

describe('refuses, naming stack, logical id, type and path,', () => {
  test.each<[string, string, JsonObject, string]>([
    [
      'a type',
      'AWS::EC2::Instance',
      {},
      'Shop/Thing (AWS::EC2::Instance): resources of this type are not supported.',
    ],
    [
      'a property',
      'AWS::SQS::Queue',
      { Colour: 1 },
      'Shop/Thing (AWS::SQS::Queue) Colour: this property is not supported.',
    ],
    [
      'a nested property',
      'AWS::DynamoDB::Table',
      { GlobalSecondaryIndexes: [{}, { Projection: { Colour: 1 } }] },
      'GlobalSecondaryIndexes[1].Projection.Colour: this property is not supported.',
    ],
    [
      'a property under any key',
      'AWS::ApiGatewayV2::Stage',
      { RouteSettings: { 'GET /': { Colour: 1 } } },
      'RouteSettings.GET /.Colour',
    ],
    [
      'a property with its reason',
      'AWS::Lambda::Function',
      { VpcConfig: { SubnetIds: [] } },
      'VpcConfig: The host has no network of its own.',
    ],
    [
      'a value',
      'AWS::ApiGatewayV2::Api',
      { ProtocolType: 'GRAPHQL' },
      'ProtocolType: "GRAPHQL" is not supported',
    ],
    [
      'a value in a list',
      'AWS::ApiGatewayV2::Authorizer',
      { IdentitySource: ['$request.querystring.token'] },
      'IdentitySource[0]',
    ],
    [
      'a branch of Fn::If',
      'AWS::SQS::Queue',
      { FifoQueue: { 'Fn::If': ['IsFast', false, true] } },
      'FifoQueue: true is not supported',
    ],
  ])('%s', (_, type, properties, message) => {
    expect(check(type, properties)).toThrow(message);
  });
});

test('refuses an unknown name beside every name that is listed, at any depth', () => {
  let count = 0;
  for (const [type, { properties }] of Object.entries(RESOURCE_TYPES)) {
    const objects = new Set(
      Object.keys(properties)
        .flatMap((path) => path.split('.').map((_, index, steps) => steps.slice(0, index).join('.')))
        // The name of any key is the app's own.
        .filter((path) => !(`${path}.*` in properties)),
    );
    for (const path of objects) {
      const nested = path.split('.').reduceRight<Json>(
        (below, step) => {
          if (step === '') return below;
          return step.endsWith('[]') ? { [step.slice(0, -2)]: [below] } : { [step]: below };
        },
        { Colour: 'blue' },
      );
      const where = path === '' ? 'Colour' : `${path.replaceAll('[]', '[0]')}.Colour`;
      expect(check(type, isJsonObject(nested) ? nested : {})).toThrow(
        `Shop/Thing (${type}) ${where}: this property is not supported.`,
      );
      count += 1;
    }
  }
  expect(count).toBeGreaterThan(100);
});

test('names all offences in one message', () => {
  expect(() =>
    checkSupport(
      [
        resource('AWS::EC2::Instance', {}, 'Server'),
        resource('AWS::SQS::Queue', { FifoQueue: true, Colour: 'blue' }, 'Queue'),
      ],
      RESOURCE_TYPES,
    ),
  ).toThrow(
    expect.objectContaining({
      offences: [
        expect.stringContaining('Shop/Server'),
        expect.stringContaining('FifoQueue'),
        expect.stringContaining('Colour'),
      ],
    }),
  );
});

test('refuses an attribute that no resource has', () => {
  const queue = { Type: 'AWS::SQS::Queue', DependOn: 'Table' };
  expect(() => parseTemplate('Shop', { Resources: { Queue: queue } })).toThrow(
    "Stack Shop: resource Queue can't have DependOn.",
  );
});

test('every type that is listed can be made', () => {
  const types: ResourceTypes<never> = RESOURCE_TYPES;
  const unmade = Object.entries(types).filter(([, { provision }]) => typeof provision !== 'function');
  expect(unmade).toEqual([]);
});

test('whatever is inert or refused says why', () => {
  const all = Object.values(RESOURCE_TYPES).flatMap(({ support = honoured, properties }) => [
    support,
    ...Object.values(properties),
  ]);
  for (const support of all) {
    const reason = support.kind === 'honoured' ? 'It is done.' : support.reason;
    expect(reason).toMatch(/^[A-Z/].*\.$/);
  }
});
