import { describe, expect, it } from '@jest/globals';
import { batchResponse, parseJsonBody, PermanentError } from '../../../lambda/shared/batch.ts';
import { captureLog } from './captured-log.ts';
import { sqsRecord } from '../card-settlement/card-facts.ts';

describe('the response to a batch', () => {
  it('names the messages that failed, and no other', async () => {
    const { result } = await captureLog(() =>
      batchResponse([
        { record: sqsRecord('m1', '{}'), error: new Error('throttled') },
        { record: sqsRecord('m3', '{}'), error: 'not even an error' },
      ]),
    );
    expect(result).toEqual({ batchItemFailures: [{ itemIdentifier: 'm1' }, { itemIdentifier: 'm3' }] });
  });

  it('is an empty list if all is well: the whole batch is deleted', () => {
    expect(batchResponse([])).toEqual({ batchItemFailures: [] });
  });

  it('is logged without the message’s body, and says if no retry will help', async () => {
    const { lines } = await captureLog(() =>
      batchResponse([
        {
          record: sqsRecord('m1', '{"secret":1}'),
          error: new PermanentError('The message is no settlement message.'),
        },
        { record: sqsRecord('m2', '{"secret":1}'), error: new Error('throttled') },
      ]),
    );
    expect(lines).toHaveLength(2);
    expect(lines[0]).toMatchObject({ queueMessageId: 'm1', permanent: true, receiveCount: '1' });
    expect(lines[1]).toMatchObject({ queueMessageId: 'm2', permanent: false, errorMessage: 'throttled' });
    expect(JSON.stringify(lines)).not.toContain('secret');
  });
});

describe('a failure in the log', () => {
  it('names what its message names', async () => {
    const about = { factId: 't1', requestId: 'request-1' };
    const { lines } = await captureLog(() =>
      batchResponse([{ record: sqsRecord('m1', '{}'), error: new Error('throttled'), about }]),
    );
    expect(lines).toMatchObject([{ queueMessageId: 'm1', ...about }]);
  });
});

describe('the body of a message', () => {
  it('is read as JSON', () => {
    expect(parseJsonBody({ body: '{"factId":"t1"}' })).toEqual({ factId: 't1' });
  });

  it.each(['', '{', 'text', '{"factId":"t1"', '\u0000'])('%j fails for good, and is not repeated', (body) => {
    expect(() => parseJsonBody({ body })).toThrow(new PermanentError('The message body is not JSON.'));
  });
});
