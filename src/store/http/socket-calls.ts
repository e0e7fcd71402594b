/**
 * Options of TCP sockets that Node cannot set, through the C library.
 * Tests: test/store/http/congestion.test.ts, test/store/http/far-sockets.test.ts
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
  /** Undefined if the kernel does not say so much. */
  info(descriptor: number): TcpInfo | undefined;
}

/** What the kernel knows of a connection. Times in milliseconds. */
export interface TcpInfo {
  /** Packets that have not been acknowledged. */
  inFlight: number;
  /** Since the last acknowledgment. */
  silentMs: number;
  /** A moving average. */
  roundTripMs: number;
  leastRoundTripMs: number;
  /** Packets that were sent again. */
  lost: number;
}

const IPPROTO_TCP = 6;
const TCP_CONGESTION = 13;
const TCP_INFO = 11;
const TCP_NOTSENT_LOWAT = 25;
/** Offsets in `struct tcp_info` of linux/tcp.h, which only grows: in bytes, of 32-bit numbers. Times in microseconds, but `lastAck` in milliseconds. */
const INFO = { inFlight: 24, lastAck: 56, roundTrip: 68, resent: 100, leastRoundTrip: 148, end: 152 } as const;
const AF_INET = 2;
/** With SOCK_CLOEXEC. */
const SOCK_STREAM = 1 | 0o2000000;

/** The calls of Linux. @throws if koffi is not installed or does not support this platform */
export async function loadSocketCalls(): Promise<SocketCalls> {
  const { func, errorName } = await loadLibc();
  const setsockopt = func('int setsockopt(int fd, int level, int name, const void *value, uint32_t length)');
  const getsockopt = func('int getsockopt(int fd, int level, int name, _Out_ void *value, _Inout_ uint32_t *length)');
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
    info(descriptor) {
      const value = new Uint8Array(INFO.end);
      const length = [value.byteLength];
      if (getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, value, length) !== 0 || length[0] !== INFO.end)
        return undefined;
      const words = new Uint32Array(value.buffer);
      const at = (offset: number): number => words[offset / 4] ?? 0;
      return {
        inFlight: at(INFO.inFlight),
        silentMs: at(INFO.lastAck),
        roundTripMs: at(INFO.roundTrip) / 1000,
        leastRoundTripMs: at(INFO.leastRoundTrip) / 1000,
        lost: at(INFO.resent),
      };
    },
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
