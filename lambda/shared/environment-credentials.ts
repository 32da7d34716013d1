/**
 * Replaces the SDK's chain of credential providers in the bundles (`lib/node-function.ts`). Lambda puts credentials
 * into the environment; the rest of the chain would be a fifth of a bundle and of its cold start.
 */
export const defaultProvider = () => async () => {
  const {
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_SESSION_TOKEN: sessionToken,
  } = process.env;
  if (accessKeyId === undefined || secretAccessKey === undefined) {
    throw new Error('The environment has no AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY: Lambda sets both.');
  }
  return Promise.resolve({
    accessKeyId,
    secretAccessKey,
    ...(sessionToken === undefined || sessionToken === '' ? {} : { sessionToken }),
  });
};
