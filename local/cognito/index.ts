/** Amazon Cognito: user pools, their clients and tokens. */
export { COGNITO_TYPES } from './resources.ts';
export { serveUserPools, type UserPool } from './user-pool.ts';
