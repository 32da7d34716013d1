/** Amazon Cognito: user pools, their clients and tokens. */
export { COGNITO_TYPES } from './resources.ts';
export { serveUserPools } from './service.ts';
export type { UserPool } from './user-pool.ts';
