/** A list of URLs as a source, through the built program. */
import { randomBytes } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Bucket, Lab, summaryOf } from './harness.js';

const MIB = 2 ** 20;

let lab: Lab;
beforeAll(async () => {
  lab = await Lab.start();
});
beforeEach(() => lab.reset());
afterAll(() => lab.close());

const LOCAL = ['--allow-private', '127.0.0.1', '--allow-private', '*.oss.test'];

async function linkTo(bucket: Bucket, key: string): Promise<string> {
  const { code, stdout, stderr } = await lab.run(['link', bucket.at(key), '--expire', '1h']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout.trim();
}

async function listOf(...rows: string[][]): Promise<string> {
  const file = lab.path('list');
  await writeFile(file, rows.map((row) => `${row.join('\t')}\n`).join(''));
  return file;
}

/** All that the program keeps. */
async function state(): Promise<string> {
  const directory = join(lab.directory, 'state/xsync');
  const files = await readdir(directory);
  const texts = await Promise.all(files.map((file) => readFile(join(directory, file), 'latin1')));
  return texts.join('\n');
}

test('presigned URLs of two services arrive with their metadata, and nothing keeps a URL', async () => {
  const [east, shanghai, dest] = [lab.east.bucket(), lab.shanghai.bucket(), lab.west.bucket()];
  const big = randomBytes(12 * MIB);
  east.put('a/../b', 'one', { metadata: { colour: 'red' }, headers: { 'content-type': 'text/x' } });
  shanghai.put('two', 'zwei', { metadata: { farbe: 'rot' } });
  east.put('big', big);
  const key = 'dir/one é';
  const bigUrl = await linkTo(east, 'big');
  // The command link refuses keys with dots.
  const dots = bigUrl.replace('/big?', '/a/../b?');
  const list = await listOf([bigUrl, 'big'], [await linkTo(shanghai, 'two'), 'two'], [dots, 'refused']);
  lab.reset();

  const args = ['copy', '--urls', list, dest.at('in'), ...LOCAL, '--part-size', '5M', '--dump', 'headers', '-vv'];
  const { code, stderr } = await lab.run(args);

  expect(stderr).toContain('failed refused: the server refuses the URL (SignatureDoesNotMatch)');
  expect(code).toBe(6);
  expect(dest.keys()).toEqual(['in/big', 'in/two']);
  expect(dest.read('in/big').equals(big)).toBe(true);
  expect(dest.get('in/two')?.metadata).toMatchObject({ farbe: 'rot' });
  // One to describe it, and the parts.
  expect(east.requests('GetObject', 'big')).toHaveLength(1 + 3);
  expect(shanghai.requests('GetObject', 'two')).toHaveLength(2);
  const secrets = [bigUrl, dots].map((url) => /X-Amz-Signature=(\w+)/.exec(url)?.[1] ?? key);
  for (const secret of secrets) expect(`${stderr}${await state()}`).not.toContain(secret);

  lab.reset();
  const again = await listOf([await linkTo(east, 'big'), 'big'], [await linkTo(shanghai, 'two'), 'two']);
  lab.reset();
  const second = await lab.run(['copy', '--urls', again, dest.at('in'), ...LOCAL, '--json']);
  expect(summaryOf(second)).toMatchObject({ exitCode: 0, copied: { objects: 0 } });
  expect(dest.counts()).toEqual({ ListObjects: 1 });
});

test('a size and a checksum save a request, and are checked', async () => {
  const [east, dest] = [lab.east.bucket(), lab.shanghai.bucket()];
  east.put('a', 'hello');
  const url = await linkTo(east, 'a');
  const md5 = '5d41402abc4b2a76b9719d911017c592';
  lab.reset();
  const list = await listOf([url, 'good', '5', md5], [url, 'bad', '5', md5.replace('5', '6')]);
  const { code, events } = await lab.run(['copy', '--urls', list, dest.at(), ...LOCAL, '--json', '--retries', '1']);
  expect(code).toBe(5);
  expect(events.find(({ event }) => event === 'failed')).toMatchObject({ key: 'bad', code: 'checksum-mismatch' });
  expect(dest.keys()).toEqual(['good']);
  expect(east.requests('GetObject').length).toBeLessThanOrEqual(3);
});

test('a URL that ends half-way is a permanent failure; fresh ones, in another list, continue', async () => {
  const [east, dest] = [lab.east.bucket(), lab.west.bucket()];
  const big = randomBytes(20 * MIB);
  east.put('big', big);
  const first = await listOf([await linkTo(east, 'big'), 'big']);
  const heal = east.fault(
    { kind: 'status', status: 403, code: 'AccessDenied', message: 'Request has expired' },
    { kind: 'GetObject', nth: 5, times: 1000 },
  );
  const options = [...LOCAL, '--part-size', '5M', '--part-concurrency', '1', '--json'];
  const ended = await lab.run(['copy', '--urls', first, dest.at(), ...options]);
  expect(ended.events.find(({ event }) => event === 'failed')).toMatchObject({
    key: 'big',
    code: 'expired-url',
    class: 'permanent',
  });
  expect(ended.code).toBe(6);

  heal();
  const fresh = await linkTo(east, 'big');
  lab.reset();
  const second = await lab.run(['copy', '--urls', await listOf([fresh, 'big']), dest.at(), ...options]);
  expect(second.events.find(({ event }) => event === 'copied')).toMatchObject({ key: 'big', resumedParts: 3 });
  expect(dest.requests('UploadPart')).toHaveLength(1);
  expect(dest.read('big').equals(big)).toBe(true);
  expect(dest.unfinished()).toEqual([]);
});

test('addresses of this network are refused unless they are allowed, and the list is no destination', async () => {
  const dest = lab.east.bucket();
  const list = await listOf(['http://127.0.0.1:1/x', 'a'], ['http://169.254.169.254/latest/meta-data', 'b']);
  const { code, events } = await lab.run(['copy', '--urls', list, dest.at(), '--json']);
  expect(code).toBe(6);
  expect(events.filter(({ event }) => event === 'failed').map((event) => event.code)).toEqual([
    'untrusted-host',
    'untrusted-host',
  ]);
  const written = await lab.run(['copy', dest.at(), `urls://${list}`]);
  expect(written).toMatchObject({ code: 2, stderr: expect.stringContaining('a list of URLs can only be read') });
  const both = await lab.run(['copy', '--urls', list, dest.at(), dest.at()]);
  expect(both).toMatchObject({ code: 2, stderr: expect.stringContaining('--urls takes the place of the source') });
});
