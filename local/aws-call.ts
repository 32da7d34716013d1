import type { RoleCredentials } from './credentials.ts';
import { isJsonObject, textAt } from './template.ts';
import type { JsonObject } from './template.ts';

/** What the AWS endpoint refused. */
export class AwsCallError extends Error {
  /** Without its namespace: `AccessDeniedException`. */
  constructor(name: string, message: string) {
    super(message);
    this.name = name;
  }
}

export interface AwsCaller {
  readonly awsEndpoint: string;
  readonly region: string;
  readonly credentials: RoleCredentials;
}

/**
 * Calls an API on the AWS endpoint for which no SDK client is installed, as a role. The endpoint takes the access key
 * id for proof, so that there is nothing to sign.
 *
 * @param target such as `DynamoDBStreams_20120810.GetRecords`
 * @throws AwsCallError
 */
export async function callAws(
  { awsEndpoint, region, credentials }: AwsCaller,
  target: string,
  request: JsonObject,
  signal: AbortSignal,
): Promise<JsonObject> {
  const response = await fetch(awsEndpoint, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-target': target,
      authorization: `AWS4-HMAC-SHA256 Credential=${credentials.accessKeyId}/19700101/${region}/dynamodb/aws4_request, SignedHeaders=host, Signature=0`,
    },
    body: JSON.stringify(request),
    signal,
  });
  const answer: unknown = await response.json();
  if (!isJsonObject(answer)) throw new AwsCallError('InternalFailure', 'The answer is not a JSON object.');
  if (response.ok) return answer;
  const name = (textAt(answer, '__type') ?? 'InternalFailure').replace(/^.*#/, '');
  throw new AwsCallError(name, textAt(answer, 'message') ?? textAt(answer, 'Message') ?? name);
}
