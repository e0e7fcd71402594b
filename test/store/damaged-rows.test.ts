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

  it.each(Object.entries(DAMAGED))(
    'lists the objects beside one with %s, and takes nothing for its version',
    async (_what, fields) => {
      current = await start(kind, ({ method }) =>
        method === 'HEAD' ? { status: 404 } : { body: page([row({ Key: 'a' }), row(fields), row({ Key: 'c%20d' })]) },
      );
      const { entries } = await current.store.list({});
      const good = entries.filter(({ key }) => key !== 'b');
      expect(good.map(({ key, size }) => [key, size])).toEqual([
        ['a', 7],
        ['c d', 7],
      ]);
      // Listed under a name that no version has, so that it is not lost even if it seems to be gone.
      const [bad, ...others] = entries.filter(({ key }) => key === 'b');
      expect([bad?.etag, bad?.checksums ?? {}, others]).toEqual(['unknown', {}, []]);
    },
  );

  it.each([
    ['no key', ''],
    ['an empty key', '<Key></Key>'],
    ['two keys', '<Key>b</Key><Key>bb</Key>'],
  ])('describes a row with %s, and lists the others', async (_what, key) => {
    const nameless = row({}).replace('<Key>b</Key>', key);
    const after = 'a row without a key after "a b"';
    current = await start(kind, () => ({
      body: page([nameless, row({ Key: 'a%20b' }), nameless, nameless, row({ Key: 'c' })]),
    }));
    const { entries, damaged } = await current.store.list({});
    expect(entries.map((entry) => entry.key)).toEqual(['a b', 'c']);
    expect(damaged).toEqual(['a row without a key at the start of a page', after, `${after} (2)`]);
  });

  it('takes a field that is there twice with the same value', async () => {
    const twice = row({}).replace('<Key>b</Key>', '<Key>b</Key><Key>b</Key>');
    current = await start(kind, () => ({ body: page([twice]) }));
    const { entries, damaged } = await current.store.list({});
    expect([entries.length, damaged]).toEqual([1, undefined]);
  });

  it('describes a folder without a name', async () => {
    const folders = '<CommonPrefixes></CommonPrefixes><CommonPrefixes><Prefix>b/</Prefix></CommonPrefixes>';
    current = await start(kind, () => ({ body: page([folders]) }));
    const { prefixes, damaged } = await current.store.list({ delimiter: '/' });
    expect([prefixes, damaged]).toEqual([['b/'], ['a folder without a name at the start of a page']]);
  });

  it('leaves out a part without number, size or ETag', async () => {
    const part = (fields: string) => `<Part>${fields}</Part>`;
    const good = '<PartNumber>3</PartNumber><ETag>"e"</ETag><Size>7</Size>';
    const bad = [
      '<ETag>"e"</ETag><Size>7</Size>',
      '<PartNumber>1</PartNumber><ETag>"e"</ETag>',
      '<PartNumber>2</PartNumber><Size>x</Size><ETag>"e"</ETag>',
    ];
    const parts = [...bad, good, '<PartNumber>4</PartNumber><Size>7</Size>'].map(part).join('');
    const body = `<ListPartsResult><IsTruncated>false</IsTruncated>${parts}</ListPartsResult>`;
    current = await start(kind, () => ({ body }));
    expect(await current.store.listParts({ key: 'k', uploadId: 'u' })).toEqual([{ partNumber: 3, size: 7, etag: 'e' }]);
  });

  it('describes an upload without key or ID, and takes one without a time for new', async () => {
    const upload = (fields: string) => `<Upload>${fields}</Upload>`;
    const time = '<Initiated>2026-01-01T00:00:00.000Z</Initiated>';
    const rows = [
      `<Key>a</Key><UploadId>1</UploadId>${time}`,
      `<UploadId>2</UploadId>${time}`,
      `<Key>c</Key>${time}`,
      '<Key>d</Key><UploadId>4</UploadId><Initiated>soon</Initiated>',
    ];
    const body = `<ListMultipartUploadsResult><IsTruncated>false</IsTruncated>${rows.map(upload).join('')}</ListMultipartUploadsResult>`;
    current = await start(kind, () => ({ body }));
    const before = Date.now();
    const { uploads, damaged } = await current.store.listUploads({});
    expect(uploads.map(({ key, uploadId }) => [key, uploadId])).toEqual([
      ['a', '1'],
      ['d', '4'],
    ]);
    expect(uploads[1]?.initiatedMs).toBeGreaterThanOrEqual(before);
    expect(damaged).toEqual(['a row without an upload after "a"', 'a row without an upload after "a" (2)']);
  });

  it('lists the objects beside one whose key is not UTF-8, which keeps its name', async () => {
    current = await start(kind, () => ({ body: page([row({ Key: 'a%20b' }), row({ Key: 'b%FF' })]) }));
    const { entries } = await current.store.list({});
    expect(entries.map(({ key, fault }) => [key, fault?.code])).toEqual([
      ['a b', undefined],
      ['b%FF', 'key-not-representable'],
    ]);
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
