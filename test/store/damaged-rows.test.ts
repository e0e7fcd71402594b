/** One damaged row of a listing concerns one object: the others are listed, and this one is asked about by itself. */
import { afterEach, describe, expect, it } from 'vitest';
import { FOUR, type Script, script as start } from './four.js';

const row = (fields: Record<string, string>) =>
  `<Contents>${Object.entries({
    Key: 'b',
    LastModified: '2026-01-01T00:00:00.000Z',
    ETag: '&quot;0123456789abcdef0123456789abcdef&quot;',
    Size: '7',
    StorageClass: 'STANDARD',
    Type: 'Normal',
    ...fields,
  })
    .map(([name, text]) => `<${name}>${text}</${name}>`)
    .join('')}</Contents>`;

const page = (rows: string[]) =>
  `<?xml version="1.0" encoding="UTF-8"?><ListBucketResult><EncodingType>url</EncodingType><IsTruncated>false</IsTruncated>${rows.join('')}</ListBucketResult>`;

const DAMAGED: Record<string, Record<string, string>> = {
  'a size that is no number': { Size: 'many' },
  'a negative size': { Size: '-1' },
  'a size beyond all limits': { Size: '99999999999999999999' },
  'no size': { Size: '' },
  'a time that is no time': { LastModified: 'yesterday' },
  'a time beyond all limits': { LastModified: '99999-99-99T99:99:99Z' },
  'an ETag with a control character': { ETag: '&quot;a&#1;b&quot;' },
  'an ETag with a line break': { ETag: '&quot;a&#13;&#10;x: y&quot;' },
  'no ETag': { ETag: '' },
};

describe.each(FOUR)('%s', (kind) => {
  let current: Script | undefined;

  afterEach(async () => {
    await current?.close();
  });

  // The AWS SDK refuses the whole page for a size or a time that it cannot read.
  const damaged = Object.entries(DAMAGED).filter(([, fields]) => kind !== 's3 (sdk)' || 'ETag' in fields);

  it.each(damaged)('lists the objects beside one with %s, and takes nothing for its version', async (_what, fields) => {
    current = await start(kind, ({ method }) =>
      method === 'HEAD' ? { status: 404 } : { body: page([row({ Key: 'a' }), row(fields), row({ Key: 'c%20d' })]) },
    );
    const { entries } = await current.store.list({});
    const good = entries.filter(({ key }) => key !== 'b');
    expect(good.map(({ key, size }) => [key, size])).toEqual([
      ['a', 7],
      ['c d', 7],
    ]);
    // Listed under a name that no version has, or known to be gone.
    for (const { etag, checksums } of entries.filter(({ key }) => key === 'b')) {
      expect(etag).toBe('unknown');
      expect(checksums ?? {}).toEqual({});
    }
  });

  it('lists the objects beside one whose key is not UTF-8, which keeps its name', async () => {
    current = await start(kind, () => ({ body: page([row({ Key: 'a%20b' }), row({ Key: 'b%FF' })]) }));
    expect((await current.store.list({})).entries.map(({ key }) => key)).toEqual(['a b', 'b%FF']);
  });

  it.each([
    ['time', { 'last-modified': 'yesterday' }],
    ['ETag', { etag: '' }],
  ])('names the object whose response has no valid %s', async (_what, headers) => {
    const good = { etag: '"e"', 'last-modified': 'Thu, 01 Jan 2026 00:00:00 GMT', 'x-oss-object-type': 'Multipart' };
    current = await start(kind, () => ({ headers: { ...good, ...headers } }));
    await expect(current.store.head('k')).rejects.toMatchObject({ code: 'invalid-response' });
  });
});
