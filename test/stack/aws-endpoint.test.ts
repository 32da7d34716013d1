import { expect, test } from '@jest/globals';
import { constructTree } from './construct-tree.ts';
import { type Resource, resourcesOf, stages } from './templates.ts';

/**
 * Goal: `cdk synth -c awsEndpointUrl=<url>` makes templates for `sam local`, and no other command does.
 * Method: the variables and architectures that functions declare and the metadata of resources, with and without it.
 */

const awsEndpointUrl = 'http://host.docker.internal:4566/';
/** As the CDK CLI asks for it. */
const pathMetadata = { 'aws:cdk:enable-path-metadata': 'true', 'aws:cdk:enable-asset-metadata': 'true' };

let synthesis: ReturnType<typeof constructTree> | undefined;

async function resourcesForSam(): Promise<readonly Resource[]> {
  synthesis ??= constructTree('sandbox', { ...pathMetadata, awsEndpointUrl });
  return (await synthesis).resources;
}

async function functionsForSam(): Promise<Resource[]> {
  const functions = (await resourcesForSam()).filter(({ Type }) => Type === 'AWS::Lambda::Function');
  expect(functions.length).toBeGreaterThan(20);
  return functions;
}

const ofTheSdk = (variables: object): string[] =>
  Object.keys(variables).filter((name) => name.startsWith('AWS_'));

test.each(stages)(
  'without it, every function of the %s stage is for AWS: on arm64, with no variable of the SDK',
  async (stage) => {
    const functions = (await resourcesOf(stage)).filter(({ Type }) => Type === 'AWS::Lambda::Function');
    expect(functions.length).toBeGreaterThan(20);
    for (const { Properties } of functions) {
      const { Variables = {} } = (Properties['Environment'] ?? {}) as { Variables?: object };
      expect(ofTheSdk(Variables)).toEqual([]);
      expect(Properties['Architectures']).toEqual(['arm64']);
    }
  },
);

test('with it, every function declares the endpoint and what it signs with', async () => {
  for (const { Properties } of await functionsForSam()) {
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
  for (const { Properties } of await functionsForSam()) {
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
