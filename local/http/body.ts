import type { IncomingMessage } from 'node:http';

const MAXIMUM_BODY_BYTES = 10 * 1024 * 1024;
/** Reads and drops an oversized upload up to here, so that its client gets to read the refusal. */
const MAXIMUM_DROPPED_BYTES = 10 * MAXIMUM_BODY_BYTES;

const EMPTY = Buffer.alloc(0);

/** @returns `aborted` where the client left before the body was complete */
export async function readBody(request: IncomingMessage): Promise<Buffer | 'too-large' | 'aborted'> {
  // The client left while the authorizer ran: no events follow.
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
