import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SqliteSpool } from '../../../src/manifest/sqlite/spool.js';
import type { SpoolEntry } from '../../../src/model/spool.js';
import { SpooledLines } from '../../../src/store/urls/lines.js';
import { readUrlList, sortUrls } from '../../../src/store/urls/list.js';

async function* pieces(text: string | Buffer, size = 7) {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function parse(text: string | Buffer, size?: number) {
  const spool = new SqliteSpool('');
  const lines = new SpooledLines(spool, new SqliteSpool(''));
  try {
    await sortUrls(pieces(text, size), 'list', spool);
    return lines.page(undefined, 100);
  } finally {
    lines.dispose();
  }
}

const MD5 = '5d41402abc4b2a76b9719d911017c592';

describe('a list of URLs', () => {
  it('has tab-separated columns, and comments', async () => {
    const text = `# made today\n\nhttps://h/a?x=1\tdir/a b\r\nhttp://h/b\tb\t5\nhttp://h/c\tc\t\tXUFAKrxLKna5cZ2REBfFkg==\n`;
    expect(await parse(text)).toEqual([
      { url: 'http://h/b', key: 'b', size: 5, checksums: {} },
      { url: 'http://h/c', key: 'c', checksums: { md5: MD5 } },
      { url: 'https://h/a?x=1', key: 'dir/a b', checksums: {} },
    ]);
  });

  it('has JSON lines, whose keys may contain tabs and line breaks', async () => {
    const line = { url: 'https://h/a', key: 'a\tb\nc', size: 5, checksum: `md5:${MD5}`, etag: 'e', mtime: 1000 };
    const dated = { url: 'https://h/b', key: 'b', mtime: '2026-01-02T03:04:05Z' };
    expect(await parse(`${JSON.stringify(line)}\n${JSON.stringify(dated)}`)).toEqual([
      { url: 'https://h/a', key: 'a\tb\nc', size: 5, checksums: { md5: MD5 }, etag: 'e', mtimeMs: 1000 },
      { url: 'https://h/b', key: 'b', checksums: {}, mtimeMs: Date.UTC(2026, 0, 2, 3, 4, 5) },
    ]);
  });

  it.each([
    [`sha256:${'ab'.repeat(32)}`, { sha256: Buffer.from('ab'.repeat(32), 'hex').toString('base64') }],
    ['crc64ecma:18446744073709551615', { crc64ecma: '18446744073709551615' }],
    ['crc32c:AAAAAA==', { crc32c: 'AAAAAA==' }],
    ['SHA1:0000000000000000000000000000000000000000', { sha1: 'AAAAAAAAAAAAAAAAAAAAAAAAAAA=' }],
  ])('reads the checksum %s', async (text, checksums) => {
    expect((await parse(`http://h/a\ta\t1\t${text}`))[0]?.checksums).toEqual(checksums);
  });

  it.each([
    ['ftp://h/SECRET\ta', 'line 1: its first column is not an http or https URL'],
    ['http://u:SECRET@h/\ta', 'line 1: the URL has a user name or a password'],
    ['http://h/SECRET', 'line 1: it has no tab'],
    ['http://h/SECRET\t', 'line 1: the key is empty'],
    ['http://h/SECRET\ta\tx', 'line 1: the size "x" is not a number of bytes'],
    ['http://h/SECRET\ta\t1\tmd5:xyz', 'line 1: its checksum cannot be read'],
    ['http://h/SECRET\ta\nhttp://h/SECRET\ta', 'line 2: the key "a" is there twice'],
    // The first one that is wrong is told.
    ['http://h/SECRET\ta\nhttp://h/SECRET\ta\n\nhttp://h/SECRET', 'line 2: the key "a" is there twice'],
    ['http://h/SECRET\nhttp://h/SECRET\ta\nhttp://h/SECRET\ta', 'line 1: it has no tab'],
    [`http://h/a\ta\nhttp://h/${'SECRET'.repeat(20_000)}`, 'line 2: it is longer than 64 KiB'],
    ['{"url":"http://h/SECRET","key":"\\ud800"}', 'line 1: the key has half of a character'],
    ['{"url":"http://h/SECRET"', 'line 1: it is not valid JSON'],
    ['{"url":"http://h/SECRET"}', 'line 1: key: Invalid input: expected string, received undefined'],
  ])('refuses %j without repeating it', async (text, message) => {
    const error: unknown = await parse(text, 10_000).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'usage', message: expect.stringContaining(`list, ${message}`) });
    expect(String(error)).not.toContain('SECRET');
  });

  it('is sorted in batches, however long it is, and a key that is there twice is found far away', async () => {
    const total = 200_000;
    const spool = new SqliteSpool('');
    const lines = new SpooledLines(spool, new SqliteSpool(''));
    const held: number[] = [];
    const addNew = (batch: readonly SpoolEntry[]) => {
      held.push(batch.length);
      return spool.addNew(batch);
    };
    async function* text(total: number, more = '') {
      // A multiplier prime to the total visits every number once, far from in order.
      for (let n = 0; n < total; n++) yield `http://h/${n}\tdir/${(n * 70_001) % total}\t5\n`;
      yield more;
    }
    await sortUrls(text(total), 'list', { addNew });
    expect([held.length, Math.max(...held)]).toEqual([201, 1000]);
    let [count, last] = [0, ''];
    for (let page = lines.page(undefined, 1000); page.length > 0; page = lines.page(last, 1000)) {
      count += page.length;
      last = page.at(-1)?.key ?? '';
    }
    expect([count, last]).toEqual([total, `dir/${total / 2 - 1}`]);
    lines.dispose();

    const again = new SqliteSpool('');
    await expect(sortUrls(text(5_000, 'http://h/x\tdir/1'), 'list', again)).rejects.toThrow(
      'list, line 5001: the key "dir/1" is there twice',
    );
    again.dispose();
  });
});

it('a file may start with a byte order mark, and is refused in another encoding, which would change its keys', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'xsync-list-'));
  const file = join(directory, 'list');
  const spool = new SqliteSpool('');
  writeFileSync(file, '\ufeffhttp://h/a\tä\n');
  await readUrlList(file, spool);
  expect(spool.page(undefined, 10).map(({ key }) => key)).toEqual(['ä']);
  writeFileSync(file, Buffer.from('http://h/a\tb\nhttp://h/a\tä\n', 'latin1'));
  const message = `${file}, line 2: it is not UTF-8`;
  await expect(readUrlList(file, spool)).rejects.toMatchObject({ code: 'usage', message });
  await expect(readUrlList(`${file}.no`, spool)).rejects.toMatchObject({ code: 'not-readable' });
  spool.dispose();
  rmSync(directory, { recursive: true });
});
