import { expect, it } from 'vitest';
import { digestsOf, infoOf, readFurther } from '../../../src/bridge/push/attributes.js';
import { bridgeTicket } from '../../../src/bridge/ticket.js';
import { ticketId } from '../../../src/manifest/queues.js';
import { XsyncError } from '../../../src/model/error.js';
import { MemoryStore } from '../../../src/store/memory/store.js';

const BOTH = { tags: true, acl: true };

it('digests change with metadata, headers, tags and the ACL, and with nothing else', async () => {
  const store = new MemoryStore();
  const put = (more: object) => store.put('a', Buffer.from('x'), { metadata: { m: '1' }, ...more });
  const digest = async () => (await digestsOf(store, ['a'], BOTH))[0];
  await put({});
  const first = await digest();
  await put({});
  expect(await digest()).toBe(first);
  const seen = new Set([first]);
  for (const more of [{ metadata: { m: '2' } }, { headers: { contentType: 'text/x' } }, { acl: 'public-read' }]) {
    await put(more);
    seen.add(await digest());
  }
  await put({});
  await store.putTags('a', [{ key: 'k', value: 'v' }]);
  seen.add(await digest());
  expect(seen.size).toBe(5);
  expect(await digestsOf(store, ['gone', 'a'], BOTH)).toEqual([undefined, expect.any(String)]);
});

it('what must not be read is left out', async () => {
  const store = new MemoryStore();
  await store.put('a', Buffer.from('x'), { acl: 'public-read' });
  const refuse = async (): Promise<never> => {
    throw new XsyncError('access-denied', 'no');
  };
  const blind = { head: store.head.bind(store), getTags: refuse, getAcl: store.getAcl.bind(store) };
  expect(await readFurther(blind, 'a', BOTH)).toEqual({ acl: 'public-read' });
});

it('a ticket with attributes is bounded, and none of them ends a header', async () => {
  const store = new MemoryStore();
  await store.put('a', Buffer.from('x'), { metadata: { größe: 'ü' }, headers: { contentType: 'text/x' } });
  const given = { key: 'a', revision: 1 };
  const common = { version: 1, id: ticketId(given), ...given, action: 'copy', url: 'https://h/a', expiresMs: 1 };
  const parse = (attributes: object) =>
    bridgeTicket.safeParse({ ...common, etag: 'e', size: 1, mtimeMs: 1, attributes }).success;
  const info = infoOf(await store.head('a'));
  expect(parse(JSON.parse(JSON.stringify({ info, tags: [], acl: 'private' })))).toBe(true);
  for (const bad of [
    { info: { ...info, metadata: { m: 'x'.repeat(33_000) } } },
    { info: { ...info, headers: { contentType: 'a\r\nx-amz-acl: public-read' } } },
    { info: { ...info, redirect: '/\n' } },
    { info: { ...info, owner: 'me' } },
    { tags: Array.from({ length: 101 }, () => ({ key: 'k', value: 'v' })) },
    { acl: 'public read' },
  ]) {
    expect(parse(bad)).toBe(false);
  }
});
