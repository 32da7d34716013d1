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
 * The one file that knows fauxqs's internals. Its web server is left out: the AWS endpoint has parsed the request
 * already, and loading it takes longer than all of SQS. The package exports none of this, hence the paths, the exact
 * version in package.json and the canary in the test of SQS.
 */

export { calculateMessageSize, md5OfMessageAttributes, type SqsMessage, type SqsQueue, SqsStore };

type Action = (request: Record<string, unknown>, store: SqsStore) => unknown;

/** Each throws an error with a `code` where SQS would refuse. */
export const FAUXQS = {
  ListQueueTags: listQueueTags,
  ReceiveMessage: receiveMessage,
  SendMessage: sendMessage,
  SendMessageBatch: sendMessageBatch,
  SetQueueAttributes: setQueueAttributes,
  TagQueue: tagQueue,
  UntagQueue: untagQueue,
} satisfies Record<string, Action>;

/** Characters that XML 1.0 does not have. Source: SQS API reference, SendMessage. */
const NO_XML_CHARACTER = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u;
// fauxqs's own expression counts half a surrogate pair as a character, and so refuses every emoji.
INVALID_MESSAGE_BODY_CHAR.test = (text) => !isXmlText(text);

export function isXmlText(text: string): boolean {
  return !NO_XML_CHARACTER.test(text);
}

export const QUEUE_ATTRIBUTES: readonly string[] = [...ALL_ATTRIBUTE_NAMES, 'SqsManagedSseEnabled'];

interface Note {
  sourceArn?: string;
  traceHeader?: string;
  latestHandle?: string;
}

const notes = new WeakMap<SqsMessage, Note>();

export function noteOf(message: SqsMessage): Note {
  const note = notes.get(message) ?? {};
  notes.set(message, note);
  return note;
}
