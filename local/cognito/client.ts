import { createHmac, timingSafeEqual } from 'node:crypto';

export interface UserPoolClientDefinition {
  readonly clientId: string;
  readonly clientName?: string;
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

/** A client proves its secret by this hash and never sends the secret itself. */
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
