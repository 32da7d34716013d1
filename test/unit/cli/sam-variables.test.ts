import { expect, test } from '@jest/globals';
import { samVariables, samVariablesFile } from '../../../cli/start/sam-variables.ts';

const credentials = {
  roleArn: 'arn:aws:iam::000000000000:role/Shop',
  sessionName: 'Shop-Sell',
  accessKeyId: 'ASIASHOP',
  secretAccessKey: 'secret',
};

function variablesOf(environment: Readonly<Record<string, string>>) {
  const place = {
    stackName: 'Shop',
    functionName: 'Shop-Sell',
    functionArn: 'arn:aws:lambda:us-east-1:000000000000:function:Shop-Sell',
  };
  return samVariables({
    awsEndpoint: 'http://localhost:4566',
    region: 'us-east-1',
    userPools: [{ issuer: 'http://localhost:3000/identity', userPoolId: 'us-east-1_abc' }],
    functions: [{ ...place, logicalId: 'Sell1234', environment, credentials }],
  })['Sell1234'];
}

test('a function in a container signs as its role, and finds the AWS endpoint on the machine', () => {
  expect(variablesOf({ TABLE: 'sales' })).toEqual({
    TABLE: 'sales',
    AWS_ENDPOINT_URL: 'http://host.docker.internal:4566',
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'ASIASHOP',
    AWS_SECRET_ACCESS_KEY: 'secret',
    AWS_SESSION_TOKEN: '',
  });
});

test('urls below the AWS endpoint are those that a container reaches; all others stay as they are', () => {
  expect(
    variablesOf({
      QUEUE_URL: 'http://localhost:4566/000000000000/sales',
      ENDPOINT: 'http://localhost:4566',
      OTHER_PORT: 'http://localhost:45667/x',
      ISSUER: 'http://localhost:3000/identity',
    }),
  ).toMatchObject({
    QUEUE_URL: 'http://host.docker.internal:4566/000000000000/sales',
    ENDPOINT: 'http://host.docker.internal:4566',
    OTHER_PORT: 'http://localhost:45667/x',
    ISSUER: 'http://localhost:3000/identity',
  });
});

test("the issuer's keys are where a container reaches them", () => {
  expect(variablesOf({ KEYS: 'http://localhost:3000/identity/.well-known/jwks.json' })).toMatchObject({
    KEYS: 'http://host.docker.internal:4566/us-east-1_abc/.well-known/jwks.json',
  });
});

test('the file lies next to the outputs', () => {
  expect(samVariablesFile('/somewhere/outputs.json')).toBe('/somewhere/sam-env.json');
});
