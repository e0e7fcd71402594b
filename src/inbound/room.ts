/**
 * Which connections stay when more are opened than fit. A server that refuses the newest one lets anybody keep everybody
 * out, by opening connections and saying nothing. So the newest one comes in, and another goes: of the address that has
 * most connections without a caller who has proved who it is, the oldest one. Tests: test/inbound/room.test.ts
 */
import type { Socket } from 'node:net';

type Peer = Pick<Socket, 'remoteAddress' | 'remotePort'>;
type Closable = Peer & Pick<Socket, 'destroy' | 'once'>;

export class Room {
  readonly #limit: number;
  readonly #closed: (address: string | undefined) => void;
  /** By group of addresses, oldest first: connections that may be closed. */
  readonly #unproved = new Map<string, Map<string, Closable>>();
  readonly #proved = new Set<string>();
  #size = 0;

  /** @param closed hears the address of each connection that is closed for another one */
  constructor(limit: number, closed: (address: string | undefined) => void = () => {}) {
    this.#limit = limit;
    this.#closed = closed;
  }

  get size(): number {
    return this.#size;
  }

  enter(socket: Closable): void {
    const [group, name] = [groupOf(socket.remoteAddress), nameOf(socket)];
    const others = this.#unproved.get(group) ?? new Map<string, Closable>();
    this.#unproved.set(group, others.set(name, socket));
    this.#size++;
    socket.once('close', () => this.#leave(group, name));
    if (this.#size > this.#limit) this.#closeOne();
  }

  /** Its caller has shown a secret or a certificate: the connection is not closed for another one. */
  prove(peer: Peer): void {
    const [group, name] = [groupOf(peer.remoteAddress), nameOf(peer)];
    if (this.#forget(group, name)) this.#proved.add(name);
  }

  #leave(group: string, name: string): void {
    if (this.#proved.delete(name) || this.#forget(group, name)) this.#size--;
  }

  #forget(group: string, name: string): boolean {
    const others = this.#unproved.get(group);
    const known = others?.delete(name) === true;
    if (others?.size === 0) this.#unproved.delete(group);
    return known;
  }

  /** If all others have proved who they are, it is the newest one. */
  #closeOne(): void {
    let most: Map<string, Closable> | undefined;
    for (const group of this.#unproved.values()) if (group.size > (most?.size ?? 0)) most = group;
    const [victim] = most?.values() ?? [];
    if (!victim) return;
    this.#leave(groupOf(victim.remoteAddress), nameOf(victim));
    this.#closed(victim.remoteAddress);
    victim.destroy();
  }
}

/** The socket of a TLS connection is another object than that which was accepted. */
function nameOf({ remoteAddress, remotePort }: Peer): string {
  return `${remoteAddress} ${remotePort}`;
}

/** An IPv4 address, or the network of an IPv6 address, of which one host has all. */
function groupOf(address = ''): string {
  if (!address.includes(':') || address.includes('.')) return address;
  const [head = '', tail = ''] = address.split('::');
  const first = head === '' ? [] : head.split(':');
  const last = tail === '' ? [] : tail.split(':');
  const zeros = address.includes('::') ? 8 - first.length - last.length : 0;
  return [...first, ...Array(Math.max(0, zeros)).fill('0'), ...last].slice(0, 4).join(':');
}
