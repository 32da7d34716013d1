/** What DynamoDB Streams answered, in the shape in which the recordings have it. */
export interface StreamsAnswer {
  readonly Error?: object;
  readonly ResponseMetadata?: object;
  readonly StreamDescription?: { readonly Shards: readonly Shard[] };
  readonly ShardIterator?: string;
  readonly Records?: readonly { readonly dynamodb: { readonly NewImage?: Image } }[];
}

export interface Shard {
  readonly ShardId: string;
  readonly SequenceNumberRange: { readonly StartingSequenceNumber: string };
}

/** A record's item, as JSON has it: bytes are base64. */
export type Image = Readonly<Record<string, { readonly [type: string]: string }>>;

export type StreamsCall = (
  action: string,
  request: Readonly<Record<string, string>>,
) => Promise<StreamsAnswer>;

/** Calls DynamoDB Streams by HTTP: the project has no client of it. */
export function streamsCall(endpoint: string): StreamsCall {
  return async (action, request) => {
    const response = await fetch(endpoint, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-amz-json-1.0',
        'x-amz-target': `DynamoDBStreams_20120810.${action}`,
      },
      body: JSON.stringify(request),
    });
    const body = (await response.json()) as StreamsAnswer & {
      readonly __type?: string;
      readonly message?: string;
    };
    const ResponseMetadata = { HTTPHeaders: {}, HTTPStatusCode: response.status };
    if (response.ok) return { ...body, ResponseMetadata };
    const { __type: type = '', message: Message } = body;
    return { Error: { Code: type.replace(/^.*#/, ''), Message }, ResponseMetadata };
  };
}
