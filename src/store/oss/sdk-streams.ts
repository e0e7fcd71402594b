/** Converts bodies between buffers and the streams that ali-oss uses. Tests: test/store/oss/server.test.ts */
import { Readable } from 'node:stream';
import { XsyncError } from '../../model/error.js';
import type { Pace } from '../port.js';
import type { SdkCall } from './sdk-client.js';

/** Bytes passed to ali-oss at a time: the unit of `pace` and of the idle timeout. */
const PIECE = 64 * 1024;

/** The body as a stream that reports its progress. It ends when the call ends. */
export function pieces(body: Uint8Array, call: SdkCall, pace: Pace | undefined): Readable {
  async function* generate() {
    for (let at = 0; at < body.byteLength; at += PIECE) {
      const piece = body.subarray(at, at + PIECE);
      await paced(piece.byteLength, call, pace);
      call.touch();
      yield piece;
    }
  }
  return Readable.from(generate(), { objectMode: false });
}

/** Reads the stream into the target and returns the number of bytes. */
export async function fill(
  target: Uint8Array,
  stream: Readable,
  call: SdkCall,
  pace: Pace | undefined,
): Promise<number> {
  let received = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    call.touch();
    if (received + chunk.byteLength > target.byteLength) {
      throw new XsyncError('invalid-response', 'OSS returned more bytes than requested');
    }
    target.set(chunk, received);
    received += chunk.byteLength;
    await paced(chunk.byteLength, call, pace);
  }
  return received;
}

/** Waits for `pace`, but not beyond the call's end. The wait does not count as a stall. */
async function paced(bytes: number, call: SdkCall, pace: Pace | undefined): Promise<void> {
  const hold = pace?.(bytes);
  if (!hold) return;
  const alive = setInterval(() => call.touch(), 1000);
  try {
    await Promise.race([hold, call.over]);
  } finally {
    clearInterval(alive);
  }
}
