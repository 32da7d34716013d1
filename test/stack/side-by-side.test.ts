import { expect, test } from '@jest/globals';
import { referencesIn } from './references.ts';
import { stageTemplates, type StageTemplates } from './templates.ts';

/**
 * Goal: sandbox and production stand side by side in one account and region.
 * Method: every name that a template gives, whatever the resource, is looked for in the other stage's templates.
 */

/** Names within something that has a name of its own, by type: two stages may share them. */
const scoped: Readonly<Record<string, string>> = {
  'AWS::ApiGatewayV2::Authorizer': 'within its API',
  'AWS::ApiGatewayV2::Stage': 'within its API',
  'AWS::Cognito::UserPoolResourceServer': 'within its user pool',
  'AWS::IAM::Policy': 'within its role',
};

/** `<type> <property> <value>` of every name that CloudFormation is told instead of making one. */
function namesIn({ resources, templates }: StageTemplates): string[] {
  const given = resources
    .filter(({ Type }) => !(Type in scoped))
    .flatMap(({ Type, Properties }) =>
      Object.entries(Properties)
        .filter(
          ([name, value]) =>
            /(?:^|[a-z])(?<!Metric)(?:Name|Identifier|Domain|Prefix)$/.test(name) &&
            !namesOtherResource(value),
        )
        .map(([name, value]) => `${Type} ${name} ${JSON.stringify(value)}`),
    );
  const exported = [...templates.values()].flatMap(({ Outputs = {} }) =>
    Object.values(Outputs).flatMap(({ Export }) => (Export === undefined ? [] : `export ${Export.Name}`)),
  );
  return [...given, ...exported, ...[...templates.keys()].map((stackName) => `stack ${stackName}`)];
}

/** Whether a value is the name of a resource of the app, and gives none. */
function namesOtherResource(value: unknown): boolean {
  const isReference =
    typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length === 1;
  const [first, ...more] = referencesIn(value);
  return (
    isReference &&
    !('Fn::Join' in value) &&
    first !== undefined &&
    more.length === 0 &&
    !first.target.startsWith('AWS::')
  );
}

test('sandbox and production share no name of a stack, of an export or of a resource', async () => {
  const [sandbox, production] = [await stageTemplates('sandbox'), await stageTemplates('production')];
  const names = new Set(namesIn(sandbox));
  expect([...names].filter((name) => /^(?:stack|export) /.test(name)).length).toBeGreaterThan(5);
  expect([...names]).toEqual(
    expect.arrayContaining(['AWS::ApiGatewayV2::Api Name "chat-live"', 'stack DuotempoChat']),
  );
  expect([...names].some((name) => name.startsWith('AWS::Cognito::UserPoolDomain Domain'))).toBe(true);
  expect(namesIn(production).filter((name) => names.has(name))).toEqual([]);
  // They are the same app: what differs is a name or a number.
  const types = ({ resources }: StageTemplates) => resources.map(({ Type }) => Type).toSorted();
  expect(types(production)).toEqual(types(sandbox));
});

test('no alarm of one stage is rung by a metric of the other', async () => {
  const watched = async (stage: 'sandbox' | 'production') => {
    const { ofType } = await stageTemplates(stage);
    return ofType('AWS::CloudWatch::Alarm').flatMap(({ stackName, Properties }) => {
      const { Metrics: sum = [] } = Properties as { Metrics?: { MetricStat?: { Metric: object } }[] };
      const metrics = [Properties, ...sum.map(({ MetricStat }) => MetricStat?.Metric ?? {})];
      return metrics
        .filter((metric): metric is Record<string, unknown> => 'MetricName' in metric)
        .map(({ Namespace, MetricName, Dimensions = [] }) => {
          // A dimension that names a resource is that of one stage.
          const isOwn = referencesIn(Dimensions).some(({ target }) => !target.startsWith('AWS::'));
          return JSON.stringify([Namespace, MetricName, Dimensions, isOwn ? stackName : '']);
        });
    });
  };
  const sandbox = await watched('sandbox');
  expect(sandbox.length).toBeGreaterThanOrEqual(6);
  expect((await watched('production')).filter((metric) => sandbox.includes(metric))).toEqual([]);
  // The functions emit into the namespace that the alarms of their stage watch.
  const { ofType } = await stageTemplates('production');
  const watchedHere = ofType('AWS::CloudWatch::Alarm').map(({ Properties }) => Properties['Namespace']);
  const emitted = ofType('AWS::Lambda::Function').flatMap(({ Properties }) => {
    const { Variables = {} } = (Properties['Environment'] ?? {}) as { Variables?: Record<string, unknown> };
    return Variables['POWERTOOLS_METRICS_NAMESPACE'] ?? [];
  });
  expect(emitted).toEqual(['Duotempo/CardSettlement/production']);
  expect(watchedHere).toEqual(expect.arrayContaining(emitted));
});
