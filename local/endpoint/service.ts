import type { JsonObject, Place } from '../template/index.ts';
import type { Caller } from './caller.ts';

/** One call to an AWS API, its body parsed. */
export interface AwsCall {
  /** As IAM actions spell it: `dynamodb`, `sqs`, `cognito-idp`. */
  readonly service: string;
  readonly action: string;
  readonly request: JsonObject;
  readonly caller: Caller;
  /** Set for services whose paths name the resource. */
  readonly resourceArn?: string;
  /** The caller's `X-Amzn-Trace-Id`. */
  readonly traceHeader?: string;
  /** Aborts when the client goes away or the host stops. */
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
   * What a call must be allowed: nothing where AWS asks no one.
   * Source: Service Authorization Reference, "Actions, resources, and condition keys".
   */
  readonly neededAccess: (call: AwsCall, place: Place) => readonly NeededAccess[];
}

/** A service that tells its actions by method and path. */
export interface RestService {
  readonly service: string;
  /** @returns undefined for requests of other services. */
  readonly read: (method: string, path: string) => RestCall | undefined;
}

export interface RestCall extends Pick<AwsCall, 'action' | 'request'> {
  readonly resourceArn: string;
  readonly handle: (body: Buffer) => Promise<AwsAnswer>;
}

/**
 * Stands between the endpoint and a service, for calls that were authorized. It may wait, change the request or the
 * answer, or answer in the service's place. The service runs once for each `proceed`.
 *
 * @param proceed hands the call on, with another request if one is given. A REST service keeps the one that came.
 */
export type Interceptor = (
  call: AwsCall,
  proceed: (request?: JsonObject) => Promise<AwsAnswer>,
) => Promise<AwsAnswer>;

/** @param interceptors the first is the outermost: it sees the call first and the answer last. */
export function intercepted(handler: AwsHandler, interceptors: readonly Interceptor[]): AwsHandler {
  return interceptors.reduceRight<AwsHandler>(
    (inner, interceptor) => (call) =>
      interceptor(call, (request) => inner(request === undefined ? call : { ...call, request })),
    handler,
  );
}
