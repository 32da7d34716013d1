import { createHash, randomBytes } from 'node:crypto';

/*
 * Functions get trace headers in `_X_AMZN_TRACE_ID`, SDKs send them as `X-Amzn-Trace-Id`, and SQS keeps them as
 * `AWSTraceHeader`. `Lineage` counts how often a chain of requests has invoked each function: `a87bd80c:1|68fd508a:5`,
 * with 0 for the first time. Source: Lambda developer guide, "Use Lambda recursive loop detection to prevent infinite
 * loops"; headers recorded on AWS.
 */

/** Lambda drops the next invocation. */
export const MAXIMUM_INVOCATIONS_OF_A_CHAIN = 16;

/** More functions than any chain has. Any sender can set the header, so it needs a bound. */
const MAXIMUM_FUNCTIONS = 32;

export function invocationsInChain(header: string | undefined, functionArn: string): number {
  const earlier = lineageOf(header).get(fingerprint(functionArn));
  return earlier === undefined ? 0 : earlier + 1;
}

/** @param cause the header of the chain that the invocation continues; undefined begins one */
export function headerOfInvocation(functionArn: string, cause: string | undefined): string {
  const lineage = lineageOf(cause);
  lineage.set(fingerprint(functionArn), invocationsInChain(cause, functionArn));
  const entries = [...lineage].slice(-MAXIMUM_FUNCTIONS).map(([name, count]) => `${name}:${count}`);
  return `${rootOf(cause)};Parent=${randomHex(8)};Sampled=0;Lineage=${entries.join('|')}`;
}

function lineageOf(header = ''): Map<string, number> {
  const [, lineage = ''] = /(?:^|;)Lineage=([^;]*)/.exec(header) ?? [];
  const entries = lineage.matchAll(/(?:^|\|)([0-9a-f]{8}):(\d{1,5})(?=\||$)/g);
  return new Map([...entries].map(([, name = '', count]) => [name, Number(count)]));
}

function rootOf(header = ''): string {
  const [root] = /Root=1-[0-9a-f]{8}-[0-9a-f]{24}/.exec(header) ?? [];
  const now = Math.floor(Date.now() / 1000).toString(16);
  return root ?? `Root=1-${now.padStart(8, '0')}-${randomHex(12)}`;
}

function randomHex(bytes: number): string {
  return randomBytes(bytes).toString('hex');
}

const fingerprints = new Map<string, string>();

function fingerprint(functionArn: string): string {
  const known = fingerprints.get(functionArn);
  if (known !== undefined) return known;
  const made = createHash('sha256').update(functionArn).digest('hex').slice(0, 8);
  fingerprints.set(functionArn, made);
  return made;
}
