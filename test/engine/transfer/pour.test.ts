import { expect, test } from 'vitest';
import { pour } from '../../../src/engine/transfer/pour.js';
import { XsyncError } from '../../../src/model/error.js';
import { MemoryStore } from '../../../src/store/memory/store.js';
import { FaultyStore } from '../../support/faults.js';

async function* chunks() {
  for (let n = 0; n < 3; n++) {
    yield Buffer.alloc(1024, n);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const options = () => ({ partSize: 1024, signal: new AbortController().signal });

test('a failed part ends the others before the upload is aborted: one that arrives later would stay', async () => {
  const store = new FaultyStore(new MemoryStore());
  let running = 0;
  let runningAtAbort: number | undefined;
  store.around('uploadPart', async ({ part, signal }, run) => {
    if (part === 2) throw new XsyncError('access-denied', 'no more');
    running++;
    if (!signal?.aborted) await new Promise((resolve) => signal?.addEventListener('abort', resolve, { once: true }));
    running--;
    return run();
  });
  store.before('abortUpload', () => {
    runningAtAbort = running;
  });
  await expect(pour(store, 'k', chunks(), options())).rejects.toThrow('no more');
  expect(runningAtAbort).toBe(0);
});

test('what lacks a part never replaces an object, although the part failed before anyone waited for it', async () => {
  const store = new FaultyStore(new MemoryStore());
  await store.put('k', Buffer.from('old'));
  store.around('uploadPart', async ({ part }, run) => {
    if (part === 1) throw new XsyncError('access-denied', 'no more');
    return run();
  });
  await expect(pour(store, 'k', chunks(), options())).rejects.toThrow('no more');
  expect((await store.head('k')).size).toBe(3);
});

test('an older object of the same bytes is not taken for what a failed completion wrote', async () => {
  const store = new FaultyStore(new MemoryStore());
  await pour(store, 'k', chunks(), options());
  store.around('completeUpload', async () => {
    throw new XsyncError('server-error', 'try later');
  });
  await expect(pour(store, 'k', chunks(), { ...options(), storageClass: 'IA' })).rejects.toThrow('try later');
  expect((await store.listUploads({})).uploads).toEqual([]);
});

test('a completion whose answer was lost is found', async () => {
  const store = new FaultyStore(new MemoryStore());
  store.around('completeUpload', async (_, run) => {
    await run();
    throw new XsyncError('server-error', 'the answer was lost');
  });
  expect(await pour(store, 'k', chunks(), options())).toMatchObject({ size: 3 * 1024, parts: 3 });
});
