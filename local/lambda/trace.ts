import { createHash, randomBytes } from 'node:crypto';

/*
 * Trace headers, as Lambda hands them to functions in `_X_AMZN_TRACE_ID`, the SDKs send them on as `X-Amzn-Trace-Id`, and
 * SQS keeps them with a message as `AWSTraceHeader`. Their `Lineage` says how often each function was invoked so far in a
 * chain of requests that one event began: `a87bd80c:1|68fd508a:5`, after the first invocation 0.
 *
 * Source: Lambda developer guide, "Use Lambda recursive loop detection to prevent infinite loops"; the form is that of
 * headers recorded on AWS.
 */

/** So often a chain may invoke a function; Lambda drops the next invocation. */
export const MAXIMUM_INVOCATIONS_OF_A_CHAIN = 16;

/** More functions than any chain has. The bound matters because any sender can set the header. */
const MAXIMUM_FUNCTIONS = 32;

/** How often the chain that a header belongs to has invoked a function. */
export function invocationsInChain(header: string | undefined, functionArn: string): number {
  const earlier = lineageOf(header).get(fingerprint(functionArn));
  return earlier === undefined ? 0 : earlier + 1;
}

/** The header of an invocation, one more of the chain that caused it. @param cause undefined begins a chain */
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
