import { Logger } from '@aws-lambda-powertools/logger';
import * as v from 'valibot';

/**
 * The functions' logger: one JSON line per message. What goes in must be no secret and nothing personal: no token, no
 * card token, no text of a message, no reason of an operator.
 */
export const logger = new Logger({ serviceName: 'duotempo' });

// An error of the schema library ends up in the log, here or where Lambda logs what a function throws. By default its
// message repeats the value that does not fit.
v.setGlobalMessage(({ expected }) => `is not ${expected ?? 'what it should be'}`);

/** What the log says of an error. */
export function errorFields(error: unknown): { readonly errorName: string; readonly errorMessage: string } {
  if (!(error instanceof Error)) return { errorName: 'unknown', errorMessage: 'unknown' };
  const { name: errorName, message } = error;
  if (v.isValiError(error)) {
    const [issue] = error.issues;
    return { errorName, errorMessage: `${(v.getDotPath(issue) ?? 'value').slice(0, 64)} ${message}` };
  }
  // JSON.parse quotes what it could not read.
  return { errorName, errorMessage: error instanceof SyntaxError ? 'not shown' : message };
}
