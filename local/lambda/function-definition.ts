import type { RoleCredentials } from '../endpoint/index.ts';

export interface FunctionDefinition {
  readonly stackName: string;
  readonly logicalId: string;
  readonly path?: string;
  readonly functionName: string;
  readonly functionArn: string;
  /** Absolute path of the asset. */
  readonly codeFolder: string;
  /** `index.handler` is the export `handler` of index.mjs, index.js or index.cjs. */
  readonly handler: string;
  /** From `nodejs24.x` on, callback-based handlers are refused, as on AWS. @default nodejs24.x */
  readonly runtime?: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly timeoutSeconds: number;
  readonly memoryMegabytes: number;
  /** @default as many as there are workers */
  readonly reservedConcurrency?: number;
  /** Whether a chain of requests may invoke the function without limit. @default 16 times */
  readonly allowsRecursion?: boolean;
  readonly logFormat?: 'JSON' | 'Text';
  readonly credentials: RoleCredentials;
  /** @default /aws/lambda/<function name> */
  readonly logGroupName?: string;
}

/** In Lambda's words: `Sandbox.Timedout`, `Runtime.ExitError`, or the name of the thrown error. */
export interface InvocationError {
  readonly kind: 'error';
  readonly errorType: string;
  readonly errorMessage: string;
}

export type Invocation =
  /** `payload` is the handler's result, parsed from JSON; undefined becomes null. */
  | { readonly kind: 'success'; readonly payload: unknown }
  | InvocationError
  /** The concurrency of the function or of the account is used up. */
  | { readonly kind: 'throttled' };

export type LambdaEvent =
  | { readonly type: 'log'; readonly functionName: string; readonly line: string }
  | {
      readonly type: 'invocation';
      readonly functionName: string;
      readonly outcome: 'success' | 'error' | 'throttled';
      readonly errorType?: string;
      readonly errorMessage?: string;
      readonly milliseconds: number;
      readonly coldStart: boolean;
    }
  | {
      readonly type: 'batch';
      readonly queueName: string;
      readonly functionName: string;
      readonly size: number;
      readonly failed: number;
      readonly milliseconds: number;
      readonly waitedMilliseconds: number;
    }
  /** Lambda dropped messages of a chain that invoked the function too often. */
  | {
      readonly type: 'recursion';
      readonly queueName: string;
      readonly functionName: string;
      readonly messages: number;
    };

export function logGroupName(definition: FunctionDefinition): string {
  return definition.logGroupName ?? `/aws/lambda/${definition.functionName}`;
}
