import { afterEach, expect, it } from '@jest/globals';
import { defaultProvider } from '../../../lambda/shared/environment-credentials.ts';

const before = { ...process.env };
afterEach(() => {
  process.env = { ...before };
});

it('a function signs with the credentials that Lambda put into its environment, session token included', async () => {
  Object.assign(process.env, {
    AWS_ACCESS_KEY_ID: 'key',
    AWS_SECRET_ACCESS_KEY: 'secret',
    AWS_SESSION_TOKEN: 'session',
  });
  expect(await defaultProvider()()).toEqual({
    accessKeyId: 'key',
    secretAccessKey: 'secret',
    sessionToken: 'session',
  });
  process.env['AWS_SESSION_TOKEN'] = '';
  expect(await defaultProvider()()).toEqual({ accessKeyId: 'key', secretAccessKey: 'secret' });
});

it('without them it says what is missing', async () => {
  delete process.env['AWS_ACCESS_KEY_ID'];
  await expect(defaultProvider()()).rejects.toThrow('no AWS_ACCESS_KEY_ID');
});
