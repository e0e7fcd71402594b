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
