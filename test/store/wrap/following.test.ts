import { describe, expect, it } from 'vitest';
import { MemoryStore } from '../../../src/store/memory/store.js';
import { FollowingStore } from '../../../src/store/wrap/following.js';
import { FaultyStore } from '../../support/faults.js';

async function bucket() {
  const memory = new MemoryStore();
  const { etag } = await memory.put('target', Buffer.from('12345'));
  await memory.putLink('good', 'target');
  await memory.putLink('dangling', 'nothing');
  return { memory, etag };
}

describe('a store that follows links', () => {
  it('lists and describes what they point to, with one request each', async () => {
    const { memory, etag } = await bucket();
    await memory.delete(['dangling']);
    const faulty = new FaultyStore(memory);
    const asked: string[] = [];
    faulty.around('read', (call, run) => {
      asked.push(call.key ?? '');
      return run();
    });
    const store = new FollowingStore(faulty, true);
    const { entries } = await store.list({});
    expect(entries.map(({ key, size, special, followed }) => [key, size, special, followed])).toEqual([
      ['good', 5, undefined, true],
      ['target', 5, undefined, undefined],
    ]);
    expect(entries[0]).toMatchObject({ etag });
    expect(asked).toEqual(['good']);
    expect(await store.head('good')).toMatchObject({ size: 5, etag, followed: true });
  });

  it.each([
    [true, { code: 'unsupported-object' }, undefined],
    [false, undefined, 'symbolic link that leads to no object'],
  ])('names those that lead nowhere; failing: %j', async (failing, fault, kind) => {
    const { memory } = await bucket();
    const [dangling] = (await new FollowingStore(memory, failing).list({})).entries;
    expect(dangling).toMatchObject({
      key: 'dangling',
      special: 'symlink',
      ...(fault && { fault }),
      ...(kind && { kind }),
    });
    expect([dangling?.fault === undefined, dangling?.kind === undefined]).toEqual([!failing, failing]);
  });

  it('leaves a link that is gone out, and reports other errors', async () => {
    const { memory } = await bucket();
    const faulty = new FaultyStore(memory);
    faulty.around('read', async ({ key }, run) => {
      if (key === 'good') await memory.delete(['good']);
      return run();
    });
    const { entries } = await new FollowingStore(faulty, false).list({});
    expect(entries.find(({ key }) => key === 'good')).toMatchObject({ special: 'symlink' });
    faulty.around('read', async () => {
      throw new Error('the line broke');
    });
    await expect(new FollowingStore(faulty, false).list({})).rejects.toThrow('the line broke');
  });
});
