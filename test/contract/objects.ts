import { expect, it } from 'vitest';
import { md5 } from '../../src/hash/index.js';
import { type Backend, bytes, expectCode, listAll, readAll, text, useSubject } from './context.js';

const HEADERS = {
  contentType: 'text/x-odd; charset=utf-8',
  contentEncoding: 'br',
  contentDisposition: 'attachment; filename="a b.txt"',
  contentLanguage: 'zh-CN',
  cacheControl: 'max-age=60, private',
  expires: 'Wed, 21 Oct 2037 07:28:00 GMT',
};
const METADATA = { plain: 'value', 'with-dash': 'a=b; c="d"', mtime: '1700000000.123', utf8: 'naïve 漢字 😀' };

export function describeObjects(backend: Backend): void {
  const subject = useSubject(backend);

  it('tells the same of an object by put, head, read and list', async () => {
    const { store } = subject();
    const before = Date.now() - 120_000;
    const { etag } = await store.put('a.txt', bytes('hello'));
    const head = await store.head('a.txt');
    const read = await store.read('a.txt', new Uint8Array(5), { ifMatch: etag });
    const [entry] = (await listAll(store)).entries;
    for (const seen of [head, read, entry]) {
      expect(seen).toMatchObject({ key: 'a.txt', size: 5, etag });
      expect(seen?.special).toBeUndefined();
      expect(seen?.mtimeMs).toBeGreaterThan(before);
    }
    // A listing may know the time to the second only.
    expect(Math.abs((entry?.mtimeMs ?? 0) - head.mtimeMs)).toBeLessThan(1000);
    expect(etag).not.toMatch(/"/);
  });

  it('vouches only for checksums that are right', async () => {
    const { store } = subject();
    const written = await store.put('a.txt', bytes('hello'));
    const [entry] = (await listAll(store)).entries;
    for (const sums of [written.checksums, (await store.head('a.txt')).checksums, entry?.checksums ?? {}]) {
      expect([undefined, md5(bytes('hello'))]).toContain(sums.md5);
    }
    if (store.capabilities.partEtagIsMd5) expect(written.etag.toLowerCase()).toBe(md5(bytes('hello')));
    if (store.capabilities.answersCrc64ecma) expect(written.checksums.crc64ecma).toMatch(/^\d+$/);
  });

  it('replaces an object under a new ETag, with nothing left of the old one', async () => {
    const { store } = subject();
    const first = await store.put('a.txt', bytes('a longer first version'), { headers: HEADERS, metadata: METADATA });
    const second = await store.put('a.txt', bytes('second'));
    expect(second.etag).not.toBe(first.etag);
    const { info, body } = await readAll(store, 'a.txt');
    expect(text(body)).toBe('second');
    expect(info.metadata).toEqual({});
    expect(info.headers.contentEncoding).toBeUndefined();
    expect(info.headers.cacheControl).toBeUndefined();
    expect((await listAll(store)).keys).toEqual(['a.txt']);
  });

  it('gives every reader the old or the new bytes while an object is being replaced', async () => {
    const { store } = subject();
    const size = 300_000;
    const versions = [new Uint8Array(size).fill(1), new Uint8Array(size).fill(2)];
    await store.put('a', new Uint8Array(size).fill(1));
    let done = false;
    const write = async () => {
      try {
        for (let i = 0; i < 12; i++) await store.put('a', versions[i % 2] ?? new Uint8Array());
      } finally {
        done = true;
      }
    };
    const read = async () => {
      const target = new Uint8Array(size);
      for (let reads = 0; !done || reads === 0; reads++) {
        const { etag } = await store.head('a');
        const seen = await store.read('a', target, { ifMatch: etag }).then(
          () => new Set(target).size,
          // Ceph answers 500 when the bytes that it began to read go away; that is honest, too.
          (error: unknown) => expectCode(Promise.reject(error), 'precondition-failed', 'server-error').then(() => 1),
        );
        expect(seen).toBe(1);
      }
    };
    const outcomes = await Promise.allSettled([write(), read(), read()]);
    expect(outcomes.filter(({ status }) => status === 'rejected')).toEqual([]);
  });

  it('keeps content headers verbatim', async () => {
    const { store } = subject();
    await store.put('a.json', bytes('x'), { headers: HEADERS });
    expect((await store.head('a.json')).headers).toEqual(HEADERS);
    const { info } = await readAll(store, 'a.json');
    expect(info.headers).toEqual(HEADERS);
  });

  it('keeps user metadata, also beyond ASCII', async () => {
    const { store } = subject();
    if (!store.capabilities.keepsMetadata) return;
    await store.put('a', bytes('x'), { metadata: METADATA });
    expect((await store.head('a')).metadata).toEqual(METADATA);
    expect((await readAll(store, 'a')).info.metadata).toEqual(METADATA);
  });

  it.each([
    ['a name with an underscore', { under_score: 'x' }],
    ['a value with outer spaces', { padded: ' x ' }],
    ['a value that looks encoded', { encoded: '=?UTF-8?B?eA==?= %41' }],
  ])('keeps or refuses %s in metadata, but never changes it in silence', async (_name, metadata) => {
    const { store } = subject();
    if (!store.capabilities.keepsMetadata) return;
    const refused = await store.put('a', bytes('x'), { metadata }).then(
      () => false,
      (error: unknown) => expectCode(Promise.reject(error), 'unsupported', 'metadata-too-large').then(() => true),
    );
    if (!refused) expect((await store.head('a')).metadata).toEqual(metadata);
  });

  it('keeps the modification time natively where it says so', async () => {
    const { store } = subject();
    if (!store.capabilities.keepsMtime) return;
    const mtimeMs = Date.UTC(2001, 1, 3, 4, 5, 6, 789);
    await store.put('a', bytes('x'), { mtimeMs });
    expect((await store.head('a')).mtimeMs).toBe(mtimeMs);
    expect((await listAll(store)).entries[0]?.mtimeMs).toBe(mtimeMs);
  });

  it('refuses a body that does not match its Content-MD5, and keeps the old object', async () => {
    const { store } = subject();
    await store.put('a', bytes('old'), { contentMd5: md5(bytes('old')) });
    if (!store.capabilities.checksContentMd5) return;
    await expectCode(store.put('a', bytes('new'), { contentMd5: md5(bytes('other')) }), 'checksum-mismatch');
    expect(text((await readAll(store, 'a')).body)).toBe('old');
  });

  it('holds empty objects', async () => {
    const { store } = subject();
    const { etag } = await store.put('empty', new Uint8Array());
    expect((await listAll(store)).entries[0]).toMatchObject({ key: 'empty', size: 0 });
    expect(await store.read('empty', new Uint8Array(), { ifMatch: etag })).toMatchObject({ size: 0, etag });
  });

  it('says that a missing object is missing', async () => {
    const { store } = subject();
    await store.put('ab', bytes('x'));
    for (const key of ['a', 'ab/c', 'missing/', 'ab/']) {
      await expectCode(store.head(key), 'object-not-found');
      await expectCode(store.read(key, new Uint8Array(1)), 'object-not-found');
      await expectCode(store.read(key, new Uint8Array(1), { ifMatch: 'x' }), 'object-not-found');
    }
  });

  it('replaces only the named version, where it compares versions', async () => {
    const { store } = subject();
    if (!store.capabilities.writesIfMatch) return;
    const { etag } = await store.put('a', bytes('old'), { replaces: '' });
    await expectCode(store.put('a', bytes('other'), { replaces: '' }), 'precondition-failed');
    await expectCode(store.put('a', bytes('other'), { replaces: 'another' }), 'precondition-failed');
    await expectCode(store.put('missing', bytes('other'), { replaces: etag }), 'precondition-failed');
    const second = await store.put('a', bytes('newer'), { replaces: etag });
    expect((await store.head('a')).size).toBe(5);
    const upload = await store.createUpload('a');
    const part = { partNumber: 1, ...(await store.uploadPart(upload, 1, bytes('in parts'))) };
    await expectCode(store.completeUpload(upload, [part], { replaces: etag }), 'precondition-failed');
    expect((await store.head('a')).etag).toBe(second.etag);
    await store.completeUpload(upload, [part], { replaces: second.etag });
    expect((await store.head('a')).size).toBe(8);
  });

  it('creates an object strictly, where it can', async () => {
    const { store } = subject();
    const { createsOnly, writesIfMatch } = store.capabilities;
    const strict = { replaces: '', strict: true } as const;
    if (!createsOnly && !writesIfMatch) return;
    const { etag } = await store.put('a', bytes('first'), strict);
    await expectCode(store.put('a', bytes('second'), strict), 'precondition-failed');
    if (createsOnly) await expectCode(store.put('a', bytes('third'), { replaces: etag, strict: true }), 'unsupported');
    expect((await store.head('a')).etag).toBe(etag);
  });

  it('deletes only the named version, where it compares versions', async () => {
    const { store } = subject();
    const keys = ['a', 'b', 'c\u0001', 'd\u0001'];
    const versions = new Map<string, string>();
    for (const key of keys) versions.set(key, (await store.put(key, bytes(`old ${key}`))).etag);
    for (const key of ['b', 'd\u0001']) await store.put(key, bytes(`newer ${key}`));
    const failures = await store.delete([...keys, 'missing'], { versions });
    if (!store.capabilities.deletesIfMatch) return expect(failures).toEqual([]);
    expect(failures.map(({ key }) => key)).toEqual(['b', 'd\u0001']);
    for (const { error } of failures) expect(error).toMatchObject({ code: 'precondition-failed' });
    for (const key of ['b', 'd\u0001']) expect((await store.head(key)).size).toBe(bytes(`newer ${key}`).byteLength);
    for (const key of ['a', 'c\u0001']) await expectCode(store.head(key), 'object-not-found');
  });

  it('forgets deleted objects', async () => {
    const { store } = subject();
    await store.put('a', bytes('x'), { headers: HEADERS, metadata: METADATA });
    await store.delete(['a']);
    await expectCode(store.head('a'), 'object-not-found');
    await store.put('a', bytes('y'));
    expect((await store.head('a')).metadata).toEqual({});
  });
}
