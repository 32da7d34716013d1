import type { IncomingMessage } from 'node:http';

/** The limit of an HTTP API. */
const maximumBodyBytes = 10 * 1024 * 1024;
/** So far an upload beyond the limit is read and dropped, so that its client gets to read the refusal. */
const maximumDroppedBytes = 10 * maximumBodyBytes;

const empty = Buffer.alloc(0);

/** The whole body, `too-large`, or `aborted` when the client left before it was complete. */
export async function readBody(request: IncomingMessage): Promise<Buffer | 'too-large' | 'aborted'> {
  // Left while the authorizer was at work: there will be no further events.
  if (request.destroyed) return 'aborted';
  return new Promise((resolve) => {
    let chunks: Buffer[] = [];
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= maximumBodyBytes) chunks.push(chunk);
      else chunks = [];
      if (bytes > maximumDroppedBytes) request.destroy();
    });
    request.on('end', () => {
      if (bytes > maximumBodyBytes) resolve('too-large');
      else resolve(chunks.length <= 1 ? (chunks[0] ?? empty) : Buffer.concat(chunks));
    });
    request.on('error', () => resolve('aborted'));
    request.on('close', () => resolve('aborted'));
  });
}
