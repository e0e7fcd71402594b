/**
 * sd_notify(3): datagrams to the unix socket in NOTIFY_SOCKET, which the service manager sets. Node has no unix
 * datagram sockets, so the C library sends them, or the `systemd-notify` program if koffi is missing.
 * Tests: test/e2e/watch.test.ts
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { type Libc, loadLibc } from './libc.js';

/** Sends lines of `NAME=value`. Does not wait for the service manager. */
export interface SdNotify {
  /** @throws Error with the reason if it could not be sent */
  send(lines: readonly string[]): Promise<void>;
  close(): void;
}

const AF_UNIX = 1;
/** With SOCK_CLOEXEC and SOCK_NONBLOCK. */
const SOCK_DGRAM = 2 | 0o2000000 | 0o4000;
const MSG_NOSIGNAL = 0x4000;
/** Size of `sun_path` in unix(7). */
const PATH_BYTES = 108;

/** @param address value of NOTIFY_SOCKET: a path, or `@` and a name in the abstract namespace */
export async function openSdNotify(address: string): Promise<SdNotify> {
  let libc: Libc;
  try {
    libc = await loadLibc();
  } catch {
    return viaProgram();
  }
  return viaSocket(libc, address);
}

function viaSocket(libc: Libc, address: string): SdNotify {
  const socket = libc.func('int socket(int domain, int type, int protocol)');
  const sendto = libc.func(
    'long sendto(int fd, const void *message, size_t length, int flags, const void *address, uint32_t size)',
  );
  const close = libc.func('int close(int fd)');
  const name = socketAddress(address);
  const descriptor = Number(socket(AF_UNIX, SOCK_DGRAM, 0));
  const refusal = descriptor < 0 ? libc.errorName() : undefined;
  return {
    async send(lines) {
      const message = Buffer.from(lines.join('\n'));
      const sent = refusal ? -1 : Number(sendto(descriptor, message, message.length, MSG_NOSIGNAL, name, name.length));
      if (sent < 0) throw new Error(`${address}: ${refusal ?? libc.errorName()}`);
    },
    close() {
      if (!refusal) close(descriptor);
    },
  };
}

/** `struct sockaddr_un`. An abstract name starts with a NUL and has no terminator. @throws Error */
export function socketAddress(address: string): Buffer {
  const abstract = address.startsWith('@');
  if (!abstract && !address.startsWith('/')) throw new Error(`${address} is not a unix socket`);
  const path = Buffer.from(abstract ? `\0${address.slice(1)}` : `${address}\0`);
  if (path.length > PATH_BYTES) throw new Error(`${address} is too long for a unix socket address`);
  const family = Buffer.alloc(2);
  // In the host's byte order: s390x is big-endian.
  new Uint16Array(family.buffer, family.byteOffset, 1)[0] = AF_UNIX;
  return Buffer.concat([family, path]);
}

/** Starts a process for each message, and the unit needs NotifyAccess=all. */
function viaProgram(): SdNotify {
  const run = promisify(execFile);
  return {
    async send(lines) {
      await run('systemd-notify', [...lines]);
    },
    close: () => undefined,
  };
}
