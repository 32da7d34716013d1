import type { Duplex } from 'node:stream';

/** API Gateway limits each frame; ws counts whole messages only. @param socket that has read no data yet */
export function watchFrameSizes(socket: Duplex, maximumBytes: number, onTooLarge: () => void): void {
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
  // ws must not see a frame that is too large.
  socket.prependListener('data', read);
}

/** @returns undefined while the header is incomplete. Source: RFC 6455, section 5.2. */
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
