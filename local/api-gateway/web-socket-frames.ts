import type { Duplex } from 'node:stream';

/**
 * Watches what a client sends and calls back at the first frame that holds more than `maximumBytes`. The ws package
 * counts whole messages only, whereas API Gateway has a limit for each frame, too.
 *
 * @param socket of a WebSocket whose first listener hasn't got any data yet
 */
export function watchFrameSizes(socket: Duplex, maximumBytes: number, onTooLarge: () => void): void {
  /** What is missing of the frame that is under way. */
  let payloadLeft = 0;
  let header = Buffer.alloc(0);

  const read = (chunk: Buffer): void => {
    let rest = chunk;
    while (rest.length > 0) {
      if (payloadLeft > 0) {
        const skipped = Math.min(payloadLeft, rest.length);
        payloadLeft -= skipped;
        rest = rest.subarray(skipped);
        continue;
      }
      header = Buffer.concat([header, rest]);
      const frame = frameOf(header);
      if (frame === undefined) return;
      rest = header.subarray(frame.headerBytes);
      header = Buffer.alloc(0);
      payloadLeft = frame.payloadBytes;
      if (frame.payloadBytes > maximumBytes) {
        socket.off('data', read);
        onTooLarge();
        return;
      }
    }
  };
  // Before ws reads the same data, so that a frame that is too large is no message any more.
  socket.prependListener('data', read);
}

/** The sizes that a frame's header tells, or undefined while it is incomplete. Source: RFC 6455, section 5.2. */
function frameOf(header: Buffer): { headerBytes: number; payloadBytes: number } | undefined {
  const second = header[1];
  if (second === undefined) return undefined;
  const maskBytes = second >= 0x80 ? 4 : 0;
  const short = second & 0x7f;
  const lengthBytes = short === 126 ? 2 : short === 127 ? 8 : 0;
  const headerBytes = 2 + lengthBytes + maskBytes;
  if (header.length < headerBytes) return undefined;
  if (lengthBytes === 0) return { headerBytes, payloadBytes: short };
  const payloadBytes = lengthBytes === 2 ? header.readUInt16BE(2) : Number(header.readBigUInt64BE(2));
  return { headerBytes, payloadBytes };
}
