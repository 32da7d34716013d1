import { randomBytes } from 'node:crypto';

/** A session of a role. Of a function, the session's name is the function's. */
export interface RoleSession {
  readonly roleArn: string;
  readonly sessionName: string;
}

/** What a session of a role signs its requests with. */
export interface RoleCredentials extends RoleSession {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** Who calls the AWS endpoint: a role of the app, or the person at the keyboard, who may do everything. */
export type Caller = ({ readonly kind: 'role' } & RoleSession) | { readonly kind: 'operator' };

export interface CredentialStore {
  readonly credentialsOf: (roleArn: string, sessionName: string) => RoleCredentials;
  /** @param authorization the header of a signed request */
  readonly callerOf: (authorization: string | undefined) => Caller;
}

/** Nobody verifies signatures: on a laptop, knowing the access key id is enough. */
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
      return byAccessKeyId.get(accessKeyId ?? '') ?? { kind: 'operator' };
    },
  };
}

/** How messages and policies name a session: `arn:aws:sts::<account>:assumed-role/<role>/<session>`. */
export function sessionArn({ roleArn, sessionName }: RoleSession): string {
  return `${roleArn.replace(':iam:', ':sts:').replace(':role/', ':assumed-role/')}/${sessionName}`;
}
