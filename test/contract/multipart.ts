import { describe, expect, it } from 'vitest';
import { md5, md5OfMd5s } from '../../src/hash/index.js';
import type { UserMetadata } from '../../src/model/object.js';
import type { ObjectStore, UploadRef } from '../../src/store/port.js';
import {
  type Backend,
  bytes,
  expectCode,
  inPieces,
  listAll,
  partSize,
  pattern,
  readAll,
  text,
  useSubject,
} from './context.js';

type Named = { partNumber: number; etag: string };

/** Sends parts in the order given and returns them in ascending order, as completion wants them. */
async function send(store: ObjectStore, upload: UploadRef, parts: [number, Uint8Array][]): Promise<Named[]> {
  const sent: Named[] = [];
  for (const [partNumber, body] of parts) {
    const { etag } = await store.uploadPart(upload, partNumber, body, { contentMd5: md5(body) });
    sent.push({ partNumber, etag });
  }
  return sent.sort((a, b) => a.partNumber - b.partNumber);
}

export function describeMultipart(backend: Backend): void {
  const subject = useSubject(backend);

  async function expectObject(key: string, expected: Uint8Array[]): Promise<void> {
    const { body } = await readAll(subject().store, key);
    expect(Buffer.compare(body, Buffer.concat(expected))).toBe(0);
  }

  describe.each([
    ['in order', [0, 1, 2], [1, 2, 3]],
    ['out of order', [1, 2, 0], [1, 2, 3]],
    ['last part first', [2, 0, 1], [1, 2, 3]],
    ['with gaps in the numbers', [0, 1, 2], [2, 5, 9]],
  ])('parts %s', (_name, order, numbers) => {
    it.each([
      ['of one size and a short last one', 0, 0],
      ['of uneven sizes, larger first', 17, 0],
      ['of uneven sizes, smaller first', 0, 17],
    ])('become the object: %s', async (_sizes, more1, more2) => {
      const { store } = subject();
      const size = partSize(subject());
      const parts = [pattern(size + more1, 1), pattern(size + more2, 2), pattern(33, 3)];
      const upload = await store.createUpload('m');
      const sent = await send(
        store,
        upload,
        order.map((i): [number, Uint8Array] => [numbers[i] ?? 0, parts[i] ?? new Uint8Array()]),
      );
      const written = await store.completeUpload(upload, sent);
      await expectObject('m', parts);
      const head = await store.head('m');
      expect(head.etag).toBe(written.etag);
      expect((await listAll(store)).entries).toMatchObject([{ key: 'm', size: head.size, etag: head.etag }]);
      const composite = md5OfMd5s(parts.map(md5));
      for (const sums of [written.checksums, head.checksums]) {
        expect([undefined, composite]).toContain(sums.md5ofParts);
        expect([undefined, md5(Buffer.concat(parts))]).toContain(sums.md5);
      }
    });
  });

  it('takes a part whose pieces come at once or later, and none that fails', async ({ skip }) => {
    const { store } = subject();
    const send = store.uploadPartPieces?.bind(store) ?? skip();
    const upload = await store.createUpload('a');
    const body = pattern(300_001);
    const { etag, checksums } = await send(upload, 1, inPieces(body, 1, 70_000, 3));
    if (store.capabilities.hashesParts) expect(checksums.md5).toBe(md5(body));
    expect([undefined, md5(body)]).toContain(checksums.md5);
    const gone = new Error('gone');
    const next = () => Promise.reject(gone);
    await expect(send(upload, 2, { byteLength: 10, open: () => ({ next }) })).rejects.toMatchObject({ cause: gone });
    const wrong = send(upload, 2, inPieces(pattern(10), 10), { contentMd5: md5(body) });
    await expectCode(wrong, 'checksum-mismatch');
    const parts = await store.listParts(upload);
    expect(parts).toMatchObject([{ partNumber: 1, size: body.byteLength, etag }]);
    expect(parts).toHaveLength(1);
    await store.completeUpload(upload, [{ partNumber: 1, etag }]);
    expect(Buffer.compare((await readAll(store, 'a')).body, body)).toBe(0);
  });

  it('answers for each part what it holds', async () => {
    const { store } = subject();
    const upload = await store.createUpload('m');
    const { etag, checksums } = await store.uploadPart(upload, 3, bytes('part'));
    expect([undefined, md5(bytes('part'))]).toContain(checksums.md5);
    if (store.capabilities.partEtagIsMd5) expect(etag.toLowerCase()).toBe(md5(bytes('part')));
    if (store.capabilities.answersCrc64ecma) expect(checksums.crc64ecma).toMatch(/^\d+$/);
    expect(await store.listParts(upload)).toMatchObject([{ partNumber: 3, size: 4, etag }]);
    await store.abortUpload(upload);
  });

  it('lists what it holds, so that a resumed upload sends only the rest', async () => {
    const { store } = subject();
    const size = partSize(subject());
    const parts = [1, 2, 3, 4].map((n) => pattern(size, n));
    const upload = await store.createUpload('m');
    await send(store, upload, [
      [4, bytes('tail')],
      [2, parts[1] ?? bytes('')],
    ]);
    const held = await store.listParts(upload);
    expect(held.map((part) => [part.partNumber, part.size])).toEqual([
      [2, size],
      [4, 4],
    ]);
    const sent = await send(store, upload, [
      [1, parts[0] ?? bytes('')],
      [3, parts[2] ?? bytes('')],
    ]);
    const named = [...held, ...sent].sort((a, b) => a.partNumber - b.partNumber);
    await store.completeUpload(
      upload,
      named.map(({ partNumber, etag }) => ({ partNumber, etag })),
    );
    await expectObject('m', [...parts.slice(0, 3), bytes('tail')]);
  });

  it('takes the last sending of a part number', async () => {
    const { store } = subject();
    const size = partSize(subject());
    const upload = await store.createUpload('m');
    const [first] = await send(store, upload, [
      [1, pattern(size, 1)],
      [2, bytes('long tail')],
    ]);
    const [again] = await send(store, upload, [[1, pattern(size, 7)]]);
    const [tail] = await send(store, upload, [[2, bytes('tail')]]);
    if (!first || !again || !tail) throw new Error('three parts were sent');
    expect((await store.listParts(upload)).map(({ etag }) => etag)).toEqual([again.etag, tail.etag]);
    await expectCode(store.completeUpload(upload, [first, tail]), 'precondition-failed', 'checksum-mismatch');
    await store.completeUpload(upload, [again, tail]);
    await expectObject('m', [pattern(size, 7), bytes('tail')]);
  });

  if (!backend.wantsEveryPart)
    it('completes with the parts that are named and no others', async () => {
      const { store } = subject();
      const size = partSize(subject());
      const upload = await store.createUpload('m');
      const sent = await send(store, upload, [
        [1, pattern(size, 1)],
        [2, pattern(size, 2)],
        [3, pattern(size, 3)],
      ]);
      await store.completeUpload(
        upload,
        sent.filter(({ partNumber }) => partNumber !== 2),
      );
      await expectObject('m', [pattern(size, 1), pattern(size, 3)]);
    });

  it('tells the size of the first part, or nothing: what it tells is trusted to prove copies', async () => {
    const { store } = subject();
    const size = partSize(subject());
    const upload = await store.createUpload('m');
    const sent = await send(store, upload, [
      [1, pattern(size, 1)],
      [2, bytes('tail')],
    ]);
    const { etag } = await store.completeUpload(upload, sent);
    expect([size, undefined]).toContain(await store.firstPartSize('m', { ifMatch: etag || undefined }));
    await store.put('whole', bytes('in one piece'));
    expect([12, undefined]).toContain(await store.firstPartSize('whole'));
  });

  it('does not make an object of an upload that misses a part', async () => {
    const { store } = subject();
    const upload = await store.createUpload('m');
    const sent = await send(store, upload, [[1, pattern(partSize(subject()), 1)]]);
    await expectCode(
      store.completeUpload(upload, [...sent, { partNumber: 2, etag: md5(bytes('never sent')) }]),
      'precondition-failed',
    );
    await expectCode(store.head('m'), 'object-not-found');
    await store.completeUpload(upload, sent);
    await expectObject('m', [pattern(partSize(subject()), 1)]);
  });

  it('refuses a part that does not match its Content-MD5', async () => {
    const { store } = subject();
    if (!store.capabilities.checksContentMd5) return;
    const upload = await store.createUpload('m');
    await expectCode(
      store.uploadPart(upload, 1, bytes('part'), { contentMd5: md5(bytes('other')) }),
      'checksum-mismatch',
    );
    expect(await store.listParts(upload)).toEqual([]);
    await store.abortUpload(upload);
  });

  it('shows nothing, or the old object, until the upload is complete', async () => {
    const { store } = subject();
    await store.put('m', bytes('old'));
    const upload = await store.createUpload('m');
    const sent = await send(store, upload, [[1, bytes('new')]]);
    expect(text((await readAll(store, 'm')).body)).toBe('old');
    expect((await listAll(store)).keys).toEqual(['m']);
    await store.completeUpload(upload, sent);
    expect(text((await readAll(store, 'm')).body)).toBe('new');
  });

  it('gives the object the headers, metadata and time that the upload began with', async () => {
    const { store } = subject();
    const headers = { contentType: 'text/x-odd', cacheControl: 'no-cache' };
    const metadata: UserMetadata = store.capabilities.keepsMetadata ? { mtime: '1.5', utf8: '漢字' } : {};
    const mtimeMs = Date.UTC(2002, 2, 2);
    const upload = await store.createUpload('m', { headers, metadata, mtimeMs });
    await store.completeUpload(upload, await send(store, upload, [[1, bytes('x')]]), { mtimeMs });
    const head = await store.head('m');
    expect(head).toMatchObject({ headers, metadata });
    if (store.capabilities.keepsMtime) expect(head.mtimeMs).toBe(mtimeMs);
  });
}
