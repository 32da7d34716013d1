import type { IncomingMessage } from 'node:http';
import { awsError, type AwsAnswer } from './aws-service.ts';

const CODE = 'UnknownOperationException';
const MAXIMUM_NAME_LENGTH = 200;
/** Services whose protocol is XML over REST, as they are signed. Source: their models in the AWS SDKs. */
const REST_XML_SERVICES: readonly (string | undefined)[] = ['cloudfront', 'route53', 's3'];

/** @param service as AWS signs it */
export function unservedText(operation: string, service?: string): string {
  return `The local AWS endpoint does not serve ${service === undefined ? '' : `${service}: `}${operation}.`;
}

/** Says which service and operation the endpoint does not serve, in the protocol in which the call came. */
export function unservedAnswer(
  { method, url, headers }: Pick<IncomingMessage, 'method' | 'url' | 'headers'>,
  body: Buffer,
): AwsAnswer {
  const path = (url ?? '/').replace(/[?#].*$/, '');
  // Every signature names the service: `Credential=<key>/<date>/<region>/<service>/aws4_request`.
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
    const error = `<Error><Type>Sender</Type><Code>${CODE}</Code><Message>${message}</Message></Error>`;
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
      body: cborMap({ __type: CODE, message }),
    };
  }
  return {
    ...awsError(CODE, message),
    headers: { 'content-type': 'application/json', 'x-amzn-errortype': CODE },
  };
}

/** A map of texts in CBOR. Source: RFC 8949, section 3: a byte of type and length, 16 bits of length for longer ones. */
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
