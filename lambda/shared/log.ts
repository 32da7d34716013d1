import { Logger } from '@aws-lambda-powertools/logger';

/** Never log anything secret or personal: tokens, card tokens, chat texts, reasons. */
export const logger = new Logger({ serviceName: 'duotempo' });

/** From here on, each line has these ids, and none of an earlier invocation. */
export function logInvocation(
  { awsRequestId }: { readonly awsRequestId: string },
  ids: { readonly requestId?: string } = {},
): void {
  logger.resetKeys();
  logger.appendKeys({ ...ids, functionRequestId: awsRequestId });
}

export function errorFields(error: unknown): { readonly errorName: string; readonly errorMessage: string } {
  return error instanceof Error
    ? { errorName: error.name, errorMessage: error.message }
    : { errorName: 'unknown', errorMessage: 'unknown' };
}
