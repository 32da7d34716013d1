import type { Invocation } from '../lambda/index.ts';

/** @param source the end of the route's or authorizer's ARN, after `arn:aws:execute-api:<region>:<account>:` */
export type Invoke = (functionArn: string, event: unknown, source: string) => Promise<Invocation>;

export interface InvokerOptions {
  readonly accountId: string;
  readonly region: string;
  readonly access: {
    readonly refusalOf: (request: {
      readonly principal: { readonly kind: 'service'; readonly service: string; readonly sourceArn: string };
      readonly action: string;
      readonly resourceArn: string;
    }) => string | undefined;
  };
  readonly functionPool: {
    readonly invoke: (functionArn: string, event: unknown) => Promise<Invocation>;
  };
}

/** Invokes what a function's resource-based policy allows. Otherwise answers with an error, as on AWS. */
export function invokerOf({ accountId, region, access, functionPool }: InvokerOptions): Invoke {
  return async (functionArn, event, source) => {
    const sourceArn = `arn:aws:execute-api:${region}:${accountId}:${source}`;
    const refusal = access.refusalOf({
      principal: { kind: 'service', service: 'apigateway.amazonaws.com', sourceArn },
      action: 'lambda:InvokeFunction',
      resourceArn: functionArn,
    });
    if (refusal === undefined) return functionPool.invoke(functionArn, event);
    return { kind: 'error', errorType: 'AccessDeniedException', errorMessage: refusal };
  };
}

/** The function runs on after the timeout, as on AWS. @returns undefined after the timeout */
export async function within(
  timeoutMilliseconds: number,
  invoked: Promise<Invocation>,
): Promise<Invocation | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const timedOut = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), timeoutMilliseconds);
  });
  try {
    return await Promise.race([invoked, timedOut]);
  } finally {
    clearTimeout(timer);
  }
}
