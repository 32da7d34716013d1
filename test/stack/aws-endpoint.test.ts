import { expect, test } from '@jest/globals';
import { constructTree } from './construct-tree.ts';
import { resourcesOf, stages } from './templates.ts';

/**
 * Goal: `cdk synth -c awsEndpointUrl=<url>` makes templates for `sam local`, and no other command does.
 * Method: the variables that functions declare, with and without it.
 */

const ofTheSdk = (variables: object): string[] =>
  Object.keys(variables).filter((name) => name.startsWith('AWS_'));

test.each(stages)('without it, no function of the %s stage declares a variable of the SDK', async (stage) => {
  const functions = (await resourcesOf(stage)).filter(({ Type }) => Type === 'AWS::Lambda::Function');
  expect(functions.length).toBeGreaterThan(20);
  for (const { Properties } of functions) {
    const { Variables = {} } = (Properties['Environment'] ?? {}) as { Variables?: object };
    expect(ofTheSdk(Variables)).toEqual([]);
  }
});

test('with it, every function declares the endpoint and what it signs with', async () => {
  const { resources } = await constructTree('sandbox', {
    awsEndpointUrl: 'http://host.docker.internal:4566/',
  });
  const functions = resources.filter(({ Type }) => Type === 'AWS::Lambda::Function');
  expect(functions.length).toBeGreaterThan(20);
  for (const { Properties } of functions) {
    expect(Properties['Environment']).toMatchObject({
      Variables: {
        AWS_ENDPOINT_URL: 'http://host.docker.internal:4566',
        AWS_REGION: expect.any(String),
        AWS_ACCESS_KEY_ID: expect.any(String),
        AWS_SECRET_ACCESS_KEY: expect.any(String),
        AWS_SESSION_TOKEN: '',
      },
    });
  }
});

test.each(['', 'localhost:4566', 'ftp://localhost'])(
  "'%s' is refused, and says what is wanted",
  async (url) => {
    await expect(constructTree('sandbox', { awsEndpointUrl: url })).rejects.toThrow(
      'such as http://host.docker.internal:4566',
    );
  },
);
