/** copy --versions and sync --versions of an inventory of all versions. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { CONFIGURED, encodedKey, inventoryFiles } from '../support/inventory.js';
import { type Lab, openLab } from './lab.js';

const HOUR = 3_600_000;
const OLD = Date.UTC(2026, 0, 1);
const COLUMNS = ['Bucket', 'Key', 'VersionId', 'IsLatest', 'IsDeleteMarker', 'Size', 'LastModifiedDate', 'ETag'];
const ARGS = ['--versions', 'lab:bucket', 'lab:copy', '--source-inventory', `lab:reports/${CONFIGURED}`];

let lab: Lab;

beforeEach(async () => {
  lab = await openLab();
  lab.server.core.s3.bucket('bucket').versioning = 'Enabled';
  lab.server.core.s3.createBucket('copy', { versioning: 'Enabled' });
  lab.server.core.s3.createBucket('reports');
});

afterEach(() => lab.close());

function put(key: string, body: string, mtimeMs = OLD): void {
  lab.server.core.s3.put('bucket', key, body, { mtimeMs });
}

/** A day after everything was written, so that nothing is too young; rows in no order. */
function take({ takenMs = Date.now() + 25 * HOUR, columns = COLUMNS, without = '' } = {}): void {
  const bucket = lab.server.core.s3.bucket('bucket');
  const keys = bucket.keys().filter((key) => key !== without);
  const rows = keys.flatMap((key) =>
    bucket.versionsOf(key).map(({ versionId, deleteMarker, bytes, lastModifiedMs, etag }, index) => {
      const what = deleteMarker ? ['', ''] : [String(bytes.buffer().byteLength), etag];
      const [size = '', tag = ''] = what;
      const time = new Date(lastModifiedMs).toISOString();
      return ['bucket', encodedKey(key), versionId, String(index === 0), String(deleteMarker), size, time, tag];
    }),
  );
  const shown = rows.reverse().map((row) => row.slice(0, columns.length));
  for (const [key, body] of inventoryFiles([shown], { bucket: 'bucket', columns, takenMs }))
    lab.server.core.s3.put('reports', key, body, {});
}

/** Each key's versions, the oldest first; `-` is a delete marker. */
function history(bucket: string): Record<string, string[]> {
  const found = lab.server.core.s3.bucket(bucket);
  const textOf = (key: string): string[] =>
    [...found.versionsOf(key)]
      .reverse()
      .map(({ deleteMarker, bytes }) => (deleteMarker ? '-' : bytes.buffer().toString()));
  return Object.fromEntries(found.keys().map((key) => [key, textOf(key)]));
}

const lists = (): number => lab.server.requests.count('ListObjectVersions', { bucket: 'bucket' });

it('every version and delete marker is carried in its order, and the source is not listed', async () => {
  for (const [n, body] of ['1', '22', '333'].entries()) put('a', body, OLD + n * 1000);
  put('a b+c', 'x');
  lab.server.core.s3.delete('bucket', 'a b+c');
  put('～', 'y');
  take();
  const { code, err } = await lab.xsync('copy', ...ARGS);
  expect([code, err]).toEqual([0, expect.stringContaining('Copied       5 objects')]);
  expect(history('copy')).toEqual({ a: ['1', '22', '333'], 'a b+c': ['x', '-'], '～': ['y'] });
  expect(lists()).toBe(0);

  lab.server.requests.reset();
  expect((await lab.xsync('copy', ...ARGS)).code).toBe(0);
  expect(lab.server.requests.count('CopyObject', { bucket: 'copy' })).toBe(0);
  expect(history('copy')).toEqual(history('bucket'));
});

it('a key with a version that may hide another one, or with two of one time, is listed', async () => {
  put('same', '1');
  put('same', '22');
  put('same', '333', OLD + 1000);
  put('young', '1');
  put('young', '22', Date.now() - 48 * HOUR);
  take({ takenMs: Date.now() - 40 * HOUR });
  // The inventory did not have it yet.
  put('young', '333', Date.now() - 41 * HOUR);
  put('later', 'not in the inventory');
  expect((await lab.xsync('copy', ...ARGS)).code).toBe(0);
  expect(history('copy')).toEqual({ same: ['1', '22', '333'], young: ['1', '22', '333'] });
  expect(lists()).toBe(2);
  // What came later goes on top, in a run that lists.
  expect((await lab.xsync('copy', '--versions', 'lab:bucket', 'lab:copy')).code).toBe(0);
  expect(history('copy')).toEqual(history('bucket'));
});

it('a version that is gone since is left out', async () => {
  put('a', '1');
  put('a', '22', OLD + 1000);
  take();
  const [, oldest] = lab.server.core.s3.bucket('bucket').versionsOf('a');
  lab.server.core.s3.delete('bucket', 'a', oldest?.versionId ?? '');
  const { code, err } = await lab.xsync('copy', ...ARGS);
  expect([code, err]).toEqual([0, expect.stringContaining('vanished 1')]);
  expect(history('copy')).toEqual({ a: ['22'] });
});

it('a sync hides what is gone after a look at the source, and nothing that only the inventory lacks', async () => {
  for (const key of ['a', 'b', 'gone']) put(key, key);
  take();
  expect((await lab.xsync('copy', ...ARGS)).code).toBe(0);
  put('later', 'x', Date.now() + 2 * HOUR);
  expect((await lab.xsync('copy', '--versions', 'lab:bucket', 'lab:copy')).code).toBe(0);
  for (const { versionId } of [...lab.server.core.s3.bucket('bucket').versionsOf('gone')])
    lab.server.core.s3.delete('bucket', 'gone', versionId);
  const whole = history('bucket');
  take({ without: 'later' });
  expect((await lab.xsync('sync', ...ARGS)).code).toBe(0);
  expect(history('copy')).toEqual({ ...whole, gone: ['gone', '-'] });
});

it.each([
  [['copy', ...ARGS], 'has no VersionId, IsLatest, Size, LastModifiedDate, ETag, which --versions needs'],
  [['sync', ...ARGS, '--delete-versions'], 'a version that an inventory does not have may be there'],
  [
    ['copy', ...ARGS, '--dest-inventory', `lab:reports/${CONFIGURED}`],
    'is compared with the destination itself, and with the manifest — Leave out --dest-inventory',
  ],
])('%j is refused', async (args, message) => {
  put('a', 'a');
  take({ columns: COLUMNS.slice(0, 2) });
  const { code, err } = await lab.xsync(...args);
  expect(err).toContain(message);
  expect(code).toBe(2);
});
