/**
 * Stands in for the SDK's chain of credential providers, in the bundles only: Lambda gives a function its role's
 * credentials in the environment, and the chain's other members (profiles, single sign-on, instance metadata, and the
 * clients they need) are a fifth of a bundle and of its cold start. `lib/node-function.ts` puts it in their place.
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
