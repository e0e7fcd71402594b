/** Lists of versions as services write them, and as they should not. */
import { afterEach, describe, expect, it } from 'vitest';
import type { VersionEntry, VersionPage } from '../../src/store/port.js';
import { expectCode } from '../contract/context.js';
import { FOUR, type Script, script as start } from './four.js';

const fields = (values: Record<string, string>): string =>
  Object.entries(values)
    .map(([name, text]) => `<${name}>${text}</${name}>`)
    .join('');

const time = (second: number): string => `2026-01-01T00:00:${String(second).padStart(2, '0')}.000Z`;

const version = (Key: string, VersionId: string, second: number, more: Record<string, string> = {}): string =>
  `<Version>${fields({
    ...{
      Key,
      VersionId,
      IsLatest: 'false',
      LastModified: time(second),
      ETag: '&quot;0123456789abcdef0123456789abcdef&quot;',
    },
    ...{ Size: '7', StorageClass: 'STANDARD', Type: 'Normal', ...more },
  })}</Version>`;

const marker = (Key: string, VersionId: string, second: number, IsLatest = 'false'): string =>
  `<DeleteMarker>${fields({ Key, VersionId, IsLatest, LastModified: time(second) })}</DeleteMarker>`;

const page = (rows: string[], more = fields({ IsTruncated: 'false' })): string =>
  `<?xml version="1.0" encoding="UTF-8"?><ListVersionsResult><EncodingType>url</EncodingType>${more}${rows.join('')}</ListVersionsResult>`;

const brief = ({ versions }: VersionPage): string[] =>
  versions.map((one: VersionEntry) => `${one.key} ${one.versionId}`);

describe.each(FOUR)('versions of %s', (kind) => {
  let current: Script | undefined;

  afterEach(async () => {
    await current?.close();
  });

  const open = async (...bodies: string[]): Promise<Script> => {
    current = await start(kind, (_seen, index) => ({ body: bodies[Math.min(index, bodies.length - 1)] }));
    return current;
  };

  const list = async (script: Script, options = {}): Promise<VersionPage> => {
    const { listVersions } = script.store;
    if (!listVersions) throw new Error('the store lists versions');
    return listVersions.call(script.store, options);
  };

  it('keeps the order of the response, in which versions and markers of one second alternate', async () => {
    const rows = [
      version('a', '4', 1),
      marker('a', '3', 1),
      version('a', '2', 1),
      marker('a', '1', 1),
      version('b', '1', 0),
    ];
    expect(brief(await list(await open(page(rows))))).toEqual(['a 4', 'a 3', 'a 2', 'a 1', 'b 1']);
  });

  it('puts rows in the order of keys where a page has the marker of a later key first', async () => {
    const rows = [marker('b', '9', 1, 'true'), version('a', '2', 1), version('a', '1', 1)];
    expect(brief(await list(await open(page(rows))))).toEqual(['a 2', 'a 1', 'b 9']);
  });

  it.each([
    [
      'after',
      [
        version('a', '3', 3, { IsLatest: 'true' }),
        version('a', '1', 1),
        version('b', '1', 1),
        marker('a', '2', 2),
        marker('b', '2', 2, 'true'),
      ],
    ],
    [
      'before',
      [
        marker('a', '2', 2),
        marker('b', '2', 2, 'true'),
        version('a', '3', 3, { IsLatest: 'true' }),
        version('a', '1', 1),
        version('b', '1', 1),
      ],
    ],
    ['before, of one key', [marker('a', '2', 2), version('a', '3', 3, { IsLatest: 'true' }), version('a', '1', 1)]],
  ])('merges by time what a store lists in two lists, markers %s versions', async (_what, rows) => {
    const found = brief(await list(await open(page(rows))));
    expect(found).toEqual(['a 3', 'a 2', 'a 1', 'b 2', 'b 1'].slice(0, found.length));
    expect(found).toHaveLength(rows.length);
  });

  it('asks for the next page by both markers, and for what follows a key by the key', async () => {
    const next = fields({ IsTruncated: 'true', NextKeyMarker: 'a%20b', NextVersionIdMarker: 'v=1' });
    const script = await open(page([version('a%20b', 'v=1', 1)], next), page([]));
    const { nextToken } = await list(script, { prefix: 'a', startAfter: '0' });
    await list(script, { prefix: 'a', token: nextToken });
    const [first, second] = script.seen.map(({ url }) => new URL(url, 'http://x').searchParams);
    expect([first?.get('key-marker'), first?.get('version-id-marker'), first?.get('prefix')]).toEqual(['0', null, 'a']);
    expect([second?.get('key-marker'), second?.get('version-id-marker')]).toEqual(['a b', 'v=1']);
    for (const query of [first, second])
      expect([query?.get('encoding-type'), query?.has('versions')]).toEqual(['url', true]);
  });

  it('leaves out the key after which it was asked, over all its pages', async () => {
    const next = fields({ IsTruncated: 'true', NextKeyMarker: 'a', NextVersionIdMarker: '2' });
    const script = await open(
      page([version('a', '3', 3), version('a', '2', 2)], next),
      page([version('a', '1', 1), version('b', '1', 1)]),
    );
    const first = await list(script, { startAfter: 'a' });
    expect(brief(first)).toEqual([]);
    expect(brief(await list(script, { token: first.nextToken }))).toEqual(['b 1']);
  });

  it('describes rows without key or version, and takes nothing for the version of a damaged one', async () => {
    const rows = [
      version('a', '', 1),
      version('', '1', 1),
      version('b', '1', 1, { Size: 'many' }),
      version('c', '1', 1),
    ];
    const { versions, damaged } = await list(await open(page(rows)));
    expect(versions.map(({ key, etag }) => [key, etag === 'unknown'])).toEqual([
      ['b', true],
      ['c', false],
    ]);
    expect(damaged).toEqual([
      'a row without a version at the start of a page',
      'a row without a version at the start of a page (2)',
    ]);
  });

  it('does not end early: a page that is not the last must say where the next one begins', async () => {
    await expectCode(list(await open(page([], fields({ IsTruncated: 'true' })))), 'invalid-response');
    await expectCode(list(await open('<ListVersionsResult>')), 'invalid-response');
    await expectCode(list(await open('<html></html>')), 'invalid-response');
  });

  it.each([
    ['<Status>Enabled</Status>', 'enabled'],
    ['<Status>Suspended</Status>', 'suspended'],
    ['', 'never'],
  ])('reads the versioning %s of a bucket', async (status, expected) => {
    const script = await open(`<VersioningConfiguration>${status}</VersioningConfiguration>`);
    expect(await script.store.versioning?.()).toBe(expected);
    expect(script.seen[0]?.url).toMatch(/\?versioning=?$/);
  });

  it('refuses another versioning', async () => {
    const script = await open('<VersioningConfiguration><Status>Perhaps</Status></VersioningConfiguration>');
    await expectCode(script.store.versioning?.() ?? Promise.resolve(), 'invalid-response');
  });
});
