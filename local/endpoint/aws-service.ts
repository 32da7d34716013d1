import type { Caller } from '../iam/credentials.ts';
import type { JsonObject } from '../template/index.ts';

/** One call to an AWS API, its body parsed. */
export interface AwsCall {
  /** As it stands in an IAM action: `dynamodb`, `sqs`, `cognito-idp`, `sts`. */
  readonly service: string;
  /** E.g. `PutItem`. */
  readonly action: string;
  readonly request: JsonObject;
  readonly caller: Caller;
  /** Of a service whose requests name what they act on by their path. */
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

export type AwsService = (call: AwsCall) => Promise<AwsAnswer>;

/**
 * Stands between the endpoint and a service, for calls that were authorized: it may answer in the service's place,
 * wait, or change the request or the answer. The service runs once for each `proceed`.
 *
 * @param proceed hands the call on, with another request in its place if one is given. The body of a service that takes
 *   more than JSON stays as it came.
 */
export type Interceptor = (
  call: AwsCall,
  proceed: (request?: JsonObject) => Promise<AwsAnswer>,
) => Promise<AwsAnswer>;

/** @param interceptors the first is the outermost: it sees the call first and the answer last. */
export function intercepted(service: AwsService, interceptors: readonly Interceptor[]): AwsService {
  return interceptors.reduceRight<AwsService>(
    (inner, interceptor) => (call) =>
      interceptor(call, (request) => inner(request === undefined ? call : { ...call, request })),
    service,
  );
}

/** An error in the shape of AWS's JSON protocols, by which every SDK names it. */
export function awsError(type: string, message: string, status = 400): AwsAnswer {
  // DynamoDB and SQS read `message`; some older services write `Message`.
  return { status, body: { __type: type, message, Message: message } };
}
