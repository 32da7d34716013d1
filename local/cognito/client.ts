import { createHmac, timingSafeEqual } from 'node:crypto';

/** An app client of a user pool, resolved. Names of flows and scopes as in the template. */
export interface UserPoolClientDefinition {
  readonly clientId: string;
  readonly clientName?: string;
  /** Present where the template asks for a generated secret. */
  readonly clientSecret?: string;
  readonly allowedOAuthFlows: readonly string[];
  readonly allowedOAuthScopes: readonly string[];
  readonly explicitAuthFlows: readonly string[];
  readonly accessTokenValiditySeconds: number;
  readonly idTokenValiditySeconds: number;
}

export function secretMatches(client: UserPoolClientDefinition, secret: string | undefined): boolean {
  return sameText(client.clientSecret ?? '', secret ?? '');
}

/** What a client with a secret sends beside a user's name, so that the secret itself stays at home. */
export function secretHashMatches(
  client: UserPoolClientDefinition,
  userName: string,
  secretHash: string,
): boolean {
  const expected = createHmac('sha256', client.clientSecret ?? '')
    .update(userName + client.clientId)
    .digest('base64');
  return sameText(expected, secretHash);
}

function sameText(left: string, right: string): boolean {
  const [leftBytes, rightBytes] = [Buffer.from(left), Buffer.from(right)];
  return leftBytes.length === rightBytes.length && timingSafeEqual(leftBytes, rightBytes);
}
