import { describe, expect, it, test } from 'vitest';
import { csvRecords, csvRowReader, decodedKey } from '../../src/inventory/csv.js';

/** In pieces of so many bytes. */
async function* pieces(text: string, size: number): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text);
  for (let i = 0; i < bytes.byteLength; i += size) yield bytes.subarray(i, i + size);
}

async function recordsOf(text: string, size = 7): Promise<string[][]> {
  const records: string[][] = [];
  for await (const some of csvRecords(pieces(text, size), 'x.csv')) records.push(...some);
  return records;
}

describe('csvRecords', () => {
  test.each<[string, string, string[][]]>([
    [
      'as S3 writes it',
      '"b","k","1"\n"b","","2"\n',
      [
        ['b', 'k', '1'],
        ['b', '', '2'],
      ],
    ],
    ['as OSS writes it', '"b","k",102400,"Standard"\n', [['b', 'k', '102400', 'Standard']]],
    ['without quotes', 'b,k%2Cl,\n', [['b', 'k%2Cl', '']]],
    [
      'lines that end in CR LF, and an empty one',
      '"b","k"\r\n\r\n"b","l"\r\n',
      [
        ['b', 'k'],
        ['b', 'l'],
      ],
    ],
    [
      'no line feed at the end',
      '"b","k"\n"b","é"',
      [
        ['b', 'k'],
        ['b', 'é'],
      ],
    ],
    [
      'quotes, commas and line feeds in a field',
      '"b","a ""x"",\ny","1"\n"b","c","2"',
      [
        ['b', 'a "x",\ny', '1'],
        ['b', 'c', '2'],
      ],
    ],
    ['nothing', '', []],
  ])('%s', async (_name, text, records) => {
    for (const size of [1, 7, 1000]) expect(await recordsOf(text, size)).toEqual(records);
  });

  test.each([
    ['a quote without an end', '"b","k\n'],
    ['a record of lines without an end, in one piece', `"b","x${'\n'.repeat(70_000)}"\n`],
    ['a record without an end', `"b","${'x'.repeat(70_000)}`],
  ])('refuses %s', async (_name, text) => {
    await expect(recordsOf(text, 100_000)).rejects.toMatchObject({ code: 'config' });
  });
});

describe('csvRowReader', () => {
  const columns = ['bucket', 'key', 'versionid', 'islatest', 'size', 'lastmodifieddate', 'etag', 'objectowner'];

  it('reads the columns that it knows', () => {
    const read = csvRowReader(columns, 'x.csv');
    expect(read(['b', 'a+b%2Fc', 'v1', 'TRUE', '12', '2026-01-02T03:04:05.000Z', '"e"', 'me'])).toEqual({
      ...{ bucket: 'b', key: 'a b/c', versionid: 'v1', islatest: true, size: 12 },
      ...{ lastmodifieddate: Date.UTC(2026, 0, 2, 3, 4, 5), etag: 'e' },
    });
  });

  test.each([
    ['a key that is not UTF-8', ['b', '%ff', '', '', '', '', '', '']],
    ['no key', ['b', '', '', '', '', '', '', '']],
    ['a size that is none', ['b', 'k', '', '', '-1', '', '', '']],
    ['a time that is none', ['b', 'k', '', '', '1', 'yesterday', '', '']],
    ['a boolean that is none', ['b', 'k', '', 'perhaps', '1', '', '', '']],
    ['a field too few', ['b', 'k']],
  ])('refuses %s', (_name, fields) => {
    expect(() => csvRowReader(columns, 'x.csv')(fields)).toThrow(expect.objectContaining({ code: 'config' }));
  });
});

test.each([
  ['a', 'a'],
  ['a+b', 'a b'],
  ['a%20b', 'a b'],
  ['a%2Bb', 'a+b'],
  ['%0A%00', '\n\0'],
  ['%F0%9F%98%80', '😀'],
  ['%', undefined],
])('decodedKey(%j)', (text, key) => {
  expect(decodedKey(text)).toBe(key);
});
