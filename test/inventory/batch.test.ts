import { expect, test } from 'vitest';
import { batchRows, type Listed, versionLines } from '../../src/inventory/batch.js';

async function* piecesOf(text: string): AsyncGenerator<Uint8Array> {
  // In pieces that end anywhere, also within a character.
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += 7) yield bytes.subarray(at, at + 7);
}

async function all(batches: AsyncIterable<Listed[]>): Promise<Listed[]> {
  const found: Listed[] = [];
  for await (const batch of batches) found.push(...batch);
  return found;
}

const batch = (text: string) => all(batchRows(piecesOf(text), 'L', (name) => name === 'b'));
const lines = (text: string) => all(versionLines(piecesOf(text)));

test('the CSV of a job: bucket, key as in URLs, and perhaps a version', async () => {
  expect(await batch('b,a%2Cb/c+d%2B\r\n"b","%E5%A4%A7","v1"\nb,x,\nb,y,null')).toEqual([
    { key: 'a,b/c d+' },
    { key: '大', versionId: 'v1' },
    { key: 'x' },
    { key: 'y', versionId: 'null' },
  ]);
});

test('of a completion report, what failed', async () => {
  const report = [
    'b,a,v1,succeeded,200,200,Successful',
    'b,c+d,v2,failed,403,AccessDenied,"Access, denied"',
    'b,e,,failed,500,InternalError,x',
  ];
  expect(await batch(report.join('\n'))).toEqual([{ key: 'c d', versionId: 'v2' }, { key: 'e' }]);
});

test.each([
  ['b', 'line 1 of L is not a row of bucket, key and version'],
  ['b,a\nb,a,v,more', 'line 2 of L is not a row of bucket, key and version'],
  ['b,100%', 'line 1 of L is not a row of bucket, key and version'],
  ['b,,v', 'line 1 of L is not a row of bucket, key and version'],
  ['b,a\nother,a', 'line 2 of L names the bucket other, which is not the source'],
  ['{"files":[]}', 'line 1 of L is JSON, and no list of objects'],
])('%j is refused', async (text, message) => {
  await expect(batch(text)).rejects.toThrow(message);
});

test('a byte order mark belongs to no field', async () => {
  expect(await batch('\ufeffb,a,v')).toEqual([{ key: 'a', versionId: 'v' }]);
  expect(await batch('\ufeff"b","a","v"\n"b","\ufeffc"')).toEqual([{ key: 'a', versionId: 'v' }, { key: '\ufeffc' }]);
  expect(await lines('\ufeffa\tv\n\ufeffb')).toEqual([{ key: 'a', versionId: 'v' }, { key: '\ufeffb' }]);
});

test('lines of a key, a tab and a version, as the AWS command line prints them', async () => {
  const text = 'a\tv1\r\n# b\tc \t v2\n\nalone\nno\tNone\n空 \tnull\n';
  expect(await lines(text)).toEqual([
    { key: 'a', versionId: 'v1' },
    { key: '# b\tc ', versionId: 'v2' },
    { key: 'alone' },
    { key: 'no' },
    { key: '空 ', versionId: 'null' },
  ]);
});
