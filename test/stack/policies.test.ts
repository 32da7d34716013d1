import { beforeAll, describe, expect, test } from '@jest/globals';
import { evaluate } from '../../local/iam/evaluate.ts';
import { compilePolicy } from '../../local/iam/policy.ts';
import { resolveIntrinsics } from '../../local/template/intrinsics.ts';
import type { Json } from '../../local/template/template.ts';
import { resourcesOf, type Resource } from './templates.ts';

/** Goal: what must hold of every policy of the app, whoever adds one. Method: loops over the synthesized stages. */

interface Statement {
  readonly Effect: 'Allow' | 'Deny';
  readonly Action: string | readonly string[];
  readonly Resource?: unknown;
  readonly Principal?: unknown;
}

describe.each(['sandbox', 'production', 'test'] as const)('in the %s stage', (stage) => {
  let resources: Resource[];
  const ofType = (type: string) => resources.filter(({ Type }) => Type === type);

  beforeAll(async () => {
    resources = await resourcesOf(stage);
  });

  test('nothing is allowed with a wildcard, but for those that can’t be avoided', () => {
    const allowed = resources.flatMap((resource) =>
      statementsOf(resource)
        .filter(({ Effect }) => Effect === 'Allow')
        .map((statement) => ({ where: `${resource.stackName}/${resource.logicalId}`, statement })),
    );
    expect(allowed.length).toBeGreaterThan(50);
    for (const { where, statement } of allowed) {
      expect([where, wildcardsOf(statement)]).toEqual([where, []]);
    }
    // API Gateway refuses a role for its logs that may do less than the policy that AWS keeps for it.
    expect(resources.filter(({ Properties }) => 'ManagedPolicyArns' in Properties)).toEqual([
      expect.objectContaining({ logicalId: expect.stringMatching(/^WebSocketApiApiGatewayLogRole/) }),
    ]);
  });

  test('each function may write to its own log group, and to no other', () => {
    const functions = ofType('AWS::Lambda::Function');
    expect(functions.length).toBeGreaterThan(20);
    for (const { stackName, Properties } of functions) {
      const role = referenceIn(Properties['Role']);
      const statements = resources
        .filter((each) => each.stackName === stackName && each.Type === 'AWS::IAM::Policy')
        .filter(({ Properties: { Roles: roles } }) => Array.isArray(roles) && referenceIn(roles[0]) === role)
        .flatMap(statementsOf);
      const logs = statements.filter(({ Action }) =>
        [Action].flat().some((action) => action.startsWith('logs:')),
      );
      expect(logs).toEqual([
        {
          Effect: 'Allow',
          Action: ['logs:CreateLogStream', 'logs:PutLogEvents'],
          Resource: { 'Fn::GetAtt': [referenceIn(at(Properties, 'LoggingConfig', 'LogGroup')), 'Arn'] },
        },
      ]);
    }
  });

  test('alarms of the account may publish to their topic, over TLS, and nobody else’s may', () => {
    const policies = ofType('AWS::SNS::TopicPolicy');
    expect(policies).toHaveLength(ofType('AWS::SNS::Topic').length);
    for (const { Properties } of policies) {
      const topicArn = 'arn:aws:sns:us-east-1:000000000000:alarms';
      const document = resolveIntrinsics(Properties['PolicyDocument'] as Json, {
        ref: (name) => (name === 'AWS::AccountId' ? '000000000000' : topicArn),
        attribute: () => undefined,
        importValue: () => undefined,
        stackOutput: () => undefined,
        condition: () => undefined,
        mapping: () => undefined,
      });
      const mayPublish = (accountId: string, isSecure: boolean): boolean =>
        evaluate(
          {
            accountId: '000000000000',
            region: 'us-east-1',
            identity: new Map(),
            boundaries: new Map(),
            resources: new Map([[topicArn, compilePolicy(document ?? null, 'resource', 'topic')]]),
          },
          {
            principal: {
              kind: 'service',
              service: 'cloudwatch.amazonaws.com',
              sourceArn: `arn:aws:cloudwatch:us-east-1:${accountId}:alarm:any`,
            },
            action: 'sns:Publish',
            resourceArn: topicArn,
            isSecure,
          },
        ).isAllowed;
      expect(mayPublish('000000000000', true)).toBe(true);
      expect(mayPublish('000000000000', false)).toBe(false);
      expect(mayPublish('111111111111', true)).toBe(false);
    }
  });
});

/** What of a statement is a wildcard that need not be. */
function wildcardsOf(statement: Statement): readonly string[] {
  const actions = [statement.Action].flat();
  const only = (allowed: RegExp): boolean => actions.every((action) => allowed.test(action));
  const found = actions.filter((action) => action.includes('*'));
  for (const resource of [statement.Resource].flat()) {
    const text = JSON.stringify(resource) ?? '';
    if (!text.includes('*')) continue;
    if (resource === '*' && only(/^(dynamodb:ListStreams|xray:Put(TraceSegments|TelemetryRecords))$/))
      continue;
    if (
      /^[^*]*\/(?:POST|DELETE)\/@connections\/\*"\]\]\}$/.test(text) &&
      only(/^execute-api:ManageConnections$/)
    )
      continue;
    found.push(text);
  }
  if (JSON.stringify(statement.Principal ?? null).includes('*')) found.push('Principal');
  return found;
}

function statementsOf({ Type, Properties }: Resource): Statement[] {
  if (!/^AWS::(IAM::(Role|Policy|ManagedPolicy)|SQS::QueuePolicy|SNS::TopicPolicy)$/.test(Type)) return [];
  const inline = Array.isArray(Properties['Policies']) ? Properties['Policies'] : [];
  return [Properties, ...inline].flatMap((holder: object) =>
    ['PolicyDocument', 'AssumeRolePolicyDocument'].flatMap(
      (name) => (at(holder, name, 'Statement') ?? []) as Statement[],
    ),
  );
}

function at(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (found, name) => (typeof found === 'object' && found !== null ? Reflect.get(found, name) : undefined),
    value,
  );
}

function referenceIn(value: unknown): unknown {
  return at(value, 'Ref') ?? at(value, 'Fn::GetAtt', '0');
}
