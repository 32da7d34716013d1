import type { RoleCredentials } from '../iam/credentials.ts';

/** A Lambda function of a synthesized template, resolved. */
export interface FunctionDefinition {
  /** Unique over all stacks: `<stack name>/<logical id>`. */
  readonly logicalId: string;
  readonly functionName: string;
  readonly functionArn: string;
  /** The absolute folder of the asset. */
  readonly codeFolder: string;
  /** As in the template: `index.handler` is the export `handler` of index.mjs, index.js or index.cjs. */
  readonly handler: string;
  /** Such as `nodejs24.x`; from 24 on, callback-based handlers are refused, as on AWS. @default nodejs24.x */
  readonly runtime?: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly timeoutSeconds: number;
  readonly memoryMegabytes: number;
  /** @default unreserved: as many as there are workers. */
  readonly reservedConcurrency?: number;
  /** Whether a chain of requests may invoke the function any number of times. @default 16 times */
  readonly allowsRecursion?: boolean;
  /** How the runtime writes what goes through `console`, and errors that the function throws. @default Text */
  readonly logFormat?: 'JSON' | 'Text';
  readonly credentials: RoleCredentials;
  /** @default /aws/lambda/<function name> */
  readonly logGroupName?: string;
}

/** An invocation that failed, in Lambda's own vocabulary (`Sandbox.Timedout`, `Runtime.ExitError`, the thrown error's name …). */
export interface InvocationError {
  readonly kind: 'error';
  readonly errorType: string;
  readonly errorMessage: string;
}

export type Invocation =
  /** `payload` is the parsed JSON of what the handler returned; undefined became null. */
  | { readonly kind: 'success'; readonly payload: unknown }
  | InvocationError
  /** The function's reserved concurrency is used up, or the account's. */
  | { readonly kind: 'throttled' };

/** Lambda's limit for a synchronous payload, in either direction. */
export const maximumPayloadBytes = 6 * 1024 * 1024;
