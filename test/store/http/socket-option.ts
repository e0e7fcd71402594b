/** What the kernel says of a TCP socket. */
import type { Socket } from 'node:net';
import koffi from 'koffi';

const IPPROTO_TCP = 6;
const getsockopt = koffi
  .load(null)
  .func('int getsockopt(int fd, int level, int name, _Out_ void *value, _Inout_ uint32_t *length)');

/** @param name of the options of tcp(7), by number. @throws Error if the kernel refuses */
export function socketOption(socket: Socket, name: number, bytes: number): Uint8Array {
  const value = new Uint8Array(bytes);
  const handle: { fd: number } = Reflect.get(socket, '_handle');
  if (getsockopt(handle.fd, IPPROTO_TCP, name, value, [bytes]) !== 0) throw new Error(`no option ${name}`);
  return value;
}
