import type { IncomingMessage } from 'node:http';

/** The limit of an HTTP API. */
const MAXIMUM_BODY_BYTES = 10 * 1024 * 1024;
/** An upload beyond the limit is read and dropped up to here, so that its client gets to read the refusal. */
const MAXIMUM_DROPPED_BYTES = 10 * MAXIMUM_BODY_BYTES;

const EMPTY = Buffer.alloc(0);

/** The whole body, `too-large`, or `aborted` when the client left before it was complete. */
export async function readBody(request: IncomingMessage): Promise<Buffer | 'too-large' | 'aborted'> {
  // The client left while the authorizer was at work: no events follow.
  if (request.destroyed) return 'aborted';
  return new Promise((resolve) => {
    let chunks: Buffer[] = [];
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= MAXIMUM_BODY_BYTES) chunks.push(chunk);
      else chunks = [];
      if (bytes > MAXIMUM_DROPPED_BYTES) request.destroy();
    });
    request.on('end', () => {
      if (bytes > MAXIMUM_BODY_BYTES) resolve('too-large');
      else resolve(chunks.length <= 1 ? (chunks[0] ?? EMPTY) : Buffer.concat(chunks));
    });
    request.on('error', () => resolve('aborted'));
    request.on('close', () => resolve('aborted'));
  });
}
