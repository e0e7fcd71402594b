import { describe, expect, it } from 'vitest';
import type { Path } from '../../../src/store/local/names.js';
import { Syncs } from '../../../src/store/local/syncs.js';

/** Syncs of directories that end when told to. */
function controlled() {
  const begun: { path: Path; end: () => void; fail: (error: Error) => void }[] = [];
  const syncs = new Syncs(true, (path) => new Promise((end, fail) => void begun.push({ path, end, fail })));
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
