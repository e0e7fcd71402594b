import { describe, expect, it } from 'vitest';
import type { Path } from '../../../src/store/local/names.js';
import { Syncs } from '../../../src/store/local/syncs.js';

/** Syncs of directories that end when told to. */
function controlled() {
  const begun: { path: Path; end: () => void; fail: (error: Error) => void }[] = [];
  const directory = (path: Path) => new Promise<void>((end, fail) => void begun.push({ path, end, fail }));
  const syncs = new Syncs(true, { directory });
  return { syncs, begun };
}

const soon = () => new Promise((resolve) => setImmediate(resolve));

describe('syncs of directories', () => {
  it('confirm a name only by a sync that began after it was made, which many share', async () => {
    const { syncs, begun } = controlled();
    const confirmed: string[] = [];
    const ask = (name: string) => syncs.directory('d').then(() => confirmed.push(name));
    const all = [ask('a'), ask('b'), ask('c')];
    expect(begun).toHaveLength(1);
    begun[0]?.end();
    await soon();
    expect(confirmed).toEqual(['a']);
    expect(begun).toHaveLength(2);
    all.push(ask('d'));
    begun[1]?.end();
    await soon();
    expect(confirmed).toEqual(['a', 'b', 'c']);
    begun[2]?.end();
    await Promise.all(all);
    expect(begun).toHaveLength(3);
    const later = ask('e');
    expect(begun).toHaveLength(4);
    begun[3]?.end();
    await later;
  });

  it('tell everyone who shares one of its failure, and go on with the next', async () => {
    const { syncs, begun } = controlled();
    const first = syncs.directory('d');
    const second = [syncs.directory('d'), syncs.directory('d')];
    const elsewhere = syncs.directory('e');
    begun[0]?.fail(new Error('first'));
    await expect(first).rejects.toThrow('first');
    await soon();
    begun[2]?.fail(new Error('second'));
    const told = await Promise.allSettled(second);
    expect(told.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    begun[1]?.end();
    await elsewhere;
    const third = syncs.directory('d');
    begun[3]?.end();
    await third;
    expect(begun.map(({ path }) => path)).toEqual(['d', 'e', 'd', 'd']);
  });
});

/** Enough files for groups to begin. */
const FIRST = 64;
const DEVICE = 7;

/** Syncs of a file system that end when told to, and what was synced one by one. */
async function grouping(options: { have?: boolean; file?: (fd: number) => Promise<void> } = {}) {
  const groups: { end: () => void; fail: (error: Error) => void }[] = [];
  const alone: (number | Path)[] = [];
  const clock = { ms: 0 };
  let closed = 0;
  const whole = {
    device: DEVICE,
    sync: () => new Promise<void>((end, fail) => void groups.push({ end, fail })),
    close: async () => void closed++,
  };
  const syncs = new Syncs(true, {
    file: async (fd) => {
      alone.push(fd);
      await options.file?.(fd);
    },
    directory: async (path) => void alone.push(path),
    whole: async () => (options.have === false ? undefined : whole),
    now: () => clock.ms,
  });
  for (let fd = 1; fd <= FIRST + 1; fd++) await syncs.file(fd, DEVICE);
  await soon();
  return { syncs, groups, alone: () => alone.splice(0), clock, closed: () => closed };
}

describe('syncs of many files', () => {
  it('begin one by one, and load nothing for a few', async () => {
    let opened = 0;
    const syncs = new Syncs(true, { file: async () => {}, whole: async () => void opened++ });
    for (let fd = 1; fd <= FIRST; fd++) await syncs.file(fd, DEVICE);
    expect(opened).toBe(0);
    await syncs.file(FIRST + 1, DEVICE);
    await syncs.file(FIRST + 2, DEVICE);
    expect(opened).toBe(1);
  });

  it('confirm files and names by one sync of the file system that began after them', async () => {
    const { syncs, groups, alone } = await grouping();
    expect(alone()).toHaveLength(FIRST + 1);
    const confirmed: string[] = [];
    const note = (name: string) => () => void confirmed.push(name);
    const all = [syncs.file(101, DEVICE).then(note('first'))];
    for (const fd of [102, 103]) all.push(syncs.file(fd, DEVICE).then(note(`file ${fd}`)));
    all.push(syncs.directory('d', DEVICE).then(note('names in d')));
    await soon();
    expect(groups).toHaveLength(1);
    groups[0]?.end();
    await soon();
    expect(confirmed).toEqual(['first']);
    expect(groups).toHaveLength(2);
    groups[1]?.end();
    await Promise.all(all);
    expect(confirmed.sort()).toEqual(['file 102', 'file 103', 'first', 'names in d']);
    expect(groups).toHaveLength(2);
    expect(alone()).toEqual([]);
  });

  it('leave out what is on another file system, or on one that nobody knows', async () => {
    const { syncs, groups, alone } = await grouping();
    alone();
    await syncs.file(201, DEVICE + 1);
    await syncs.file(202);
    await syncs.directory('elsewhere', DEVICE + 1);
    expect(alone()).toEqual([201, 202, 'elsewhere']);
    expect(groups).toHaveLength(0);
  });

  it('stay one by one where the file system cannot be synced as a whole', async () => {
    const { syncs, groups, alone } = await grouping({ have: false });
    alone();
    await syncs.file(301, DEVICE);
    await syncs.directory('d', DEVICE);
    expect(alone()).toEqual([301, 'd']);
    expect(groups).toHaveLength(0);
  });

  it('find out by each file whose bytes were lost when a group fails, and group no more', async () => {
    const lost = async (fd: number) => {
      if (fd === 402) throw new Error('EIO');
    };
    const { syncs, groups, alone } = await grouping({ file: lost });
    alone();
    const first = syncs.file(400, DEVICE);
    const rest = [syncs.file(401, DEVICE), syncs.file(402, DEVICE), syncs.directory('d', DEVICE)];
    await soon();
    groups[0]?.end();
    await first;
    await soon();
    groups[1]?.fail(new Error('syncfs failed'));
    const told = await Promise.allSettled(rest);
    expect(told.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(alone()).toEqual([401, 402, 'd']);
    await syncs.file(403, DEVICE);
    expect(alone()).toEqual([403]);
    expect(groups).toHaveLength(2);
  });

  it('are made one by one for a while when other programs hold a group up', async () => {
    const { syncs, groups, alone, clock } = await grouping();
    alone();
    const first = syncs.file(501, DEVICE);
    await soon();
    clock.ms += 1021;
    groups[0]?.end();
    await first;
    for (let fd = 1; fd <= 1000; fd++) await syncs.file(fd, DEVICE);
    expect(alone()).toHaveLength(1000);
    const again = syncs.file(502, DEVICE);
    await soon();
    clock.ms += 1020;
    groups[1]?.end();
    await again;
    expect(alone()).toEqual([]);
    const next = syncs.file(503, DEVICE);
    await soon();
    expect(groups).toHaveLength(3);
    groups[2]?.end();
    await next;
  });

  it('give the file system back when they are closed', async () => {
    const { syncs, closed } = await grouping();
    await syncs.close();
    await syncs.close();
    expect(closed()).toBe(1);
  });
});

const MiB = 1024 * 1024;

describe('a large file', () => {
  it('is synced ahead of its end each time that 32 MiB have been written', async () => {
    const synced: number[] = [];
    const syncs = new Syncs(true, { data: async (fd) => void synced.push(fd) });
    for (let fd = 1; fd <= 10; fd++) await syncs.ahead(fd, 8 * MiB);
    expect(synced).toEqual([4, 8]);
  });

  it('is not synced ahead where nothing is synced', async () => {
    const syncs = new Syncs(false, { data: () => Promise.reject(new Error('synced')) });
    await syncs.ahead(1, 64 * MiB);
  });

  it('fails at once when its bytes cannot be written: the kernel reports that once', async () => {
    const syncs = new Syncs(true, { data: () => Promise.reject(new Error('EIO')) });
    await expect(syncs.ahead(1, 32 * MiB)).rejects.toThrow('EIO');
  });
});
