/**
 * Options of TCP sockets that Node cannot set, through the C library.
 * Tests: test/store/http/congestion.test.ts, test/store/http/unsent.test.ts
 */
import type { Socket } from 'node:net';
import { loadLibc } from '../../native/libc.js';

export interface SocketCalls {
  /** Error name if the kernel refuses the congestion control algorithm, otherwise undefined. */
  refusal(algorithm: string): string | undefined;
  /** Sets the algorithm. False when the kernel refused. */
  set(descriptor: number, algorithm: string): boolean;
  /** Bytes that the kernel takes before it has sent them. False when it refused. */
  limitUnsent(descriptor: number, bytes: number): boolean;
}

const IPPROTO_TCP = 6;
const TCP_CONGESTION = 13;
const TCP_NOTSENT_LOWAT = 25;
const AF_INET = 2;
/** With SOCK_CLOEXEC. */
const SOCK_STREAM = 1 | 0o2000000;

/** The calls of Linux. @throws if koffi is not installed or does not support this platform */
export async function loadSocketCalls(): Promise<SocketCalls> {
  const { func, errorName } = await loadLibc();
  const setsockopt = func('int setsockopt(int fd, int level, int name, const void *value, uint32_t length)');
  const socket = func('int socket(int domain, int type, int protocol)');
  const close = func('int close(int fd)');
  const option = (descriptor: number, name: number, value: Uint8Array): boolean =>
    setsockopt(descriptor, IPPROTO_TCP, name, value, value.byteLength) === 0;
  const set = (descriptor: number, algorithm: string): boolean =>
    option(descriptor, TCP_CONGESTION, Buffer.from(algorithm, 'latin1'));
  return {
    set,
    // In the host's byte order.
    limitUnsent: (descriptor, bytes) =>
      option(descriptor, TCP_NOTSENT_LOWAT, new Uint8Array(Uint32Array.of(bytes).buffer)),
    refusal(algorithm) {
      const descriptor = socket(AF_INET, SOCK_STREAM, 0);
      if (typeof descriptor !== 'number' || descriptor < 0) return errorName();
      const refused = set(descriptor, algorithm) ? undefined : errorName();
      close(descriptor);
      return refused;
    },
  };
}

/** Node keeps the descriptor in the handle of TCP and TLS sockets, which is undocumented. */
export function descriptorOf(socket: Socket): number | undefined {
  const handle: unknown = Reflect.get(socket, '_handle');
  const descriptor: unknown = typeof handle === 'object' && handle !== null ? Reflect.get(handle, 'fd') : undefined;
  return typeof descriptor === 'number' && descriptor >= 0 ? descriptor : undefined;
}
