import { expect, it } from 'vitest';
import { Book, isTrusted } from '../../../src/bridge/pull/book.js';
import { HttpTransport } from '../../../src/store/http/transport.js';

const COMMON = { version: 1 as const, id: 'r1', key: 'a', revision: 1 };
const COPY = { ...COMMON, action: 'copy' as const, url: 'http://h/a', expiresMs: 1, etag: 'e', size: 5, mtimeMs: 7 };

it('knows what a ticket says without a request, and nothing of deleted objects', async () => {
  const book = new Book('b', { allowPrivate: [] });
  const transport = new HttpTransport({ userAgent: 'test', guard: book.guard });
  const store = book.store(transport);
  book.open(COPY);
  expect(await store.head('a')).toMatchObject({ etag: 'e', size: 5, mtimeMs: 7 });
  expect((await store.list({})).entries).toMatchObject([{ key: 'a' }]);
  book.open({ ...COMMON, action: 'delete' });
  await expect(store.head('a')).rejects.toMatchObject({ code: 'object-not-found' });
  expect((await store.list({})).entries).toEqual([]);
  book.open(COPY);
  book.close('a');
  await expect(store.read('a', new Uint8Array(1))).rejects.toMatchObject({ code: 'object-not-found' });
  await transport.close();
});

it('trusts hosts by name', () => {
  const trust = { allowHost: ['*.s3.amazonaws.com', '10.0.0.1', '::1'], allowPrivate: [] };
  expect(isTrusted('https://b.s3.amazonaws.com/k', trust)).toBe(true);
  expect(isTrusted('https://b.s3.amazonaws.com.evil.example/k', trust)).toBe(false);
  expect(isTrusted('https://b.s3.amazonaws.com@evil.example/k', trust)).toBe(false);
  expect(isTrusted('http://10.0.0.1:9000/k', trust)).toBe(true);
  expect(isTrusted('http://[::1]/k', trust)).toBe(true);
});
