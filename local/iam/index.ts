/** IAM: roles, policies, and what they allow. */
export { createAccess, mayWriteTo, type Access, type AccessDeniedEvent } from './access.ts';
export { API_GATEWAY_LOG_ACTIONS, IAM_TYPES, policyAt, policyOf, requireAssumable } from './resources.ts';
export { compileWildcard } from './wildcard.ts';
