import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { stackNameOf } from '../../lib/stage-names.ts';
import { resourcesOf, stageTemplates, type Resource } from './templates.ts';

/** Goal: what must hold of every resource of the whole app, whoever adds one. Method: loops over the synthesized stages. */

describe.each(['sandbox', 'production', 'test', 'soak'] as const)('in the %s stage', (stage) => {
  let resources: Resource[];
  const ofType = (type: string) => resources.filter(({ Type }) => Type === type);
  const named = (resource: Resource) => `${resource.stackName}/${resource.logicalId}`;

  beforeAll(async () => {
    resources = await resourcesOf(stage);
  });

  /** Logical ids of the queues where something gives up: the redrive policy of another queue, a pipe, a schedule. */
  const deadLetterQueues = () =>
    new Set(
      [
        ...ofType('AWS::SQS::Queue').map(({ Properties }) =>
          at(Properties, 'RedrivePolicy.deadLetterTargetArn'),
        ),
        ...senders().map(([, arn]) => arn),
      ].flatMap((arn) => reference(arn) ?? []),
    );
  const senders = () => [
    ...ofType('AWS::Pipes::Pipe').map(
      (pipe) =>
        [
          named(pipe),
          at(pipe.Properties, 'SourceParameters.DynamoDBStreamParameters.DeadLetterConfig.Arn'),
        ] as const,
    ),
    ...ofType('AWS::Scheduler::Schedule').map(
      (schedule) => [named(schedule), at(schedule.Properties, 'Target.DeadLetterConfig.Arn')] as const,
    ),
  ];
  /** Alarms that watch a metric of a resource, alone or in a sum. */
  const alarmsOn = (metricName: string, { stackName, logicalId }: Resource) =>
    ofType('AWS::CloudWatch::Alarm').filter(
      ({ stackName: alarmStack, Properties }) =>
        alarmStack === stackName &&
        [Properties, ...listOf(Properties['Metrics']).map((each) => at(each, 'MetricStat.Metric'))].some(
          (metric) =>
            at(metric, 'MetricName') === metricName &&
            listOf(at(metric, 'Dimensions')).some((each) => reference(at(each, 'Value')) === logicalId),
        ),
    );

  test('every queue has a dead-letter queue, or is one that keeps its messages for 14 days', () => {
    const queues = ofType('AWS::SQS::Queue');
    expect(queues.length).toBeGreaterThan(3);
    for (const queue of queues) {
      if (deadLetterQueues().has(queue.logicalId)) {
        expect([named(queue), queue.Properties['MessageRetentionPeriod']]).toEqual([named(queue), 1_209_600]);
      } else
        expect([named(queue), at(queue.Properties, 'RedrivePolicy.maxReceiveCount')]).toEqual([
          named(queue),
          expect.any(Number),
        ]);
    }
  });

  test('every pipe and schedule has a dead-letter queue', () => {
    expect(senders()).toHaveLength(2);
    for (const [name, arn] of senders()) expect([name, reference(arn)]).toEqual([name, expect.any(String)]);
  });

  test('an alarm watches every dead-letter queue, every queue’s oldest message, every worker, pipe and API', () => {
    const dead = deadLetterQueues();
    const sources = new Set(
      ofType('AWS::Lambda::EventSourceMapping').map(({ Properties }) =>
        reference(Properties['FunctionName']),
      ),
    );
    const watched: Readonly<Record<string, (resource: Resource) => readonly string[]>> = {
      'AWS::SQS::Queue': ({ logicalId }) => [
        dead.has(logicalId) ? 'ApproximateNumberOfMessagesVisible' : 'ApproximateAgeOfOldestMessage',
      ],
      'AWS::Lambda::Function': ({ logicalId }) =>
        sources.has(logicalId) ? ['Errors', 'Throttles', 'RecursiveInvocationsDropped'] : [],
      'AWS::Pipes::Pipe': () => [
        'ExecutionFailed',
        'ExecutionPartiallyFailed',
        'ExecutionTimeout',
        'ExecutionThrottled',
      ],
      'AWS::ApiGatewayV2::Api': ({ Properties }) =>
        Properties['ProtocolType'] === 'WEBSOCKET' ? ['IntegrationError', 'ExecutionError'] : ['5xx'],
    };
    let count = 0;
    for (const resource of resources) {
      for (const metricName of watched[resource.Type]?.(resource) ?? []) {
        count += 1;
        const found = alarmsOn(metricName, resource).length;
        expect([named(resource), metricName, found]).toEqual([named(resource), metricName, 1]);
      }
    }
    expect(count).toBeGreaterThan(20);
  });

  test('every alarm has an action, and its text names a heading of the runbook', () => {
    const runbook = readFileSync('docs/runbook.md', 'utf8');
    for (const alarm of ofType('AWS::CloudWatch::Alarm')) {
      const heading = /Runbook: "(.+)"/.exec(String(alarm.Properties['AlarmDescription']))?.[1];
      expect([named(alarm), runbook.includes(`\n## ${heading}\n`)]).toEqual([named(alarm), true]);
      const { AlarmActions = [], InsufficientDataActions = [] } = alarm.Properties;
      expect([...listOf(AlarmActions), ...listOf(InsufficientDataActions)]).toHaveLength(1);
    }
  });

  test('a message is invisible for six times the timeout of its function and the window', () => {
    const mappings = ofType('AWS::Lambda::EventSourceMapping');
    expect(mappings.length).toBeGreaterThanOrEqual(2);
    for (const { Properties: mapping } of mappings) {
      const queue = find(reference(mapping['EventSourceArn']));
      const worker = find(reference(mapping['FunctionName']));
      const visibility = Number(queue.Properties['VisibilityTimeout']);
      const window = Number(mapping['MaximumBatchingWindowInSeconds'] ?? 0);
      expect(visibility).toBeGreaterThanOrEqual(6 * Number(worker.Properties['Timeout']) + window);
    }
  });

  test('every function runs Node.js 24 on arm64, has a bounded timeout and logs to its own group', () => {
    const functions = ofType('AWS::Lambda::Function');
    expect(functions.length).toBeGreaterThan(9);
    for (const { Properties: properties } of functions) {
      expect(properties).toMatchObject({
        Architectures: ['arm64'],
        Runtime: 'nodejs24.x',
        Handler: 'index.handler',
      });
      expect(Number(properties['Timeout'])).toBeLessThanOrEqual(300);
      expect(at(properties, 'LoggingConfig.LogGroup')).toBeDefined();
    }
  });

  test('queues and topics refuse what does not come over TLS', () => {
    const policies = JSON.stringify([...ofType('AWS::SQS::QueuePolicy'), ...ofType('AWS::SNS::TopicPolicy')]);
    for (const resource of [...ofType('AWS::SQS::Queue'), ...ofType('AWS::SNS::Topic')]) {
      expect(policies).toContain(`"${resource.logicalId}"`);
    }
    expect(policies).toContain('"aws:SecureTransport":"false"');
  });

  // What the answers to checkov count on: docs/decisions/0044.
  test('queues are encrypted, nothing invokes a function asynchronously, and no variable is a secret', () => {
    for (const queue of ofType('AWS::SQS::Queue')) {
      expect([named(queue), queue.Properties['SqsManagedSseEnabled']]).toEqual([named(queue), true]);
    }
    // API Gateway waits for the answer, and a mapping is Lambda's own poller.
    const callers = ofType('AWS::Lambda::Permission').map(({ Properties }) => Properties['Principal']);
    expect(new Set(callers)).toEqual(new Set(['apigateway.amazonaws.com']));
    const sources = ofType('AWS::Lambda::EventSourceMapping').map(
      ({ Properties }) =>
        resources.find(({ logicalId }) => logicalId === reference(Properties['EventSourceArn']))?.Type,
    );
    expect(new Set(sources)).toEqual(new Set(['AWS::SQS::Queue']));
    const targets = [...ofType('AWS::Pipes::Pipe'), ...ofType('AWS::Scheduler::Schedule')].map(
      ({ Properties }) => reference(at(Properties, 'Target.Arn') ?? Properties['Target']),
    );
    for (const target of targets) {
      expect(resources.find(({ logicalId }) => logicalId === target)?.Type).toBe('AWS::SQS::Queue');
    }
    for (const { Properties } of ofType('AWS::Lambda::Function')) {
      const names = Object.keys(at(Properties, 'Environment.Variables') ?? {});
      // An issuer publishes its keys.
      const kept = names.filter((name) => name !== 'ISSUER_KEYS_URL');
      expect(kept.filter((name) => /SECRET|PASSWORD|TOKEN|CREDENTIAL|KEY/.test(name))).toEqual([]);
    }
  });

  test('every route of an HTTP API but $default asks for a token with a scope; a WebSocket for one at $connect', () => {
    const live = ofType('AWS::ApiGatewayV2::Api').filter(
      ({ Properties }) => Properties['ProtocolType'] === 'WEBSOCKET',
    );
    for (const { Properties: route } of ofType('AWS::ApiGatewayV2::Route')) {
      if (live.some(({ logicalId }) => logicalId === reference(route['ApiId']))) {
        const expected = route['RouteKey'] === '$connect' ? 'CUSTOM' : 'NONE';
        expect([route['RouteKey'], route['AuthorizationType'] ?? 'NONE']).toEqual([
          route['RouteKey'],
          expected,
        ]);
        continue;
      }
      if (route['RouteKey'] === '$default') continue;
      expect(route).toMatchObject({
        AuthorizationType: 'JWT',
        AuthorizationScopes: [expect.stringMatching(/\S/)],
      });
    }
  });

  test('logical ids of what holds data stay: a new id would be a new, empty table', () => {
    const stateful = ['AWS::DynamoDB::Table', 'AWS::Cognito::UserPool'].flatMap((type) =>
      ofType(type).map(named),
    );
    const [card, chat, identity] = (['CardSettlement', 'Chat', 'Identity'] as const).map((part) =>
      stackNameOf(stage, part),
    );
    expect(stateful.toSorted()).toEqual([
      `${card}/BusinessDays97D17BCA`,
      `${card}/LedgerB7379752`,
      `${card}/Merchants93CFE5E9`,
      `${card}/StagedTransactionsF5A6D467`,
      `${chat}/Acknowledgements13C09CFE`,
      `${chat}/Connections827CEF2F`,
      `${chat}/ConversationsBC91B70D`,
      `${chat}/Messages804FA4EB`,
      `${chat}/Notifications87298708`,
      `${chat}/RateLimits2BA5B3CC`,
      `${identity}/Users0A0EEA89`,
    ]);
  });

  test('the outputs name all that an operator asks after, and keep the names that commands know', async () => {
    const { templates, resources: placed } = await stageTemplates(stage);
    const asked = [
      ...['AWS::DynamoDB::Table', 'AWS::Lambda::Function', 'AWS::Logs::LogGroup', 'AWS::SNS::Topic'],
      ...['AWS::SQS::Queue', 'AWS::Pipes::Pipe', 'AWS::Scheduler::Schedule', 'AWS::ApiGatewayV2::Api'],
    ];
    const isNamed = ({ stackName, logicalId }: Resource) =>
      Object.values(templates.get(stackName)?.Outputs ?? {}).some(
        ({ Value, Export }) => Export === undefined && at(Value, 'Ref') === logicalId,
      );
    const found = placed.filter(({ Type }) => asked.includes(Type));
    expect(new Set(found.map(({ Type }) => Type)).size).toBe(asked.length);
    expect(found.filter((each) => !isNamed(each)).map(({ place }) => place)).toEqual([]);

    const keys = (part: 'Identity' | 'CardSettlement' | 'Chat') =>
      Object.keys(templates.get(stackNameOf(stage, part))?.Outputs ?? {});
    expect(keys('Identity')).toEqual(
      expect.arrayContaining([
        ...['Issuer', 'TokenUrl', 'UserPoolId', 'GatewayClientId', 'OperatorClientId', 'ChatClientId'],
      ]),
    );
    expect(keys('CardSettlement')).toEqual(
      expect.arrayContaining([
        ...['ApiUrl', 'StagedTransactionsTable', 'LedgerTable', 'SettlementQueueUrl'],
        ...['SettlementDeadLetterQueueUrl', 'ReconcileDeadLetterQueueArn', 'AlarmTopicArn', 'ScheduleName'],
        ...['SettlementWorkerFunction', 'SettlementWorkerLogGroup', 'HttpApiAccessLogGroup'],
      ]),
    );
    expect(keys('Chat')).toEqual(
      expect.arrayContaining([
        ...['ApiUrl', 'WebSocketUrl', 'NotificationDeadLetterQueueArn', 'AlarmTopicArn', 'MessagePipeName'],
      ]),
    );
  });

  test('data outlives the stack in production, and nothing does elsewhere', () => {
    for (const table of ofType('AWS::DynamoDB::Table')) {
      expect(table).toMatchObject(
        stage === 'production'
          ? {
              DeletionPolicy: 'RetainExceptOnCreate',
              Properties: {
                DeletionProtectionEnabled: true,
                PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
              },
            }
          : { DeletionPolicy: 'Delete', Properties: { DeletionProtectionEnabled: false } },
      );
    }
    if (stage !== 'production') {
      // But for the setting of the account and its role.
      const kept = resources.filter(({ DeletionPolicy }) => DeletionPolicy?.startsWith('Retain'));
      expect(kept.map(({ logicalId }) => logicalId.slice(0, -8))).toEqual([
        'WebSocketApiApiGatewayLogRole',
        'WebSocketApiApiGatewayAccount',
      ]);
    }
  });

  test('queues leave the APIs what they need of the concurrency of an account', () => {
    const concurrencies = ofType('AWS::Lambda::EventSourceMapping').map(({ Properties }) =>
      at(Properties, 'ScalingConfig.MaximumConcurrency'),
    );
    expect(concurrencies).toEqual(concurrencies.map(() => expect.any(Number)));
    const ofQueues = concurrencies.reduce<number>((sum, each) => sum + Number(each), 0);
    // A new account has 10, one that is in use 1,000; 5,000 requests a second of each API run some 250 at once.
    const most = { sandbox: 8, production: 500, test: 8, soak: 12 }[stage];
    expect(ofQueues).toBeLessThanOrEqual(most);
  });

  test('who may send to the queue that invokes it is allowed to recur, and nobody else is', () => {
    const recurring = ofType('AWS::Lambda::EventSourceMapping')
      .map(({ Properties }) => [
        reference(Properties['FunctionName']),
        reference(Properties['EventSourceArn']),
      ])
      .filter(([worker, queue]) => mayWrite(reference(find(worker).Properties['Role']), queue))
      .map(([worker]) => worker);
    expect(recurring).toHaveLength(3);
    for (const { logicalId, Properties } of ofType('AWS::Lambda::Function')) {
      const wanted = recurring.includes(logicalId) ? 'Allow' : undefined;
      expect([logicalId, Properties['RecursiveLoop']]).toEqual([logicalId, wanted]);
    }
  });

  function mayWrite(role: string | undefined, queue: string | undefined): boolean {
    return ofType('AWS::IAM::Policy')
      .filter(({ Properties }) => listOf(Properties['Roles']).map(reference).includes(role))
      .flatMap(({ Properties }) => listOf(at(Properties, 'PolicyDocument.Statement')))
      .some(
        (statement) =>
          [at(statement, 'Action')].flat().includes('sqs:SendMessage') &&
          [at(statement, 'Resource')].flat().map(reference).includes(queue),
      );
  }

  function find(logicalId: string | undefined): Resource {
    const found = resources.find((resource) => resource.logicalId === logicalId);
    if (found === undefined) throw new Error(`There is no resource ${logicalId}.`);
    return found;
  }
});

test('the two tempos are one construct with other numbers', async () => {
  const mappings = (await resourcesOf('sandbox')).filter(
    ({ Type }) => Type === 'AWS::Lambda::EventSourceMapping',
  );
  const settlement = mappings.find(({ logicalId }) => logicalId.startsWith('Settlement'));
  expect(settlement?.Properties).toMatchObject({
    BatchSize: 10,
    MaximumBatchingWindowInSeconds: 10,
    FunctionResponseTypes: ['ReportBatchItemFailures'],
    ScalingConfig: { MaximumConcurrency: 2 },
  });
  const notification = mappings.find(({ logicalId }) => logicalId.startsWith('Notification'));
  expect(notification?.Properties).toMatchObject({ BatchSize: 1 });
  expect(notification?.Properties).not.toHaveProperty('MaximumBatchingWindowInSeconds');
});

function at(value: unknown, path: string): unknown {
  return path.split('.').reduce<unknown>((found, name) => (isObject(found) ? found[name] : undefined), value);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function reference(value: unknown): string | undefined {
  const target = at(value, 'Ref') ?? (isObject(value) ? listOf(value['Fn::GetAtt'])[0] : undefined);
  return typeof target === 'string' ? target : undefined;
}
