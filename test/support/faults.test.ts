import { beforeEach, describe, expect, test } from 'vitest';
import { XsyncError } from '../../src/model/error.js';
import { MemoryStore } from '../../src/store/memory/store.js';
import { EVERY_CALL, EVERY_KIND } from '../store/wrap/every-call.js';
import { FaultyStore } from './faults.js';

const DENIED = new XsyncError('access-denied', 'no');

let bare: MemoryStore;
let store: FaultyStore;

beforeEach(() => {
  bare = new MemoryStore();
  store = new FaultyStore(bare);
});

const bytes = (text: string): Uint8Array => Buffer.from(text);

async function textOf(from: MemoryStore | FaultyStore, key: string, size = 3): Promise<string> {
  const target = Buffer.alloc(size);
  await from.read(key, target);
  return target.toString();
}

async function keys(): Promise<string[]> {
  return (await store.list({})).entries.map(({ key }) => key);
}

test.each(EVERY_KIND)('a rule for %s sees its calls and no others', async (kind) => {
  const seen: string[] = [];
  for (const other of EVERY_KIND) store.fail(other, DENIED, (call) => seen.push(call.kind) > 0);
  await expect(EVERY_CALL[kind](store, bare)).rejects.toThrow(DENIED);
  expect(seen).toEqual([kind]);
});

describe('a call that fails', () => {
  test('does so by number, or by key, until it is undone, and does not reach the store', async () => {
    const undo = store.fail('put', DENIED, ({ n }) => n === 2);
    store.fail('put', DENIED, ({ key }) => key === 'never');
    await store.put('a', bytes('one'));
    await expect(store.put('b', bytes('two'))).rejects.toThrow(DENIED);
    await store.put('c', bytes('two'));
    undo();
    await expect(store.put('never', bytes('two'))).rejects.toThrow(DENIED);
    expect(await keys()).toEqual(['a', 'c']);
  });

  test('has been carried out when only its answer is lost', async () => {
    store.lose('put', DENIED);
    await expect(store.put('a', bytes('one'))).rejects.toThrow(DENIED);
    expect(await textOf(store, 'a')).toBe('one');
  });

  test('is not the question for the first part, which is another request than a HEAD', async () => {
    store.fail('head', DENIED);
    await store.put('a', bytes('one'));
    expect(await store.firstPartSize('a')).toBeUndefined();
  });

  test('does not fail for who asks the store within', async () => {
    store.fail('head', DENIED);
    await bare.put('a', bytes('one'));
    expect((await bare.head('a')).size).toBe(3);
  });
});

describe('a rule may change', () => {
  test('what a listing is asked for and what it answers', async () => {
    for (const key of ['a', 'b', 'c']) await bare.put(key, bytes('one'));
    store.before('list', ({ options }) => Object.assign(options, { startAfter: 'a' }));
    store.change('list', (page) => ({ ...page, entries: page.entries.toReversed() }));
    const options = {};
    expect((await store.list(options)).entries.map(({ key }) => key)).toEqual(['c', 'b']);
    expect(options).toEqual({});
  });

  test('which keys are deleted', async () => {
    for (const key of ['a', 'b']) await bare.put(key, bytes('one'));
    store.before('delete', (call) => call.keys.shift());
    await store.delete(['a', 'b']);
    expect(await keys()).toEqual(['a']);
  });

  test('the bytes that are sent, and not those of the caller', async () => {
    const body = bytes('one');
    store.before('put', (call) => call.bytes.set(bytes('ONE')));
    store.before('uploadPart', (call) => call.bytes.fill(48 + call.part));
    await store.put('a', body);
    const upload = await store.createUpload('b');
    const parts = [];
    for (const partNumber of [1, 2]) {
      parts.push({ partNumber, etag: (await store.uploadPart(upload, partNumber, body)).etag });
    }
    await store.completeUpload(upload, parts);
    expect([await textOf(bare, 'a'), await textOf(bare, 'b', 6), Buffer.from(body).toString()]).toEqual([
      ...['ONE', '111222', 'one'],
    ]);
  });

  test('the bytes that were read', async () => {
    await bare.put('a', bytes('one'));
    store.change('read', (info, call) => {
      call.bytes[0] = 88 + call.offset;
      return info;
    });
    expect([await textOf(store, 'a'), await textOf(bare, 'a')]).toEqual(['Xne', 'one']);
  });

  test('one bit, on the way there or back', async () => {
    const repair = store.damage('put', 2);
    await store.put('a', bytes('one'));
    repair();
    await store.put('b', bytes('one'));
    store.damage('read', 0, ({ key }) => key === 'b');
    expect([await textOf(store, 'a'), await textOf(store, 'b'), await textOf(bare, 'b')]).toEqual([
      'ond',
      'nne',
      'one',
    ]);
  });

  test('the pace', async () => {
    const paced: string[] = [];
    store.around('put', (_, run) => run((sent) => void paced.push(`ours ${sent}`)));
    await store.put('a', bytes('one'), { pace: () => void paced.push('theirs') });
    expect(paced).toEqual(['ours 3']);
  });
});

test('calls are held until they are released', async () => {
  const release = store.hold('put', ({ key }) => key === 'slow');
  const slow = store.put('slow', bytes('one'));
  await store.put('fast', bytes('one'));
  expect(await keys()).toEqual(['fast']);
  release();
  await slow;
  expect(await keys()).toEqual(['fast', 'slow']);
});

test('a later rule surrounds an earlier one', async () => {
  const order: string[] = [];
  for (const name of ['first', 'second']) {
    store.around('put', async (_, run) => {
      order.push(name);
      const answer = await run();
      order.push(name);
      return answer;
    });
  }
  await store.put('a', bytes('one'));
  expect(order).toEqual(['second', 'first', 'first', 'second']);
});
