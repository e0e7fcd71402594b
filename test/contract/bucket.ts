import { expect, it } from 'vitest';
import { type Backend, bytes, expectCode, listAll, useSubject } from './context.js';

export function describeBucket(backend: Backend): void {
  const subject = useSubject(backend);

  it('says that a reachable bucket is reachable', async () => {
    await subject().store.checkBucket();
  });

  it('takes creating a bucket that is ours already as done', async () => {
    const { store } = subject();
    await store.put('kept', bytes('kept'));
    await store.createBucket();
    expect((await listAll(store)).keys).toEqual(['kept']);
  });

  it('does not take a missing bucket for an empty one, which a sync would copy as deletions', async () => {
    const { missing } = subject();
    if (!missing) return;
    await expectCode(missing.checkBucket(), 'bucket-not-found');
    await expectCode(missing.list({}), 'bucket-not-found');
  });

  it('creates a missing bucket', async () => {
    const { missing } = subject();
    if (!missing) return;
    await missing.createBucket();
    await missing.checkBucket();
    await missing.put('a', bytes('a'));
    expect((await listAll(missing)).keys).toEqual(['a']);
    await missing.delete(['a']);
  });

  it('deletes the bucket only when it is empty', async () => {
    const { missing } = subject();
    if (!missing) return;
    await missing.createBucket();
    await missing.put('a', bytes('a'));
    await expectCode(missing.deleteBucket(), 'guard');
    expect((await listAll(missing)).keys).toEqual(['a']);
    await missing.delete(['a']);
    await missing.deleteBucket();
    await expectCode(missing.checkBucket(), 'bucket-not-found');
    await expectCode(missing.deleteBucket(), 'bucket-not-found');
  });

  it('names itself by endpoint and bucket, so that a manifest belongs to one place', () => {
    const { identity } = subject().store;
    expect(identity.kind).not.toBe('');
    expect(identity.endpoint).not.toBe('');
    expect(identity.bucket).not.toBe('');
  });

  it('deletes many keys in one call, and takes missing ones as deleted', async () => {
    const { store } = subject();
    const keys = ['a', 'b&<c>', 'd/e', '漢字'];
    for (const key of [...keys, 'kept']) await store.put(key, bytes(key));
    expect(await store.delete([...keys, 'never there', 'd/never'])).toEqual([]);
    expect((await listAll(store)).keys).toEqual(['kept']);
  });

  it('refuses to begin anything once the signal has fired', async () => {
    const { store } = subject();
    const { etag } = await store.put('a', bytes('a'));
    const upload = await store.createUpload('u');
    const signal = AbortSignal.abort();
    const calls: Record<string, () => Promise<unknown>> = {
      checkBucket: () => store.checkBucket({ signal }),
      createBucket: () => store.createBucket({ signal }),
      deleteBucket: () => store.deleteBucket({ signal }),
      list: () => store.list({ signal }),
      head: () => store.head('a', { signal }),
      read: () => store.read('a', new Uint8Array(1), { signal, ifMatch: etag }),
      put: () => store.put('b', bytes('b'), { signal }),
      createUpload: () => store.createUpload('b', { signal }),
      uploadPart: () => store.uploadPart(upload, 1, bytes('b'), { signal }),
      listParts: () => store.listParts(upload, { signal }),
      completeUpload: () => store.completeUpload(upload, [], { signal }),
      abortUpload: () => store.abortUpload(upload, { signal }),
      listUploads: () => store.listUploads({ signal }),
      delete: () => store.delete(['a'], { signal }),
    };
    for (const call of Object.values(calls)) await expectCode(call(), 'aborted');
    expect((await listAll(store)).keys).toEqual(['a']);
    await store.abortUpload(upload);
  });
}
