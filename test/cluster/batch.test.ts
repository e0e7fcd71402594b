import { describe, expect, test } from 'vitest';
import { jobOf, MOST, nameOf, type Unit, Units, unitsOf, windowOf } from '../../src/cluster/batch.js';
import { copyTicket } from './tickets.js';

const MIB = 2 ** 20;
const settle = (): void => undefined;

function small(n: number, bytes = 1000): Unit {
  return { what: { type: 'copy', ticket: copyTicket(`k${n}`, bytes) }, bytes, losses: 0, settle };
}

function part(partNumber: number, uploadId = 'u1'): Unit {
  const ticket = copyTicket('large', 100 * MIB, 10 * MIB);
  const what = {
    type: 'part',
    part: { ticket, uploadId, partNumber, hashing: { md5: true, crc64ecma: false } },
  } as const;
  return { what, bytes: 10 * MIB, losses: 0, settle };
}

function units(list: readonly Unit[]): Units {
  const waiting = new Units();
  for (const unit of list) waiting.add(unit);
  return waiting;
}

describe('how much a job takes', () => {
  const many = (n: number) => units(Array.from({ length: n }, (_, i) => small(i)));

  test.each([
    // The last ones go to all workers.
    [10_000, 1, 4, 0, MOST.units],
    [2400, 8, 32, 0, 50],
    [100, 8, 32, 0, 4],
    [5, 8, 32, 0, 1],
    [5, 8, 32, 1000, 5],
    [1000, 0, 0, 0, 32],
    // Four jobs fill the room of a worker twice, if there is as much for all.
    [2400, 8, 1600, 0, 75],
    [2400, 8, 1600, 2400, 100],
  ])('%i small objects, %i workers that have room for %i, %i are out: %i', (waiting, workers, room, out, taken) => {
    expect(many(waiting).takeJob({ workers, room }, out)).toHaveLength(taken);
  });

  test('never more bytes than a job may have, but at least one object', () => {
    expect(
      units(Array.from({ length: 100 }, (_, n) => small(n, 100 * MIB))).takeJob({ workers: 1, room: 4 }, 0),
    ).toHaveLength(2);
    expect(units([small(1, 5000 * MIB), small(2)]).takeJob({ workers: 1, room: 4 }, 0)).toHaveLength(1);
  });

  test('what is left stays in its order, and what comes back is first', () => {
    const waiting = many(40);
    const first = waiting.takeJob({ workers: 8, room: 32 }, 0);
    waiting.putBack(first);
    expect(waiting.length).toBe(40);
    expect(waiting.bytes).toBe(40_000);
    const keys = waiting.takeAll().map(({ what }) => what.type === 'copy' && what.ticket.key);
    expect(keys).toEqual(Array.from({ length: 40 }, (_, n) => `k${n}`));
  });
});

test('the window has a few jobs for each worker, some for those that may come, and thousands at most', () => {
  expect([0, 8, 20, 100_000].map(windowOf)).toEqual([32, 48, 120, 2000]);
});

describe('the work of a job', () => {
  const list = [small(1), part(1), part(2), part(5), small(2), part(6), part(1, 'u2')];

  test('parts of one upload that follow each other are one work', () => {
    const { work, fields } = jobOf(list);
    expect(work.map((each) => (each.type === 'copy' ? each.ticket.key : each.numbers))).toEqual([
      'k1',
      [1, 2, 5],
      'k2',
      [6],
      [1],
    ]);
    expect([...fields.keys()]).toEqual(['0', '1.1', '1.2', '1.5', '2', '3.6', '4.1']);
  });

  test('another life of the coordinator reads the same units from it', () => {
    const { work, fields } = jobOf(list);
    const read = unitsOf(JSON.parse(JSON.stringify(work)));
    expect([...read.keys()]).toEqual([...fields.keys()]);
    expect([...read.values()].map(({ what }) => nameOf(what))).toEqual(list.map(({ what }) => nameOf(what)));
  });

  test('another version of an object, and a part of another upload, have other names', () => {
    const names = [
      copyTicket('k', 1),
      copyTicket('k', 2),
      { ...copyTicket('k', 1), source: { ...copyTicket('k', 1).source, etag: 'x' } },
    ];
    expect(new Set(names.map((ticket) => nameOf({ type: 'copy', ticket }))).size).toBe(3);
    expect(nameOf(part(1).what)).not.toBe(nameOf(part(1, 'u2').what));
  });
});
