import { expect, test } from '@jest/globals';
import { createUserPool } from '../../../local/cognito/user-pool.ts';
import { serveUserPools } from '../../../local/cognito/index.ts';

const userPoolId = 'us-east-1_aB3dE6gH9';

async function call(action: string, request: Readonly<Record<string, string>>) {
  const pool = await createUserPool({ userPoolId, issuer: 'http://localhost/identity' });
  return serveUserPools(new Map([[userPoolId, pool]])).handle({
    service: 'cognito-idp',
    action,
    request,
    caller: { kind: 'operator' },
    signal: new AbortController().signal,
  });
}

test('the pools of the app are listed', async () => {
  expect(await call('ListUserPools', {})).toEqual({
    status: 200,
    body: { UserPools: [{ Id: userPoolId }] },
  });
});

test.each([
  ['CreateUserPool', { PoolName: 'x' }, 'UnknownOperationException', /CreateUserPool/],
  ['ListUsers', { UserPoolId: 'us-east-1_x' }, 'ResourceNotFoundException', /User pool us-east-1_x/],
  ['InitiateAuth', { ClientId: 'x' }, 'ResourceNotFoundException', /User pool client x /],
])('%s of %j is refused by name', async (action, request, type, message) => {
  expect(await call(action, request)).toMatchObject({
    status: 400,
    body: { __type: type, message: expect.stringMatching(message) },
  });
});
