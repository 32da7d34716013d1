import { Logger } from '@aws-lambda-powertools/logger';

/**
 * The functions' logger: one JSON line per message. What goes in must be no secret and nothing personal: no token, no
 * card token, no text of a message, no reason of an operator.
 */
export const logger = new Logger({ serviceName: 'duotempo' });

/** What the log says of an error. */
export function errorFields(error: unknown): { readonly errorName: string; readonly errorMessage: string } {
  return error instanceof Error
    ? { errorName: error.name, errorMessage: error.message }
    : { errorName: 'unknown', errorMessage: 'unknown' };
}
