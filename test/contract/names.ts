import { expect, it } from 'vitest';
import { type Backend, bytes, expectCode, expectKeys, listAll, readAll, text, useSubject } from './context.js';
import { IMPOSSIBLE_KEYS, KEYS, type KeyName } from './keys.js';

export function describeKeys(backend: Backend): void {
  const subject = useSubject(backend);
  const all = Object.entries(KEYS) as [KeyName, string][];
  const refused = all.filter(([name]) => backend.refuses?.includes(name));
  const held = all.filter(([name]) => !backend.refuses?.includes(name));

  it.each(held)('keeps a key verbatim through every call: %s', async (_name, key) => {
    const { store } = subject();
    const body = key.endsWith('/') ? new Uint8Array() : bytes(`bytes of ${key}`);
    expect(() => store.checkKey(key)).not.toThrow();
    const { etag } = await store.put(key, body);
    expect((await listAll(store)).keys).toEqual([key]);
    expect((await listAll(store, { prefix: key })).keys).toEqual([key]);
    expect((await listAll(store, { startAfter: key })).keys).toEqual([]);
    expect(await store.head(key)).toMatchObject({ key, etag, size: body.byteLength });
    expect(text((await readAll(store, key)).body)).toBe(text(body));
    expect(await store.delete([key])).toEqual([]);
    await expectCode(store.head(key), 'object-not-found');
    expect((await listAll(store)).keys).toEqual([]);
  });

  it.each(held)('uploads in parts to a key verbatim: %s', async (_name, key) => {
    const { store } = subject();
    const upload = await store.createUpload(key);
    expect(upload.key).toBe(key);
    const body = key.endsWith('/') ? new Uint8Array() : bytes(`parts of ${key}`);
    const { uploads } = await store.listUploads({ prefix: key });
    expect(uploads).toMatchObject([{ key, uploadId: upload.uploadId }]);
    const { etag } = await store.uploadPart(upload, 1, body);
    await store.completeUpload(upload, [{ partNumber: 1, etag }]);
    expect((await listAll(store)).keys).toEqual([key]);
    expect(text((await readAll(store, key)).body)).toBe(text(body));
  });

  it.each([...refused, ...Object.entries(IMPOSSIBLE_KEYS)])(
    'refuses a key that it cannot hold, rather than to alter it: %s',
    async (_name, key) => {
      const { store } = subject();
      const calls = [
        () => store.put(key, new Uint8Array()),
        () => store.head(key),
        () => store.read(key, new Uint8Array()),
        () => store.createUpload(key),
      ];
      for (const call of calls) await expectCode(call(), 'key-not-representable');
      await expectCode(
        Promise.resolve().then(() => store.checkKey(key)),
        'key-not-representable',
      );
      const [failure, ...others] = await store.delete([key, 'missing']);
      expect(failure?.key).toBe(key);
      expect(failure?.error).toMatchObject({ code: 'key-not-representable' });
      expect(others).toEqual([]);
      expect((await listAll(store)).keys).toEqual([]);
    },
  );

  it('takes keys apart that Unicode normalisation would make one', async () => {
    const { store } = subject();
    const [composed, decomposed] = ['\u00e9', 'e\u0301'];
    await store.put(composed, bytes('composed'));
    await store.put(decomposed, bytes('decomposed'));
    expectKeys(store, (await listAll(store)).keys, [decomposed, composed]);
    expect(text((await readAll(store, composed)).body)).toBe('composed');
  });

  it('holds a folder marker beside the objects below it', async () => {
    const { store } = subject();
    await store.put('folder/a', bytes('a'));
    await store.put('folder/', new Uint8Array(), { headers: { contentType: 'application/x-directory' } });
    await store.put('folder/b/', new Uint8Array());
    expectKeys(store, (await listAll(store)).keys, ['folder/', 'folder/a', 'folder/b/']);
    expect(await store.head('folder/')).toMatchObject({
      size: 0,
      headers: { contentType: 'application/x-directory' },
    });
    await store.delete(['folder/', 'folder/b/']);
    expect((await listAll(store)).keys).toEqual(['folder/a']);
  });

  it('holds a key beside keys that it is a prefix of, or says that it cannot', async () => {
    const { store } = subject();
    await store.put('a', bytes('1'));
    await store.put('ab', bytes('2'));
    const below = await store.put('a/b', bytes('3')).then(
      () => ['a/b'],
      (error: unknown) => expectCode(Promise.reject(error), 'key-not-representable').then(() => []),
    );
    expectKeys(store, (await listAll(store)).keys, ['a', ...below, 'ab']);
    expect(text((await readAll(store, 'a')).body)).toBe('1');
  });
}
