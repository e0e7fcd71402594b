import { expect, it } from 'vitest';
import { Book } from '../../../src/bridge/pull/book.js';
import type { BridgeTicket } from '../../../src/bridge/ticket.js';
import { ticketId } from '../../../src/manifest/queues.js';
import { HttpTransport } from '../../../src/store/http/transport.js';

const common = (key: string) => ({ version: 1 as const, key, revision: 1, id: ticketId({ key, revision: 1 }) });
const copy = (key: string, more: object = {}): BridgeTicket => ({
  ...{ ...common(key), action: 'copy', url: `https://h/${key}`, expiresMs: 1 },
  ...{ etag: 'e', size: 3, mtimeMs: 5, ...more },
});

it('says of versions, attributes and origins what the tickets say', async () => {
  const book = new Book('bridge://x', { allowPrivate: [] });
  const transport = new HttpTransport({ userAgent: 'test' });
  const store = book.store(transport);
  expect(store.capabilities.attributes).toEqual({});
  const origin = '0123456789abcdef';
  book.open({ ...common('b'), action: 'mark', versionId: 'm', origin, newer: ['n'], mtimeMs: 6 });
  book.open(copy('a', { versionId: 'v', origin, service: 'oss' }));
  const info = { headers: { contentType: 'text/x' }, metadata: { m: '1' }, tagCount: 7 };
  book.open(copy('c', { service: 's3', attributes: { info, tags: [{ key: 'k', value: 'v' }] } }));
  expect((await store.listVersions({})).versions).toEqual([
    { key: 'a', versionId: 'v', mtimeMs: 5, isLatest: true, size: 3, etag: 'e' },
    { key: 'b', versionId: 'm', mtimeMs: 6, isLatest: true, size: 0, etag: '', deleteMarker: true, newer: ['n'] },
  ]);
  expect((await store.listVersions({ prefix: 'b', startAfter: 'a' })).versions).toHaveLength(1);
  expect(store.originOf('a')).toBe(origin);
  expect(store.originOf('c')).toMatch(/^[0-9a-f]{16}$/);
  expect(store.capabilities).toMatchObject({ defaultStorageClass: 'STANDARD', attributes: { redirect: true } });
  // No request: nothing listens there.
  expect(await store.head('c')).toMatchObject({ metadata: { m: '1' }, headers: info.headers, tagCount: 1 });
  expect(await store.getTags('c')).toEqual([{ key: 'k', value: 'v' }]);
  await expect(store.getAcl('c')).rejects.toThrow('--acl there');
  await transport.close();
});
