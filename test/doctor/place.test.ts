import { describe, expect, it } from 'vitest';
import type { Finding } from '../../src/doctor/finding.js';
import { checkPlace } from '../../src/doctor/place.js';
import { measure, probeObject } from '../../src/doctor/throughput.js';
import { XsyncError } from '../../src/model/error.js';
import type { ObjectEntry } from '../../src/model/object.js';
import { MemoryStore } from '../../src/store/memory/store.js';

const MIB = 1024 ** 2;

/** A network store in all but the network. */
class Remote extends MemoryStore {
  override readonly capabilities = { ...new MemoryStore({ bucket: 'b' }).capabilities, local: false };
}

async function all(findings: AsyncIterable<Finding>): Promise<Finding[]> {
  const list: Finding[] = [];
  for await (const finding of findings) list.push(finding);
  return list;
}

const keysOf = async (store: MemoryStore): Promise<string[]> => (await store.list({})).entries.map(({ key }) => key);

describe('an interrupted check', () => {
  it('leaves nothing behind: neither objects nor uploads', async () => {
    const stop = new AbortController();
    class Interrupted extends Remote {
      override async put(...args: Parameters<MemoryStore['put']>) {
        // In the midst of measuring the way up.
        if (args[0].endsWith(`-${3 * MIB}`)) stop.abort();
        return super.put(...args);
      }
    }
    const store = new Interrupted({ bucket: 'b' });
    await store.createBucket();
    const checks = checkPlace(store, { prefix: 'p/', write: true, probeBytes: 8 * MIB, signal: stop.signal });
    await expect(all(checks)).rejects.toMatchObject({ code: 'aborted' });
    expect(await keysOf(store)).toEqual([]);
    expect((await store.listUploads({})).uploads).toEqual([]);
  });

  it('also removes an object whose put got no answer', async () => {
    class Silent extends Remote {
      override async put(...args: Parameters<MemoryStore['put']>): Promise<never> {
        await super.put(...args);
        throw new XsyncError('network', 'the connection was reset');
      }
    }
    const store = new Silent({ bucket: 'b' });
    await store.createBucket();
    const findings = await all(checkPlace(store, { prefix: '', write: true, probeBytes: 0 }));
    expect(findings).toContainEqual(expect.objectContaining({ check: 'write', level: 'fail' }));
    expect(await keysOf(store)).toEqual([]);
  });
});

describe('the object to measure with', () => {
  const entry = (key: string, size: number, special?: 'archived'): ObjectEntry => {
    return { key, size, etag: 'e', mtimeMs: 0, ...(special && { special }) };
  };
  const listing = [entry('a', MIB), entry('b', 100 * MIB), entry('c', 9 * MIB), entry('d', 8 * MIB, 'archived')];

  it('is the smallest that has enough, and never one that would have to be restored first', () => {
    expect(probeObject(listing, 8 * MIB)?.key).toBe('c');
    expect(probeObject(listing, 64 * MIB)?.key).toBe('b');
    expect(probeObject(listing, 512 * MIB)?.key).toBe('b');
    expect(probeObject(listing.toReversed(), 8 * MIB)?.key).toBe('c');
  });

  it('is none where all are too small to tell anything', () => {
    expect(probeObject([entry('a', 1000)], 8 * MIB)).toBeUndefined();
  });
});

describe('measuring', () => {
  it('moves each byte once', async () => {
    const moved: [number, number][] = [];
    const measured = await measure(2 * MIB + 5, async (offset, size) => void moved.push([offset, size]));
    expect(moved).toEqual([
      [0, MIB],
      [MIB, MIB],
      [2 * MIB, 5],
    ]);
    expect(measured).toMatchObject({ bytes: 2 * MIB + 5, lanes: 3 });
  });

  it('tells a fault instead of a rate', async () => {
    const measured = await measure(MIB, () => Promise.reject(new XsyncError('timeout', 'nothing came')));
    expect(measured).toMatchObject({ error: { code: 'timeout' } });
  });
});
