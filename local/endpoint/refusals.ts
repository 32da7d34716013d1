import type { IncomingMessage } from 'node:http';
import type { AwsAnswer } from './service.ts';

const UNKNOWN_OPERATION = 'UnknownOperationException';
const MAXIMUM_NAME_LENGTH = 200;
/** Services that use XML over REST, by their signing names. Source: their models in the AWS SDKs. */
const REST_XML_SERVICES: readonly (string | undefined)[] = ['cloudfront', 'route53', 's3'];

/** In the shape of AWS's JSON protocols. SDKs name the error by `type`. */
export function awsError(type: string, message: string, status = 400): AwsAnswer {
  // DynamoDB and SQS read `message`; some older services write `Message`.
  return { status, body: { __type: type, message, Message: message } };
}

export function deniedAnswer(service: string, message: string): AwsAnswer {
  if (service === 'execute-api') {
    return {
      status: 403,
      headers: { 'x-amzn-errortype': 'AccessDeniedException' },
      body: { Message: message },
    };
  }
  const answer = awsError('com.amazon.coral.service#AccessDeniedException', message);
  if (service !== 'sqs') return answer;
  // Clients written for SQS's older protocol go by this code.
  return { ...answer, status: 403, headers: { 'x-amzn-query-error': 'AccessDenied;Sender' } };
}

export function unservedText(operation: string, service?: string): string {
  return `The local AWS endpoint does not serve ${service === undefined ? '' : `${service}: `}${operation}.`;
}

/** Says which operation is not served, in the protocol of the call. */
export function unservedAnswer(
  { method, url, headers }: Pick<IncomingMessage, 'method' | 'url' | 'headers'>,
  body: Buffer,
): AwsAnswer {
  const path = (url ?? '/').replace(/[?#].*$/, '');
  const service = /Credential=[^,]*\/([a-z0-9-]+)\/aws4_request/.exec(headers.authorization ?? '')?.[1];
  const isForm = headers['content-type']?.startsWith('application/x-www-form-urlencoded') === true;
  const named =
    (isForm ? new URLSearchParams(body.toString('utf8')).get('Action') : undefined) ??
    /\.(\w+)$/.exec(String(headers['x-amz-target'] ?? ''))?.[1] ??
    /\/operation\/(\w+)$/.exec(path)?.[1];
  const operation = (named ?? `${method} ${path}`)
    .replaceAll(/[^\w /.:-]/g, '')
    .slice(0, MAXIMUM_NAME_LENGTH);
  const message = unservedText(operation, service);

  if (isForm || REST_XML_SERVICES.includes(service)) {
    const error = `<Error><Type>Sender</Type><Code>${UNKNOWN_OPERATION}</Code><Message>${message}</Message></Error>`;
    return {
      status: 400,
      headers: { 'content-type': 'text/xml' },
      body: service === 's3' ? error : `<ErrorResponse>${error}</ErrorResponse>`,
    };
  }
  if (headers['smithy-protocol'] === 'rpc-v2-cbor') {
    return {
      status: 400,
      headers: { 'content-type': 'application/cbor', 'smithy-protocol': 'rpc-v2-cbor' },
      body: cborMap({ __type: UNKNOWN_OPERATION, message }),
    };
  }
  return {
    ...awsError(UNKNOWN_OPERATION, message),
    headers: { 'content-type': 'application/json', 'x-amzn-errortype': UNKNOWN_OPERATION },
  };
}

/** A CBOR map of texts with 16-bit lengths. Source: RFC 8949, section 3. */
function cborMap(texts: Readonly<Record<string, string>>): Buffer {
  const entries = Object.entries(texts);
  const parts = entries.flat().map((text) => {
    const bytes = Buffer.from(text);
    const head = Buffer.from([0x79, 0, 0]);
    head.writeUInt16BE(bytes.length, 1);
    return Buffer.concat([head, bytes]);
  });
  return Buffer.concat([Buffer.from([0xa0 + entries.length]), ...parts]);
}
