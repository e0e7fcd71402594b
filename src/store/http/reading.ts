/**
 * Sockets that read into one buffer for all. Node would allocate 64 KiB for each read, and leave them to the garbage
 * collector: with that, receiving costs twice the CPU. What was read is handed on before the callback returns,
 * because the next read of any socket overwrites it.
 */
import type { OnReadOpts, Socket } from 'node:net';

/** Fewer and larger reads than Node's 64 KiB; beyond this nothing is gained. */
const READ_BYTES = 256 * 1024;

const shared = Buffer.allocUnsafeSlow(READ_BYTES);

/**
 * For `net.connect`; `socketOf` tells the socket that it made.
 * @param keeps reads shorter than this may end within headers, of which the parser keeps slices: they are handed on as
 *   copies. A longer one does not, when no headers may be as long.
 */
export function sharedReads(socketOf: () => Socket | undefined, keeps: number): OnReadOpts {
  return {
    buffer: shared,
    callback: (length, buffer) => {
      const socket = socketOf();
      if (socket === undefined) return false;
      const chunk = buffer.subarray(0, length);
      socket.push(length < keeps ? Buffer.from(chunk) : chunk);
      // The stream itself would tell only in the next tick.
      socket.emit('readable');
      return socket.readableLength === 0 || keepRest(socket);
    },
  };
}

/** The reader paused: what it left is copied out of the shared buffer, and nothing more is read for now. */
function keepRest(socket: Socket): false {
  const rest: Buffer | null = socket.read();
  if (rest !== null) socket.push(Buffer.from(rest));
  return false;
}
