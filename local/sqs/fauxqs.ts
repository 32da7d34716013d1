import { md5OfMessageAttributes } from '../../node_modules/fauxqs/dist/common/md5.js';
import { listQueueTags } from '../../node_modules/fauxqs/dist/sqs/actions/listQueueTags.js';
import { receiveMessage } from '../../node_modules/fauxqs/dist/sqs/actions/receiveMessage.js';
import { sendMessage } from '../../node_modules/fauxqs/dist/sqs/actions/sendMessage.js';
import { sendMessageBatch } from '../../node_modules/fauxqs/dist/sqs/actions/sendMessageBatch.js';
import { setQueueAttributes } from '../../node_modules/fauxqs/dist/sqs/actions/setQueueAttributes.js';
import { tagQueue } from '../../node_modules/fauxqs/dist/sqs/actions/tagQueue.js';
import { untagQueue } from '../../node_modules/fauxqs/dist/sqs/actions/untagQueue.js';
import { SqsStore, type SqsQueue } from '../../node_modules/fauxqs/dist/sqs/sqsStore.js';
import {
  ALL_ATTRIBUTE_NAMES,
  calculateMessageSize,
  INVALID_MESSAGE_BODY_CHAR,
  type SqsMessage,
} from '../../node_modules/fauxqs/dist/sqs/sqsTypes.js';

/*
 * The one place that knows fauxqs from within: its queues and the functions behind each action, without its web
 * server, because the AWS endpoint has read and parsed the request already (and a web framework takes longer to load
 * than all of SQS). Its package exports neither, hence the paths, the exact version in package.json and the canary
 * in test/local/sqs/queues.test.ts.
 */

export { calculateMessageSize, md5OfMessageAttributes };
export type { SqsMessage, SqsQueue, SqsStore };

/** Runs one action. @throws an error that has `code`, `statusCode` and `message` where SQS would refuse. */
export type FauxqsAction = (request: Record<string, unknown>, store: SqsStore) => unknown;

export interface Fauxqs {
  readonly store: SqsStore;
  readonly actions: ReadonlyMap<string, FauxqsAction>;
  /** A message of the same body and attributes, sent now. */
  readonly copyOf: (message: SqsMessage) => SqsMessage;
}

const ACTIONS: Readonly<Record<string, FauxqsAction>> = {
  ListQueueTags: listQueueTags,
  ReceiveMessage: receiveMessage,
  SendMessage: sendMessage,
  SendMessageBatch: sendMessageBatch,
  SetQueueAttributes: setQueueAttributes,
  TagQueue: tagQueue,
  UntagQueue: untagQueue,
};

/** What a body must not hold. Source: SQS API reference, SendMessage: characters of XML 1.0, those beyond U+FFFF included. */
const NO_CHARACTER_OF_A_BODY = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u;
// Its own expression counts half a surrogate pair as a character, and so refuses every emoji.
INVALID_MESSAGE_BODY_CHAR.test = (text) => !isXmlText(text);

/** Whether XML can hold a text: a message's body or attribute. */
export function isXmlText(text: string): boolean {
  return !NO_CHARACTER_OF_A_BODY.test(text);
}

/** What `GetQueueAttributes` shows. */
export const QUEUE_ATTRIBUTES: readonly string[] = [...ALL_ATTRIBUTE_NAMES, 'SqsManagedSseEnabled'];

export function createFauxqs(): Fauxqs {
  return {
    store: new SqsStore(),
    actions: new Map(Object.entries(ACTIONS)),
    copyOf: ({ body, messageAttributes }) => SqsStore.createMessage(body, messageAttributes),
  };
}
