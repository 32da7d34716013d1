import { describe, expect, test } from '@jest/globals';
import { constructTree } from './construct-tree.ts';
import { type Resource, resourcesOf, stages } from './templates.ts';

/** Goal: `cdk synth -c <name>=<value>` changes what the name says and nothing else. Method: the resources with and without it. */

const ofType = (resources: readonly Resource[], type: string) =>
  resources.filter(({ Type }) => Type === type);

/** With `awsEndpointUrl` there are templates for `sam local`, and no other command makes them. */
describe('awsEndpointUrl', () => {
  const awsEndpointUrl = 'http://host.docker.internal:4566/';
  /** As the CDK CLI asks for it. */
  const pathMetadata = { 'aws:cdk:enable-path-metadata': 'true', 'aws:cdk:enable-asset-metadata': 'true' };

  let synthesis: ReturnType<typeof constructTree> | undefined;

  async function resourcesForSam(): Promise<readonly Resource[]> {
    synthesis ??= constructTree('sandbox', { ...pathMetadata, awsEndpointUrl });
    return (await synthesis).resources;
  }

  function functionsIn(resources: readonly Resource[]): readonly Resource[] {
    const functions = ofType(resources, 'AWS::Lambda::Function');
    expect(functions.length).toBeGreaterThan(20);
    return functions;
  }

  test.each(stages)(
    'without it, every function of the %s stage is for AWS: on arm64, with no variable of the SDK',
    async (stage) => {
      for (const { Properties } of functionsIn(await resourcesOf(stage))) {
        const { Variables = {} } = (Properties['Environment'] ?? {}) as { Variables?: object };
        expect(Object.keys(Variables).filter((name) => name.startsWith('AWS_'))).toEqual([]);
        expect(Properties['Architectures']).toEqual(['arm64']);
      }
    },
  );

  test('with it, every function declares the endpoint and what it signs with', async () => {
    for (const { Properties } of functionsIn(await resourcesForSam())) {
      expect(Properties['Environment']).toMatchObject({
        Variables: {
          AWS_ENDPOINT_URL: 'http://host.docker.internal:4566',
          AWS_REGION: expect.any(String),
          AWS_ACCESS_KEY_ID: expect.any(String),
          AWS_SECRET_ACCESS_KEY: expect.any(String),
          AWS_SESSION_TOKEN: '',
          TZ: ':UTC',
        },
      });
    }
  });

  test('with it, every function is of the architecture of this machine', async () => {
    const mine = process.arch === 'arm64' ? 'arm64' : 'x86_64';
    for (const { Properties } of functionsIn(await resourcesForSam())) {
      expect(Properties['Architectures']).toEqual([mine]);
    }
  });

  test("with it, no resource says where in the app it is: SAM warns of what it can't read as a function's id", async () => {
    const withPaths = await constructTree('sandbox', pathMetadata);
    expect(JSON.stringify(withPaths.resources)).toContain('aws:cdk:path');
    const resources = await resourcesForSam();
    expect(JSON.stringify(resources)).not.toContain('aws:cdk:path');
    // Where SAM finds the code.
    expect(JSON.stringify(resources)).toContain('aws:asset:path');
  });

  test.each(['', 'localhost:4566', 'ftp://localhost'])(
    "'%s' is refused, and says what is wanted",
    async (url) => {
      await expect(constructTree('sandbox', { awsEndpointUrl: url })).rejects.toThrow(
        'such as http://host.docker.internal:4566',
      );
    },
  );
});

test('alarmEmail is subscribed to the topic of every stack that has one', async () => {
  const subscribed = async (context: Readonly<Record<string, string>>) => {
    const { resources } = await constructTree('production', context);
    return {
      topics: ofType(resources, 'AWS::SNS::Topic'),
      subscriptions: ofType(resources, 'AWS::SNS::Subscription'),
    };
  };
  const { topics, subscriptions } = await subscribed({ alarmEmail: 'me@example.com' });
  expect(topics).toHaveLength(2);
  expect(subscriptions.map(({ stackName, Properties }) => [stackName, Properties])).toEqual(
    topics.map(({ stackName, logicalId }) => [
      stackName,
      { Endpoint: 'me@example.com', Protocol: 'email', TopicArn: { Ref: logicalId } },
    ]),
  );
  expect((await subscribed({})).subscriptions).toEqual([]);
});

describe('apiGatewayLogRole', () => {
  const ofApiGateway = async (context: Readonly<Record<string, string>>): Promise<readonly string[]> => {
    const { resources } = await constructTree('sandbox', context);
    return resources
      .filter(
        ({ Type, logicalId }) => Type === 'AWS::ApiGateway::Account' || /ApiGatewayLogRole/.test(logicalId),
      )
      .map(({ Type }) => Type);
  };

  test('the account gets a role, unless it keeps its own', async () => {
    expect(await ofApiGateway({ colour: 'none' })).toEqual(['AWS::IAM::Role', 'AWS::ApiGateway::Account']);
    expect(await ofApiGateway({ apiGatewayLogRole: 'keep' })).toEqual([]);
  });

  test('any other word for it is refused', async () => {
    await expect(ofApiGateway({ apiGatewayLogRole: 'arn:aws:iam::1:role/x' })).rejects.toThrow(
      'apiGatewayLogRole is keep, or not given at all, and not "arn:aws:iam::1:role/x".',
    );
  });
});
