import { createHash, randomUUID } from 'node:crypto';
import { awsError, unservedText, type AwsAnswer, type AwsHandler } from '../endpoint/index.ts';
import { textAt, type JsonObject, type Place } from '../template/index.ts';
import type { ItemChange } from './items.ts';
import { canonicalText, itemBytes, type Item } from './value.ts';

export type StreamViewType = 'KEYS_ONLY' | 'NEW_IMAGE' | 'OLD_IMAGE' | 'NEW_AND_OLD_IMAGES';

export interface StreamRecord {
  readonly eventID: string;
  readonly eventName: 'INSERT' | 'MODIFY' | 'REMOVE';
  readonly eventVersion: string;
  readonly eventSource: 'aws:dynamodb';
  /** Of an item whose time to live was over. */
  readonly userIdentity?: { readonly type: 'Service'; readonly principalId: 'dynamodb.amazonaws.com' };
  readonly awsRegion: string;
  readonly dynamodb: {
    readonly ApproximateCreationDateTime: number;
    readonly Keys: Item;
    readonly NewImage?: Item;
    readonly OldImage?: Item;
    /** Digits of one length, so that texts compare as numbers. */
    readonly SequenceNumber: string;
    readonly SizeBytes: number;
    readonly StreamViewType: StreamViewType;
  };
}

export interface StreamedTable {
  readonly tableName: string;
  readonly keyNames: readonly string[];
  readonly viewType: StreamViewType;
}

export interface DynamoDbStreams {
  readonly enable: (table: StreamedTable) => string;
  readonly isEnabled: (tableName: string) => boolean;
  readonly describeTable: (tableName: string) => JsonObject;
  readonly append: (change: ItemChange) => void;
  readonly hasStream: (streamArn: string) => boolean;
  /** To the millisecond; the record itself has whole seconds. */
  readonly writtenAt: (streamArn: string, sequenceNumber: string) => Date | undefined;
  readonly hasRecordAfter: (streamArn: string, sequenceNumber: string | undefined) => boolean;
  readonly handle: AwsHandler;
}

interface Stream extends StreamedTable {
  readonly streamArn: string;
  readonly streamLabel: string;
  readonly shardId: string;
  readonly createdAt: Date;
  /** A record's sequence number is `firstSequence` plus its place. */
  entries: { readonly record: StreamRecord; readonly writtenAt: number }[];
  firstSequence: number;
}

const RETENTION_MILLISECONDS = 24 * 3_600_000;
/** Older records go, as they do after 24 hours on AWS. No running pipe falls so far behind. */
const MAXIMUM_RECORDS = 200_000;
const MAXIMUM_PAGE = 1000;
const MAXIMUM_PAGE_BYTES = 1024 * 1024;
/** Source: Amazon DynamoDB developer guide, "DynamoDB Streams and Time to Live". */
const TIME_TO_LIVE = { type: 'Service', principalId: 'dynamodb.amazonaws.com' } as const;
const SEQUENCE_BASE = 10n ** 23n;

export function createDynamoDbStreams(
  options: Place & {
    readonly now?: () => number;
    /** Per stream. @default 200,000 */
    readonly maximumRecords?: number;
  },
): DynamoDbStreams {
  const { region, now = () => Date.now(), maximumRecords = MAXIMUM_RECORDS } = options;
  const byTable = new Map<string, Stream>();
  const byArn = new Map<string, Stream>();

  const trim = (stream: Stream): void =>
    cutOff(stream, { oldest: now() - RETENTION_MILLISECONDS, maximumRecords });

  const call = (action: string, request: JsonObject): AwsAnswer => {
    if (action === 'ListStreams') return listed([...byArn.values()], request);
    if (!['DescribeStream', 'GetShardIterator', 'GetRecords'].includes(action)) {
      return awsError('com.amazon.coral.service#UnknownOperationException', unservedText(action, 'dynamodb'));
    }
    const [iteratorArn, position = ''] = (textAt(request, 'ShardIterator') ?? '').split('#');
    const isRead = action === 'GetRecords';
    const stream = byArn.get((isRead ? iteratorArn : textAt(request, 'StreamArn')) ?? '');
    if (stream === undefined) return isRead ? invalid('Invalid ShardIterator.') : notFound(request);
    if (action === 'DescribeStream') return describe(stream, textAt(request, 'ExclusiveStartShardId'));
    trim(stream);
    return isRead ? page(stream, position, request) : shardIterator(stream, request);
  };

  return {
    enable: (table) => {
      const stream = newStream(options, table, new Date(now()));
      byTable.set(stream.tableName, stream);
      byArn.set(stream.streamArn, stream);
      return stream.streamArn;
    },
    isEnabled: (tableName) => byTable.has(tableName),
    describeTable: (tableName) => {
      const stream = byTable.get(tableName);
      if (stream === undefined) return {};
      return {
        StreamSpecification: { StreamEnabled: true, StreamViewType: stream.viewType },
        LatestStreamLabel: stream.streamLabel,
        LatestStreamArn: stream.streamArn,
      };
    },
    append: (change) => {
      const stream = byTable.get(change.tableName);
      const { before, after } = change;
      const isSame =
        before === undefined || after === undefined
          ? before === after
          : canonicalText(before) === canonicalText(after);
      if (stream === undefined || isSame) return;
      const writtenAt = now();
      stream.entries.push({ writtenAt, record: recordOf(stream, change, writtenAt, region) });
      trim(stream);
    },
    hasStream: (streamArn) => byArn.has(streamArn),
    writtenAt: (streamArn, sequenceNumber) => {
      const stream = byArn.get(streamArn);
      const entry = stream?.entries[placeOf(sequenceNumber) - stream.firstSequence];
      return entry && new Date(entry.writtenAt);
    },
    hasRecordAfter: (streamArn, sequenceNumber) => {
      const { entries, firstSequence } = byArn.get(streamArn) ?? { entries: [], firstSequence: 0 };
      if (sequenceNumber === undefined) return entries.length > 0;
      return placeOf(sequenceNumber) < firstSequence + entries.length - 1;
    },
    handle: ({ action, request }) => Promise.resolve(call(action, request)),
  };
}

function newStream({ accountId, region }: Place, table: StreamedTable, createdAt: Date): Stream {
  const streamLabel = createdAt.toISOString().replace('Z', '');
  const streamArn = `arn:aws:dynamodb:${region}:${accountId}:table/${table.tableName}/stream/${streamLabel}`;
  const digest = createHash('sha256').update(streamArn).digest('hex').slice(0, 8);
  const shardId = `shardId-${String(createdAt.getTime()).padStart(20, '0')}-${digest}`;
  return { ...table, streamArn, streamLabel, shardId, createdAt, entries: [], firstSequence: 1 };
}

/** Cuts rarely and much, so that each record moves about once. */
function cutOff(
  stream: Stream,
  { oldest, maximumRecords }: { readonly oldest: number; readonly maximumRecords: number },
): void {
  let cut = Math.max(0, stream.entries.length - maximumRecords);
  if (cut > 0) cut = Math.max(cut, Math.ceil(maximumRecords / 10));
  while ((stream.entries[cut]?.writtenAt ?? Infinity) < oldest) cut += 1;
  if (cut === 0) return;
  stream.entries = stream.entries.slice(cut);
  stream.firstSequence += cut;
}

function recordOf(
  stream: Stream,
  { before, after, isExpiry }: ItemChange,
  writtenAt: number,
  region: string,
): StreamRecord {
  const keys = Object.fromEntries(
    stream.keyNames.flatMap((name) => {
      const value = (after ?? before)?.[name];
      return value === undefined ? [] : [[name, value] as const];
    }),
  );
  const { viewType } = stream;
  const wantsNew = viewType === 'NEW_IMAGE' || viewType === 'NEW_AND_OLD_IMAGES';
  const wantsOld = viewType === 'OLD_IMAGE' || viewType === 'NEW_AND_OLD_IMAGES';
  const images = {
    ...(wantsNew && after !== undefined ? { NewImage: after } : {}),
    ...(wantsOld && before !== undefined ? { OldImage: before } : {}),
  };
  const place = stream.firstSequence + stream.entries.length;
  return {
    eventID: randomUUID().replaceAll('-', ''),
    eventName: before === undefined ? 'INSERT' : after === undefined ? 'REMOVE' : 'MODIFY',
    eventVersion: '1.1',
    eventSource: 'aws:dynamodb',
    awsRegion: region,
    ...(isExpiry === true ? { userIdentity: TIME_TO_LIVE } : {}),
    dynamodb: {
      ApproximateCreationDateTime: Math.floor(writtenAt / 1000),
      Keys: keys,
      ...images,
      SequenceNumber: sequenceAt(place),
      SizeBytes: [keys, ...Object.values(images)].reduce((bytes, item) => bytes + itemBytes(item), 0),
      StreamViewType: viewType,
    },
  };
}

function listed(streams: readonly Stream[], request: JsonObject): AwsAnswer {
  const wanted = textAt(request, 'TableName');
  const Streams = streams
    .filter(({ tableName }) => wanted === undefined || tableName === wanted)
    .map(({ streamArn, streamLabel, tableName }) => ({
      StreamArn: streamArn,
      StreamLabel: streamLabel,
      TableName: tableName,
    }));
  return { status: 200, body: { Streams } };
}

function describe(stream: Stream, after: string | undefined): AwsAnswer {
  const shard = { ShardId: stream.shardId, SequenceNumberRange: { StartingSequenceNumber: sequenceAt(1) } };
  const StreamDescription = {
    StreamArn: stream.streamArn,
    StreamLabel: stream.streamLabel,
    StreamStatus: 'ENABLED',
    StreamViewType: stream.viewType,
    CreationRequestDateTime: stream.createdAt.getTime() / 1000,
    TableName: stream.tableName,
    KeySchema: stream.keyNames.map((AttributeName, index) => ({
      AttributeName,
      KeyType: index === 0 ? 'HASH' : 'RANGE',
    })),
    Shards: after === stream.shardId ? [] : [shard],
  };
  return { status: 200, body: { StreamDescription } };
}

function shardIterator(stream: Stream, request: JsonObject): AwsAnswer {
  if (textAt(request, 'ShardId') !== stream.shardId) {
    return awsError(type('ResourceNotFoundException'), 'Requested resource not found: no such shard.');
  }
  const asked = placeOf(textAt(request, 'SequenceNumber') ?? '');
  const places = new Map([
    ['TRIM_HORIZON', stream.firstSequence],
    ['LATEST', stream.firstSequence + stream.entries.length],
    ['AT_SEQUENCE_NUMBER', asked],
    ['AFTER_SEQUENCE_NUMBER', asked + 1],
  ]);
  const place = places.get(textAt(request, 'ShardIteratorType') ?? '');
  if (place === undefined) return invalid('ShardIteratorType is unknown.');
  if (place < stream.firstSequence) return trimmed();
  return { status: 200, body: { ShardIterator: `${stream.streamArn}#${place}` } };
}

function page(stream: Stream, position: string, request: JsonObject): AwsAnswer {
  if (!/^\d+$/.test(position)) return invalid('Invalid ShardIterator.');
  const limit = Number(request['Limit'] ?? MAXIMUM_PAGE);
  if (!Number.isInteger(limit) || limit < 1 || limit > MAXIMUM_PAGE) {
    return invalid(`Limit must be between 1 and ${MAXIMUM_PAGE}.`);
  }
  const place = Number(position);
  if (place < stream.firstSequence) return trimmed();
  const Records: StreamRecord[] = [];
  let bytes = 0;
  const start = place - stream.firstSequence;
  for (const { record } of stream.entries.slice(start, start + limit)) {
    bytes += record.dynamodb.SizeBytes;
    if (Records.length > 0 && bytes > MAXIMUM_PAGE_BYTES) break;
    Records.push(record);
  }
  return {
    status: 200,
    body: { Records, NextShardIterator: `${stream.streamArn}#${place + Records.length}` },
  };
}

function sequenceAt(place: number): string {
  return String(SEQUENCE_BASE + BigInt(place));
}

function placeOf(text: string): number {
  return /^\d{24}$/.test(text) ? Number(BigInt(text) - SEQUENCE_BASE) : -1;
}

const type = (name: string): string => `com.amazonaws.dynamodb.streams.v20120810#${name}`;

function invalid(message: string): AwsAnswer {
  return awsError(type('ValidationException'), message);
}

function notFound(request: JsonObject): AwsAnswer {
  const streamArn = textAt(request, 'StreamArn') ?? '';
  return awsError(
    type('ResourceNotFoundException'),
    `Requested resource not found: Stream: ${streamArn} not found`,
  );
}

function trimmed(): AwsAnswer {
  return awsError(
    type('TrimmedDataAccessException'),
    'The operation attempted to read past the oldest stream record in a shard.',
  );
}
