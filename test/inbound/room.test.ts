import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import { Room } from '../../src/inbound/room.js';

class Connection extends EventEmitter {
  readonly remoteAddress: string;
  readonly remotePort: number;
  open = true;

  constructor(remoteAddress: string, remotePort: number) {
    super();
    this.remoteAddress = remoteAddress;
    this.remotePort = remotePort;
  }

  destroy(): this {
    this.open = false;
    this.emit('close');
    return this;
  }
}

function enter(room: Room, address: string, ...ports: number[]): Connection[] {
  return ports.map((port) => {
    const one = new Connection(address, port);
    room.enter(one as never);
    return one;
  });
}

const openPorts = (connections: Connection[]) => connections.filter(({ open }) => open).map((one) => one.remotePort);

describe('when more connections are opened than fit', () => {
  it('the newest one comes in, and the oldest one of whoever has most goes', () => {
    const closed: (string | undefined)[] = [];
    const room = new Room(4, (address) => closed.push(address));
    const other = enter(room, '10.0.0.2', 1);
    const many = enter(room, '10.0.0.1', 1, 2, 3, 4, 5);
    expect({ other: openPorts(other), many: openPorts(many), closed }).toEqual({
      ...{ other: [1], many: [3, 4, 5], closed: ['10.0.0.1', '10.0.0.1'] },
    });
    expect(room.size).toBe(4);
  });

  it('a caller who has proved who it is stays; if all have, the newest one goes', () => {
    const room = new Room(2);
    const [first] = enter(room, '10.0.0.1', 1);
    if (first) room.prove(first);
    const [second] = enter(room, '10.0.0.1', 2);
    const [third] = enter(room, '10.0.0.1', 3);
    expect([first?.open, second?.open, third?.open]).toEqual([true, false, true]);
    if (third) room.prove(third);
    const [fourth] = enter(room, '10.0.0.9', 4);
    expect([first?.open, third?.open, fourth?.open]).toEqual([true, true, false]);
    third?.destroy();
    expect(openPorts(enter(room, '10.0.0.9', 5))).toEqual([5]);
    expect(room.size).toBe(2);
  });

  it('all addresses of a network of IPv6 count as one', () => {
    const room = new Room(3);
    const other = enter(room, '2001:db8::1', 1);
    const many = [
      ...enter(room, '2001:db8:0:1::1', 1),
      ...enter(room, '2001:db8:0:1:ffff::', 2),
      ...enter(room, '2001:db8:0:1:a:b:c:d', 3),
    ];
    expect({ other: openPorts(other), many: openPorts(many) }).toEqual({ other: [1], many: [2, 3] });
  });
});
