import { expect, it } from 'vitest';
import { type Backend, bytes, expectCode, pattern, readAll, text, useSubject } from './context.js';

/** Aborts a call whose pace never lets go, and expects it to give up at once. */
async function expectAborts(start: (options: { signal: AbortSignal; pace: () => Promise<void> }) => Promise<unknown>) {
  const controller = new AbortController();
  const pace = () => {
    setTimeout(() => controller.abort(), 5);
    return new Promise<void>(() => {});
  };
  await expectCode(start({ signal: controller.signal, pace }), 'aborted');
}

export function describeTransfers(backend: Backend): void {
  const subject = useSubject(backend);

  it('reads exactly the range asked for, and says how large the whole is', async () => {
    const { store } = subject();
    const body = pattern(10_000);
    const { etag } = await store.put('a', body);
    for (const [offset, size] of [
      [0, 1],
      [0, 10_000],
      [1, 9_999],
      [4_321, 1_234],
      [9_999, 1],
    ] as const) {
      const target = new Uint8Array(size);
      const info = await store.read('a', target, { offset, ifMatch: etag });
      expect(Buffer.compare(target, body.subarray(offset, offset + size))).toBe(0);
      expect(info).toMatchObject({ key: 'a', size: 10_000, etag });
    }
  });

  it('does not write outside the target', async () => {
    const { store } = subject();
    await store.put('a', bytes('0123456789'));
    const around = new Uint8Array(8).fill(255);
    await store.read('a', around.subarray(2, 6), { offset: 3 });
    expect([...around]).toEqual([255, 255, 51, 52, 53, 54, 255, 255]);
  });

  it('never mixes old and new bytes: a read pinned to another version fails', async () => {
    const { store } = subject();
    const old = await store.put('a', bytes('old bytes'));
    const now = await store.put('a', bytes('new bytes'));
    for (const target of [new Uint8Array(9), new Uint8Array(3), new Uint8Array()]) {
      await expectCode(store.read('a', target, { ifMatch: old.etag }), 'precondition-failed');
      await store.read('a', target, { ifMatch: now.etag });
    }
  });

  it('reads nothing of an object but its description when the target is empty', async () => {
    const { store } = subject();
    const { etag } = await store.put('a', bytes('0123456789'));
    expect(await store.read('a', new Uint8Array(), { ifMatch: etag })).toMatchObject({ size: 10, etag });
    await expectCode(store.read('missing', new Uint8Array()), 'object-not-found');
  });

  it('says so when an object has fewer bytes than asked for', async () => {
    const { store } = subject();
    await store.put('a', bytes('0123456789'));
    await expectCode(store.read('a', new Uint8Array(11)), 'truncated');
    await expectCode(store.read('a', new Uint8Array(5), { offset: 6 }), 'truncated');
    await expectCode(store.read('a', new Uint8Array(1), { offset: 10 }), 'truncated');
  });

  it('lets the caller reuse a body once it is sent, and never changes it', async () => {
    const { store } = subject();
    const body = bytes('first');
    await store.put('a', body);
    expect(text(body)).toBe('first');
    const upload = await store.createUpload('m');
    const { etag } = await store.uploadPart(upload, 1, body);
    expect(text(body)).toBe('first');
    body.fill(0);
    await store.completeUpload(upload, [{ partNumber: 1, etag }]);
    expect(text((await readAll(store, 'a')).body)).toBe('first');
    expect(text((await readAll(store, 'm')).body)).toBe('first');
  });

  it('paces every byte once, so that limits and progress are right', async () => {
    const { store } = subject();
    let paced = 0;
    const pace = (count: number) => {
      paced += count;
      return count % 2 === 0 ? Promise.resolve() : undefined;
    };
    const body = pattern(2_500_001);
    await store.put('a', body, { pace });
    expect(paced).toBe(2_500_001);
    const target = new Uint8Array(2_000_001);
    await store.read('a', target, { offset: 7, pace });
    expect(paced).toBe(4_500_002);
    const upload = await store.createUpload('m');
    await store.uploadPart(upload, 1, body, { pace });
    expect(paced).toBe(7_000_003);
    await store.abortUpload(upload);
  });

  it('gives up a transfer as soon as it is aborted, and leaves nothing behind', async () => {
    const { store } = subject();
    await store.put('a', pattern(100_000));
    const upload = await store.createUpload('m');
    await expectAborts((options) => store.read('a', new Uint8Array(100_000), options));
    await expectAborts((options) => store.put('b', pattern(100_000), options));
    await expectAborts((options) => store.uploadPart(upload, 1, pattern(100_000), options));
    await expectCode(store.head('b'), 'object-not-found');
    expect(await store.listParts(upload)).toEqual([]);
    await store.abortUpload(upload);
  });
}
