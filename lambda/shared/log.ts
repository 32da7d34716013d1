import { Logger } from '@aws-lambda-powertools/logger';

/**
 * The functions' logger: one JSON line per message. What goes in must be no secret and nothing personal: no token, no
 * card token, no text of a message, no reason of an operator.
 */
export const logger = new Logger({ serviceName: 'duotempo' });

/** From here on, each line names the invocation, and what else identifies its work; nothing of an earlier one. */
export function logInvocation(
  { awsRequestId }: { readonly awsRequestId: string },
  ids: { readonly requestId?: string } = {},
): void {
  logger.resetKeys();
  logger.appendKeys({ ...ids, functionRequestId: awsRequestId });
}

/** What the log says of an error. */
export function errorFields(error: unknown): { readonly errorName: string; readonly errorMessage: string } {
  return error instanceof Error
    ? { errorName: error.name, errorMessage: error.message }
    : { errorName: 'unknown', errorMessage: 'unknown' };
}
