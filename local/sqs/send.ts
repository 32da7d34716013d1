import { isJsonObject, objectAt, objectsAt, textAt, type JsonObject } from '../template/index.ts';
import {
  FAUXQS,
  md5OfMessageAttributes,
  noteOf,
  type SqsMessage,
  type SqsQueue,
  type SqsStore,
} from './fauxqs.ts';
import { checkBatchSize, checkMessage, entriesOf, settled } from './requests.ts';

const TRACE_HEADER = 'AWSTraceHeader';

/** Synchronous, so that no receiver gets the message before its trace header is noted. */
export function send(
  store: SqsStore,
  queue: SqsQueue,
  request: JsonObject,
  traceHeader?: string,
): JsonObject {
  checkMessage(request);
  const sent: unknown = FAUXQS.SendMessage({ ...request }, store);
  return noted(queue, request, isJsonObject(sent) ? sent : {}, traceHeader);
}

export function sendBatch(
  store: SqsStore,
  queue: SqsQueue,
  request: JsonObject,
  traceHeader?: string,
): JsonObject {
  const entries = entriesOf('SendMessageBatch', request);
  checkBatchSize(entries);
  const { done, failed } = settled(entries, checkMessage);
  if (done.length === 0) return { Failed: failed };
  const answer: unknown = FAUXQS.SendMessageBatch({ ...request, Entries: done }, store);
  const parts = isJsonObject(answer) ? answer : {};
  const sent = objectsAt(parts, 'Successful').map((each) =>
    noted(queue, done.find(({ Id }) => Id === each['Id']) ?? {}, each, traceHeader),
  );
  const refused = objectsAt(parts, 'Failed').map((failure) => ({
    ...failure,
    Message: (textAt(failure, 'Message') ?? '').replace('are invalid', 'cannot be validated'),
  }));
  return { Successful: sent, Failed: [...failed, ...refused] };
}

function noted(
  queue: SqsQueue,
  request: JsonObject,
  sent: JsonObject,
  callTraceHeader: string | undefined,
): JsonObject {
  const isSent = ({ messageId }: SqsMessage): boolean => messageId === sent['MessageId'];
  const message = queue.messages.findLast(isSent) ?? queue.delayedMessages.findLast(isSent);
  if (message === undefined) return sent;
  const group = textAt(request, 'MessageGroupId');
  if (group !== undefined) message.messageGroupId = group;
  const given = textAt(objectAt(objectAt(request, 'MessageSystemAttributes'), TRACE_HEADER), 'StringValue');
  const traceHeader = given ?? callTraceHeader;
  if (traceHeader !== undefined) noteOf(message).traceHeader = traceHeader;
  if (given === undefined) return sent;
  const digest = md5OfMessageAttributes({ [TRACE_HEADER]: { DataType: 'String', StringValue: given } });
  return { ...sent, MD5OfMessageSystemAttributes: digest };
}
