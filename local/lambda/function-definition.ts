import type { RoleCredentials } from '../endpoint/index.ts';

/** A Lambda function of a synthesized template, resolved. */
export interface FunctionDefinition {
  readonly stackName: string;
  readonly logicalId: string;
  /** The construct's path. */
  readonly path?: string;
  readonly functionName: string;
  readonly functionArn: string;
  /** The absolute folder of the asset. */
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
  /** Whether a chain of requests may invoke the function any number of times. @default 16 times */
  readonly allowsRecursion?: boolean;
  /** How the runtime writes `console` output and thrown errors. @default Text */
  readonly logFormat?: 'JSON' | 'Text';
  readonly credentials: RoleCredentials;
  /** @default /aws/lambda/<function name> */
  readonly logGroupName?: string;
}

/** An invocation that failed, in Lambda's words: `Sandbox.Timedout`, `Runtime.ExitError`, or the thrown error's name. */
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

/** What a function pool and its pollers report. */
export type LambdaEvent =
  /** One line that a function wrote to its standard output or error. */
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
  /** Lambda dropped messages whose chain had invoked the function too often. */
  | {
      readonly type: 'recursion';
      readonly queueName: string;
      readonly functionName: string;
      readonly messages: number;
    };

export function logGroupName(definition: FunctionDefinition): string {
  return definition.logGroupName ?? `/aws/lambda/${definition.functionName}`;
}
