import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseUrlList, readUrlList } from '../../../src/store/urls/list.js';

const parse = (text: string) => [...parseUrlList(text, 'list').values()];
const MD5 = '5d41402abc4b2a76b9719d911017c592';

describe('a list of URLs', () => {
  it('has tab-separated columns, and comments', () => {
    const text = `# made today\n\nhttps://h/a?x=1\tdir/a b\r\nhttp://h/b\tb\t5\nhttp://h/c\tc\t\tXUFAKrxLKna5cZ2REBfFkg==\n`;
    expect(parse(text)).toEqual([
      { url: 'https://h/a?x=1', key: 'dir/a b', checksums: {} },
      { url: 'http://h/b', key: 'b', size: 5, checksums: {} },
      { url: 'http://h/c', key: 'c', checksums: { md5: MD5 } },
    ]);
  });

  it('has JSON lines, whose keys may contain tabs and line breaks', () => {
    const line = { url: 'https://h/a', key: 'a\tb\nc', size: 5, checksum: `md5:${MD5}`, etag: 'e', mtime: 1000 };
    const dated = { url: 'https://h/b', key: 'b', mtime: '2026-01-02T03:04:05Z' };
    expect(parse(`${JSON.stringify(line)}\n${JSON.stringify(dated)}`)).toEqual([
      { url: 'https://h/a', key: 'a\tb\nc', size: 5, checksums: { md5: MD5 }, etag: 'e', mtimeMs: 1000 },
      { url: 'https://h/b', key: 'b', checksums: {}, mtimeMs: Date.UTC(2026, 0, 2, 3, 4, 5) },
    ]);
  });

  it.each([
    [`sha256:${'ab'.repeat(32)}`, { sha256: Buffer.from('ab'.repeat(32), 'hex').toString('base64') }],
    ['crc64ecma:18446744073709551615', { crc64ecma: '18446744073709551615' }],
    ['crc32c:AAAAAA==', { crc32c: 'AAAAAA==' }],
    ['SHA1:0000000000000000000000000000000000000000', { sha1: 'AAAAAAAAAAAAAAAAAAAAAAAAAAA=' }],
  ])('reads the checksum %s', (text, checksums) => {
    expect(parse(`http://h/a\ta\t1\t${text}`)[0]?.checksums).toEqual(checksums);
  });

  it.each([
    ['ftp://h/SECRET\ta', 'line 1: its first column is not an http or https URL'],
    ['http://u:SECRET@h/\ta', 'line 1: the URL has a user name or a password'],
    ['http://h/SECRET', 'line 1: it has no tab'],
    ['http://h/SECRET\t', 'line 1: the key is empty'],
    ['http://h/SECRET\ta\tx', 'line 1: the size "x" is not a number of bytes'],
    ['http://h/SECRET\ta\t1\tmd5:xyz', 'line 1: its checksum cannot be read'],
    ['http://h/SECRET\ta\nhttp://h/SECRET\ta', 'line 2: the key "a" is there twice'],
    ['{"url":"http://h/SECRET"', 'line 1: it is not valid JSON'],
    ['{"url":"http://h/SECRET"}', 'line 1: key: Invalid input: expected string, received undefined'],
  ])('refuses %j without repeating it', (text, message) => {
    expect(() => parse(text)).toThrow(`list, ${message}`);
    expect(() => parse(text)).not.toThrow('SECRET');
  });
});

it('a file may start with a byte order mark, and is refused in another encoding, which would change its keys', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'xsync-list-'));
  const file = join(directory, 'list');
  writeFileSync(file, '\ufeffhttp://h/a\tä\n');
  expect([...(await readUrlList(file)).keys()]).toEqual(['ä']);
  writeFileSync(file, Buffer.from('http://h/a\tä\n', 'latin1'));
  await expect(readUrlList(file)).rejects.toMatchObject({
    code: 'usage',
    message: expect.stringContaining('is not UTF-8'),
  });
  rmSync(directory, { recursive: true });
});
