/**
 * All sockets read into one shared buffer. By default Node allocates 64 KiB for each read and leaves it to the garbage
 * collector, which doubles the CPU cost of receiving. The bytes are passed on before the callback returns, because the
 * next read of any socket overwrites them.
 */
import type { OnReadOpts, Socket } from 'node:net';

/** Larger than Node's 64 KiB, for fewer reads; more brings no gain. */
const READ_BYTES = 256 * 1024;

const shared = Buffer.allocUnsafeSlow(READ_BYTES);

/**
 * The `onread` option of `net.connect`; `socketOf` returns the socket that the call created.
 * @param keeps reads shorter than this many bytes are copied, because they may end within headers, of which the parser
 *   keeps slices. Must be at least the maximum header size.
 */
export function sharedReads(socketOf: () => Socket | undefined, keeps: number): OnReadOpts {
  return {
    buffer: shared,
    callback: (length, buffer) => {
      const socket = socketOf();
      if (socket === undefined) return false;
      const chunk = buffer.subarray(0, length);
      socket.push(length < keeps ? Buffer.from(chunk) : chunk);
      // The stream itself would emit this only in the next tick.
      socket.emit('readable');
      return socket.readableLength === 0 || keepRest(socket);
    },
  };
}

/** For a paused reader: copies the unread bytes out of the shared buffer and stops reading. */
function keepRest(socket: Socket): false {
  const rest: Buffer | null = socket.read();
  if (rest !== null) socket.push(Buffer.from(rest));
  return false;
}
