import { randomBytes } from 'node:crypto';

/** For a function, `sessionName` is the function's name. */
export interface RoleSession {
  readonly roleArn: string;
  readonly sessionName: string;
}

export interface RoleCredentials extends RoleSession {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** The operator is the person at the keyboard, who may do everything. */
export type Caller = ({ readonly kind: 'role' } & RoleSession) | { readonly kind: 'operator' };

export interface CredentialStore {
  readonly credentialsOf: (roleArn: string, sessionName: string) => RoleCredentials;
  readonly callerOf: (authorization: string | undefined) => Caller;
}

/** Signatures are not verified: on a laptop the access key id is enough. */
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

/** `arn:aws:sts::<account>:assumed-role/<role>/<session>`, as messages and policies write it. */
export function sessionArn({ roleArn, sessionName }: RoleSession): string {
  return `${roleArn.replace(':iam:', ':sts:').replace(':role/', ':assumed-role/')}/${sessionName}`;
}
