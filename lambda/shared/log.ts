import { Logger } from '@aws-lambda-powertools/logger';

/**
 * The functions' logger: one JSON line per message. What goes in must be no secret and nothing personal: no token, no
 * card token, no text of a message.
 */
export const logger = new Logger();
