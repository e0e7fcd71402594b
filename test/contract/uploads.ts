import { expect, it } from 'vitest';
import type { ObjectStore, UploadRef } from '../../src/store/port.js';
import { type Backend, bytes, eightAtOnce, expectCode, useSubject } from './context.js';

async function expectGone(store: ObjectStore, upload: UploadRef): Promise<void> {
  await expectCode(store.uploadPart(upload, 1, bytes('x')), 'upload-not-found');
  await expectCode(store.listParts(upload), 'upload-not-found');
  await expectCode(store.completeUpload(upload, [{ partNumber: 1, etag: 'x' }]), 'upload-not-found');
}

async function allUploads(store: ObjectStore, prefix?: string): Promise<UploadRef[]> {
  const found: UploadRef[] = [];
  let token: string | undefined;
  do {
    const page = await store.listUploads({ prefix, token });
    for (const { key, uploadId } of page.uploads) found.push({ key, uploadId });
    token = page.nextToken;
  } while (token !== undefined);
  return found;
}

export function describeUploads(backend: Backend): void {
  const subject = useSubject(backend);

  it('knows a completed upload no longer', async () => {
    const { store } = subject();
    const upload = await store.createUpload('a');
    const { etag } = await store.uploadPart(upload, 1, bytes('x'));
    await store.completeUpload(upload, [{ partNumber: 1, etag }]);
    await expectGone(store, upload);
    expect(await allUploads(store)).toEqual([]);
  });

  it('knows an aborted upload no longer, and aborting it again is fine', async () => {
    const { store } = subject();
    const upload = await store.createUpload('a');
    await store.uploadPart(upload, 1, bytes('x'));
    await store.abortUpload(upload);
    await expectGone(store, upload);
    await store.abortUpload(upload);
    expect(await allUploads(store)).toEqual([]);
    await expectCode(store.head('a'), 'object-not-found');
  });

  it('finds unfinished uploads by prefix, each under its own key', async () => {
    const { store } = subject();
    const before = Date.now() - 120_000;
    const uploads = [];
    for (const key of ['a', 'a', 'ab', 'a/b', 'z', '漢字 +&']) uploads.push(await store.createUpload(key));
    const byId = (x: UploadRef, y: UploadRef) => (x.uploadId < y.uploadId ? -1 : 1);
    expect((await allUploads(store)).sort(byId)).toEqual([...uploads].sort(byId));
    for (const prefix of ['a', 'ab', 'a/', '漢', 'missing']) {
      const expected = uploads.filter(({ key }) => key.startsWith(prefix));
      expect((await allUploads(store, prefix)).sort(byId), prefix).toEqual(expected.sort(byId));
    }
    const [z] = (await store.listUploads({ prefix: 'z' })).uploads;
    expect(z?.initiatedMs).toBeGreaterThan(before);
    for (const upload of uploads) await store.abortUpload(upload);
  });

  it("keeps two keys' uploads apart: a never takes up ab's", async () => {
    const { store } = subject();
    const upload = await store.createUpload('ab');
    const { etag } = await store.uploadPart(upload, 1, bytes('x'));
    const confused = { key: 'a', uploadId: upload.uploadId };
    await expectGone(store, confused);
    await store.abortUpload(confused).catch((error: unknown) => expectCode(Promise.reject(error), 'upload-not-found'));
    await store.completeUpload(upload, [{ partNumber: 1, etag }]);
    await expectCode(store.head('a'), 'object-not-found');
  });

  it('keeps two uploads of one key apart', async () => {
    const { store } = subject();
    const [one, two] = [await store.createUpload('a'), await store.createUpload('a')];
    await store.uploadPart(one, 1, bytes('one'));
    const { etag } = await store.uploadPart(two, 1, bytes('two!'));
    await store.completeUpload(two, [{ partNumber: 1, etag }]);
    expect(await store.head('a')).toMatchObject({ size: 4 });
    expect(await store.listParts(one)).toMatchObject([{ partNumber: 1, size: 3 }]);
    await store.abortUpload(one);
  });

  it('does not take any text for an upload', async () => {
    const { store } = subject();
    for (const uploadId of ['no-such-upload', '..', '../..', '.', 'a/b']) {
      await expectCode(store.listParts({ key: 'a', uploadId }), 'upload-not-found');
    }
  });

  it('lists more than a thousand parts', async () => {
    const { store, plant } = subject();
    const upload = await store.createUpload('a');
    const numbers = Array.from({ length: 1003 }, (_, i) => i + 1);
    await eightAtOnce(numbers, async (n) =>
      plant ? plant.part(upload, n, bytes('x')) : store.uploadPart(upload, n, bytes('x')),
    );
    expect((await store.listParts(upload)).map(({ partNumber }) => partNumber)).toEqual(numbers);
    await store.abortUpload(upload);
  });
}
