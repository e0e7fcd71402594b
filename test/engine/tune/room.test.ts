import { describe, expect, it } from 'vitest';
import { type Filling, Room } from '../../../src/engine/tune/room.js';
import type { LineState } from '../../../src/model/line-state.js';

/** 10 connections at 200 ms, of which `lost` lose packets between two looks. */
function looking({ waitMs = 1, leastMs = 200, lost = 2 }, looks = 4): Room {
  const room = new Room();
  for (let n = 1; n <= looks; n++) room.look([{ senders: 10, leastMs, waitMs, lossy: lost }]);
  return room;
}

describe('a line', () => {
  it('has room if nothing waits in front of it, and its connections lose packets', () => {
    expect(looking({}).filling).toBe('lossy');
  });

  it('has none that is known before a second has passed', () => {
    expect(looking({ lost: 10 }, 3).filling).toBeUndefined();
  });

  it.each([
    ['200 ms and 11 more', { waitMs: 11 }, undefined],
    ['200 ms and 10 more', { waitMs: 10 }, 'lossy'],
    ['10 ms and 2 more, which is no queue', { leastMs: 10, waitMs: 2 }, 'lossy'],
    ['200 ms and 41 more', { waitMs: 41 }, 'full'],
    ['10 ms and 11 more', { leastMs: 10, waitMs: 11 }, 'full'],
    ['10 ms and 3 more', { leastMs: 10, waitMs: 3 }, undefined],
  ])('whose round trips take %s', (_, line, filling) => {
    expect(looking(line).filling).toBe(filling);
  });

  it('without losses will be filled by the connections it has', () => {
    expect(looking({ lost: 1 }).filling).toBeUndefined();
    expect(looking({ lost: 0 }).filling).toBeUndefined();
  });

  it('has none again as soon as packets wait, and for the looks after that', () => {
    const room = looking({});
    const line = (waitMs: number): LineState => ({ senders: 10, leastMs: 200, waitMs, lossy: 2 });
    room.look([line(50)]);
    expect(room.filling).toBeUndefined();
    for (let n = 1; n <= 3; n++) {
      room.look([line(1)]);
      expect(room.filling).toBeUndefined();
    }
    room.look([line(1)]);
    expect(room.filling).toBe('lossy');
  });

  it('is full if most looks find a queue', () => {
    const room = looking({});
    const line = (waitMs: number): LineState => ({ senders: 10, leastMs: 200, waitMs, lossy: 0 });
    for (const waitMs of [90, 90, 30]) room.look([line(waitMs)]);
    expect(room.filling).toBeUndefined();
    room.look([line(90)]);
    expect(room.filling).toBe('full');
  });

  it.each([
    ['of which nothing is heard', []],
    ['on which nobody sends', [{ senders: 0, leastMs: 0, waitMs: 0, lossy: 0 }]],
  ])('%s has none', (_, lines) => {
    const room = looking({ lost: 10 });
    room.look(lines);
    expect(room.filling).toBeUndefined();
  });
});

it('two lines have room if neither is full', () => {
  const between = (waitMs: number): Filling | undefined => {
    const room = new Room();
    const lossy = { senders: 10, leastMs: 200, waitMs: 1, lossy: 5 };
    for (let n = 1; n <= 4; n++) room.look([{ senders: 4, leastMs: 30, waitMs, lossy: 0 }, lossy]);
    return room.filling;
  };
  expect(between(1)).toBe('lossy');
  expect(between(3)).toBeUndefined();
  expect(between(20)).toBe('full');
});
