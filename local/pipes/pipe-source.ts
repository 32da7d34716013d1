import { AwsCallError, type CallAws } from '../endpoint/index.ts';
import { objectAt, objectsAt, textAt, type JsonObject } from '../template/index.ts';

/** As `GetRecords` answers it, with the stream's ARN. */
export interface PipeRecord {
  readonly sequenceNumber: string;
  readonly createdAt: number;
  readonly event: JsonObject;
}

export interface PipeSource {
  /** At most 1,000. */
  readonly read: (signal: AbortSignal) => Promise<readonly PipeRecord[]>;
  readonly shardId: string;
}

const API = 'DynamoDBStreams_20120810';

export interface PipeSourceOptions {
  readonly callAws: CallAws;
  readonly streamArn: string;
  readonly startingPosition: 'TRIM_HORIZON' | 'LATEST';
}

/**
 * @param after begins behind this sequence number, or at the oldest record where AWS trimmed it.
 * @throws AwsCallError
 */
export async function openPipeSource(
  { callAws, streamArn, startingPosition }: PipeSourceOptions,
  after: string | undefined,
  signal: AbortSignal,
): Promise<PipeSource> {
  const call = (action: string, request: JsonObject): Promise<JsonObject> =>
    callAws(`${API}.${action}`, request, signal);

  const description = objectAt(await call('DescribeStream', { StreamArn: streamArn }), 'StreamDescription');
  const [shard = {}] = objectsAt(description, 'Shards');
  const shardId = textAt(shard, 'ShardId');
  if (shardId === undefined) throw new AwsCallError('ResourceNotFoundException', 'The stream has no shard.');

  const iteratorAt = async (position: JsonObject): Promise<string> => {
    const answer = await call('GetShardIterator', { StreamArn: streamArn, ShardId: shardId, ...position });
    return textAt(answer, 'ShardIterator') ?? '';
  };
  const oldest = { ShardIteratorType: 'TRIM_HORIZON' };
  const begin = async (): Promise<string> => {
    if (after === undefined) return iteratorAt({ ShardIteratorType: startingPosition });
    try {
      return await iteratorAt({ ShardIteratorType: 'AFTER_SEQUENCE_NUMBER', SequenceNumber: after });
    } catch (error) {
      if (!isTrimmed(error)) throw error;
      return iteratorAt(oldest);
    }
  };
  let iterator = await begin();

  return {
    shardId,
    read: async (readSignal) => {
      try {
        const answer = await callAws(`${API}.GetRecords`, { ShardIterator: iterator }, readSignal);
        iterator = textAt(answer, 'NextShardIterator') ?? iterator;
        return objectsAt(answer, 'Records').map((record) => recordOf(record, streamArn));
      } catch (error) {
        if (!isTrimmed(error)) throw error;
        iterator = await iteratorAt(oldest);
        return [];
      }
    },
  };
}

function isTrimmed(error: unknown): boolean {
  return error instanceof AwsCallError && error.name === 'TrimmedDataAccessException';
}

function recordOf(record: JsonObject, streamArn: string): PipeRecord {
  const change = objectAt(record, 'dynamodb');
  return {
    sequenceNumber: textAt(change, 'SequenceNumber') ?? '',
    createdAt: Number(change['ApproximateCreationDateTime'] ?? 0),
    event: { ...record, eventSourceARN: streamArn },
  };
}
