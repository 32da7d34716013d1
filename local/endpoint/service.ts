import type { JsonObject, Place } from '../template/index.ts';
import type { Caller } from './caller.ts';

export interface AwsCall {
  /** As in IAM actions: `dynamodb`, `sqs`, `cognito-idp`. */
  readonly service: string;
  readonly action: string;
  readonly request: JsonObject;
  readonly caller: Caller;
  /** For services whose paths name the resource. */
  readonly resourceArn?: string;
  readonly traceHeader?: string;
  /** Aborts when the client leaves or the host stops. */
  readonly signal: AbortSignal;
}

export interface AwsAnswer {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export type AwsHandler = (call: AwsCall) => Promise<AwsAnswer>;

export interface NeededAccess {
  readonly action: string;
  readonly resourceArn: string;
}

export interface AwsService {
  /** What `x-amz-target` begins with: `DynamoDB_20120810`. */
  readonly target: string;
  readonly service: string;
  readonly handle: AwsHandler;
  /**
   * Empty where AWS checks nothing. Source: Service Authorization Reference, "Actions, resources, and condition keys".
   */
  readonly neededAccess: (call: AwsCall, place: Place) => readonly NeededAccess[];
}

export interface RestService {
  readonly service: string;
  /** @returns undefined for requests of other services */
  readonly read: (method: string, path: string) => RestCall | undefined;
}

export interface RestCall extends Pick<AwsCall, 'action' | 'request'> {
  readonly resourceArn: string;
  readonly handle: (body: Buffer) => Promise<AwsAnswer>;
}

/**
 * Sees authorized calls before a service. It may wait, change the request or the answer, or answer itself.
 * @param proceed runs the service, each time it is called; a REST service ignores another request
 */
export type Interceptor = (
  call: AwsCall,
  proceed: (request?: JsonObject) => Promise<AwsAnswer>,
) => Promise<AwsAnswer>;

/** @param interceptors the first is the outermost */
export function intercepted(handler: AwsHandler, interceptors: readonly Interceptor[]): AwsHandler {
  return interceptors.reduceRight<AwsHandler>(
    (inner, interceptor) => (call) =>
      interceptor(call, (request) => inner(request === undefined ? call : { ...call, request })),
    handler,
  );
}
