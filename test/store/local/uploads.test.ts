import { appendFile, copyFile, open, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { md5 } from '../../../src/hash/index.js';
import type { ObjectStore, UploadRef } from '../../../src/store/port.js';
import { bytes, expectCode, pattern, readAll } from '../../contract/context.js';
import { useFixture } from './fixture.js';

const SIZE = 10_000;
const parts = [1, 2, 3, 4].map((n) => pattern(n === 4 ? 77 : SIZE, n));
const part = (n: number) => parts[n - 1] ?? new Uint8Array();

describe('uploads on disk', () => {
  const fixture = useFixture();
  const folder = (upload: UploadRef) => join(fixture.root, '.xsync/uploads', upload.uploadId);

  async function send(store: ObjectStore, upload: UploadRef, numbers: number[]): Promise<void> {
    for (const n of numbers) await store.uploadPart(upload, n, part(n));
  }

  async function finish(store: ObjectStore, upload: UploadRef): Promise<void> {
    const held = await store.listParts(upload);
    await store.completeUpload(
      upload,
      held.map(({ partNumber, etag }) => ({ partNumber, etag })),
    );
    const { body } = await readAll(store, upload.key);
    expect(Buffer.compare(body, Buffer.concat(parts))).toBe(0);
    await store.close();
    expect(await readdir(fixture.root)).toEqual([upload.key]);
  }

  const numbers = async (store: ObjectStore, upload: UploadRef) =>
    (await store.listParts(upload)).map(({ partNumber }) => partNumber);

  it('go on after a kill with the parts that were acknowledged', async () => {
    const killed = fixture.open();
    const upload = await killed.createUpload('big');
    await send(killed, upload, [1, 3, 4]);
    const store = fixture.open();
    expect((await store.listUploads({ prefix: 'big' })).uploads).toMatchObject([upload]);
    expect(await numbers(store, upload)).toEqual([1, 3, 4]);
    await send(store, upload, [2]);
    await finish(store, upload);
  });

  it('have no part whose bytes the disk refused while the rest arrived', async () => {
    const refused = Object.assign(new Error('EIO: i/o error, fdatasync'), { code: 'EIO', syscall: 'fdatasync' });
    const store = fixture.open({ syncCalls: { data: () => Promise.reject(refused) } });
    const upload = await store.createUpload('big');
    await store.uploadPart(upload, 1, new Uint8Array(24 * 1024 * 1024));
    await expect(store.uploadPart(upload, 2, new Uint8Array(8 * 1024 * 1024))).rejects.toThrow(
      'cannot be written: i/o error',
    );
    expect(await numbers(store, upload)).toEqual([1]);
    await store.close();
  });

  it('go on after a kill before the first part was done', async () => {
    const killed = fixture.open();
    const upload = await killed.createUpload('big');
    const stuck = new AbortController();
    const first = killed.uploadPart(upload, 1, part(1), { pace: () => new Promise(() => {}), signal: stuck.signal });
    await send(killed, upload, [2, 3]);
    stuck.abort();
    await expectCode(first, 'aborted');
    const store = fixture.open();
    expect(await numbers(store, upload)).toEqual([2, 3]);
    await send(store, upload, [4, 1]);
    expect((await readdir(folder(upload))).filter((name) => name.startsWith('part.'))).toEqual([]);
    await finish(store, upload);
  });

  it('are completed by the process that created them with parts that others have sent', async () => {
    const store = fixture.open();
    const upload = await store.createUpload('big');
    await send(fixture.open(), upload, [3, 1]);
    await send(fixture.open(), upload, [4, 2]);
    await store.completeUpload(
      upload,
      parts.map((body, index) => ({ partNumber: index + 1, etag: md5(body) })),
    );
    expect(Buffer.compare((await readAll(store, 'big')).body, Buffer.concat(parts))).toBe(0);
  });

  it('list the parts that others have sent since', async () => {
    const store = fixture.open();
    const upload = await store.createUpload('big');
    await send(store, upload, [1]);
    expect(await numbers(store, upload)).toEqual([1]);
    await send(fixture.open(), upload, [2, 3, 4]);
    expect(await numbers(store, upload)).toEqual([1, 2, 3, 4]);
    await finish(store, upload);
  });

  it('are written once: parts of one size go straight to their places', async () => {
    const store = fixture.open();
    const upload = await store.createUpload('big');
    await Promise.all([1, 2, 3, 4].map((n) => store.uploadPart(upload, n, part(n))));
    expect((await readdir(folder(upload))).sort()).toEqual(['data', 'parts.jsonl', 'upload.json']);
    const before = (await stat(join(folder(upload), 'data'))).ino;
    await finish(store, upload);
    expect((await stat(join(fixture.root, 'big'))).ino).toBe(before);
  });

  it('do not count a part whose bytes a power loss took', async () => {
    const killed = fixture.open();
    const upload = await killed.createUpload('big');
    await send(killed, upload, [1, 2, 3]);
    const file = await open(join(folder(upload), 'data'), 'r+');
    await file.write(new Uint8Array(10), 0, 10, SIZE + 5);
    await file.truncate(3 * SIZE - 1);
    await file.close();
    const held = [1, 2, 3].map((n) => ({ partNumber: n, etag: '' }));
    for (const one of await killed.listParts(upload)) held[one.partNumber - 1] = one;
    const blind = fixture.open();
    await expectCode(blind.completeUpload(upload, held), 'precondition-failed');
    const store = fixture.open();
    expect(await numbers(store, upload)).toEqual([1]);
    await send(store, upload, [2, 3, 4]);
    await finish(store, upload);
  });

  it('complete only with what is on disk, also when nobody asked for the parts before', async () => {
    const killed = fixture.open();
    const upload = await killed.createUpload('big');
    const { etag } = await killed.uploadPart(upload, 1, part(1));
    const file = await open(join(folder(upload), 'data'), 'r+');
    await file.write(new Uint8Array(10), 0, 10, 5);
    await file.close();
    const store = fixture.open();
    await expectCode(store.completeUpload(upload, [{ partNumber: 1, etag }]), 'precondition-failed');
    await expectCode(store.head('big'), 'object-not-found');
  });

  it('do not count a part whose record was cut off', async () => {
    const killed = fixture.open();
    const upload = await killed.createUpload('big');
    await send(killed, upload, [1, 2]);
    await appendFile(join(folder(upload), 'parts.jsonl'), '{"partNumber":3,"size":10000,"md');
    expect(await numbers(fixture.open(), upload)).toEqual([1, 2]);
  });

  it('go on after a record that was cut off', async () => {
    const killed = fixture.open();
    const upload = await killed.createUpload('big');
    await send(killed, upload, [1, 2]);
    await appendFile(join(folder(upload), 'parts.jsonl'), '{"partNumber":3,"size":10000,"md');
    const next = fixture.open();
    await send(next, upload, [3, 4]);
    const store = fixture.open();
    expect(await numbers(store, upload)).toEqual([1, 2, 3, 4]);
    await finish(store, upload);
  });

  it('are gone when the run was killed right after completing them', async () => {
    const killed = fixture.open();
    const upload = await killed.createUpload('big');
    const { etag } = await killed.uploadPart(upload, 1, part(1));
    const saved = join(fixture.base, 'parts.jsonl');
    const [json, records] = ['upload.json', 'parts.jsonl'].map((name) => join(folder(upload), name));
    const intention = await readFile(json ?? '', 'utf8');
    await copyFile(records ?? '', saved);
    await killed.completeUpload(upload, [{ partNumber: 1, etag }]);
    await fixture.write(`.xsync/uploads/${upload.uploadId}/upload.json`, intention);
    await copyFile(saved, records ?? '');
    const store = fixture.open();
    await expectCode(store.listParts(upload), 'upload-not-found');
    expect((await store.listUploads({})).uploads).toEqual([]);
    await store.close();
    expect(await readdir(fixture.root)).toEqual(['big']);
  });

  it('survive a completion that failed', async () => {
    const store = fixture.open();
    const upload = await store.createUpload('big');
    await send(store, upload, [1, 2, 3, 4]);
    await store.put('big/in the way', bytes('x'));
    const held = await store.listParts(upload);
    await expectCode(store.completeUpload(upload, held), 'key-not-representable');
    await store.delete(['big/in the way']);
    await rm(join(fixture.root, 'big'), { recursive: true, force: true });
    expect(await numbers(store, upload)).toEqual([1, 2, 3, 4]);
    await finish(store, upload);
  });
});
