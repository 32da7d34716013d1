import { randomBytes } from 'node:crypto';

/** What whoever acts as a role signs with. */
export interface RoleCredentials {
  readonly roleArn: string;
  /** What AWS would name the session: of a function, the function's name. */
  readonly sessionName: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** Who calls the AWS endpoint: a role of the app, or the person at the keyboard, who may do everything. */
export type Caller =
  | { readonly kind: 'role'; readonly roleArn: string; readonly sessionName: string }
  | { readonly kind: 'operator' };

export interface CredentialStore {
  /** The credentials of a session of a role: the same ones at every call. */
  readonly credentialsOf: (roleArn: string, sessionName: string) => RoleCredentials;
  /** Tells the caller by the `Authorization` header of a signed request. */
  readonly callerOf: (authorization: string | undefined) => Caller;
}

const OPERATOR: Caller = { kind: 'operator' };

/** Issues one identity per role and session. Signatures are not verified: knowing the access key id is enough on a laptop. */
export function createCredentialStore(): CredentialStore {
  const bySession = new Map<string, RoleCredentials>();
  const byAccessKeyId = new Map<string, Caller>();
  return {
    credentialsOf: (roleArn, sessionName) => {
      const session = `${roleArn}/${sessionName}`;
      const known = bySession.get(session);
      if (known !== undefined) return known;
      const credentials = {
        roleArn,
        sessionName,
        accessKeyId: `ASIA${randomBytes(8).toString('hex').toUpperCase()}`,
        secretAccessKey: randomBytes(30).toString('base64'),
      };
      bySession.set(session, credentials);
      byAccessKeyId.set(credentials.accessKeyId, { kind: 'role', roleArn, sessionName });
      return credentials;
    },
    callerOf: (authorization) => {
      const accessKeyId = /Credential=([^/,\s]+)\//.exec(authorization ?? '')?.[1];
      return byAccessKeyId.get(accessKeyId ?? '') ?? OPERATOR;
    },
  };
}
