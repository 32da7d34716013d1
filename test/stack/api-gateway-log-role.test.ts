import { expect, test } from '@jest/globals';
import { constructTree } from './construct-tree.ts';

/** Goal: the account's role for logs of API Gateway is left alone where somebody else looks after it. */

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
