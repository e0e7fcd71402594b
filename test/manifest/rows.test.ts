import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Manifest, ManifestRow } from '../../src/manifest/port.js';
import { IN_MEMORY, openManifest } from '../../src/manifest/sqlite/open.js';
import { isXsyncError } from '../../src/model/error.js';
import { compareKeys } from '../../src/model/key.js';
import { AWKWARD_KEYS, failureOf, rowOf } from './fixtures.js';
import { GLOBAL_TO_OSS } from './pairs.js';

const fresh = () => openManifest(IN_MEMORY, GLOBAL_TO_OSS);

/** Every row, `pageSize` at a time, as the M stream reads them. */
function everyRow(manifest: Manifest, pageSize: number): ManifestRow[] {
  const rows: ManifestRow[] = [];
  for (;;) {
    const page = manifest.page(rows.at(-1)?.key, pageSize);
    rows.push(...page);
    if (page.length < pageSize) return rows;
  }
}

describe('rows', () => {
  test('a row comes back as it was written, or unchanged objects would be copied again', () => {
    const manifest = fresh();
    const rows = [
      rowOf('plain'),
      rowOf('theirs', { ours: false, verifiedBy: 'size', size: 0 }),
      rowOf('huge', { size: 48_800_000_000_000, sourceMtimeMs: 1_700_000_000_123.456, verifiedBy: 'md5-of-parts' }),
    ];
    manifest.commit(rows);
    for (const row of rows) expect(manifest.get(row.key)).toEqual(row);
    expect(manifest.get('absent')).toBeUndefined();
    expect(manifest.count()).toBe(3);
  });

  test('awkward keys stay apart and verbatim, or one object would hide another', () => {
    const manifest = fresh();
    manifest.commit(AWKWARD_KEYS.map((key, i) => rowOf(key, { size: i })));
    expect(manifest.count()).toBe(AWKWARD_KEYS.length);
    AWKWARD_KEYS.forEach((key, i) => {
      expect(manifest.get(key)?.size).toBe(i);
    });
    expect(everyRow(manifest, 2).map((row) => row.key)).toEqual([...AWKWARD_KEYS].sort(compareKeys));
  });

  test('pages come in the order of the listings, or the three-way merge would delete what is there', () => {
    const anyKey = fc.oneof(fc.string({ unit: 'binary', maxLength: 8 }), fc.string({ maxLength: 4 }));
    fc.assert(
      fc.property(fc.uniqueArray(anyKey, { maxLength: 40 }), fc.integer({ min: 1, max: 7 }), (keys, pageSize) => {
        const manifest = fresh();
        manifest.commit(keys.map((key) => rowOf(key)));
        expect(everyRow(manifest, pageSize).map((row) => row.key)).toEqual([...keys].sort(compareKeys));
        manifest.close();
      }),
      { numRuns: 200 },
    );
  });

  test('a later commit replaces the row, and a forgotten key is unknown again', () => {
    const manifest = fresh();
    manifest.commit([rowOf('k', { size: 1 }), rowOf('gone')]);
    manifest.commit([rowOf('k', { size: 2 })]);
    manifest.forget(['gone', 'never there']);
    expect(manifest.get('k')?.size).toBe(2);
    expect(manifest.count()).toBe(1);
  });

  test('the number of rows that is kept is that of the rows, or guards would compare with a wrong one', () => {
    const key = fc.integer({ min: 0, max: 130 }).map((n) => `k${n}`);
    const step = fc.record({ put: fc.boolean(), keys: fc.array(key, { maxLength: 120 }) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 8 }), fc.boolean(), (steps, madeBefore) => {
        const manifest = fresh();
        // One that an earlier version made has no such number.
        if (madeBefore) manifest.setFact('rows', '');
        for (const { put, keys } of steps) {
          if (put) manifest.commit(keys.map((one) => rowOf(one)));
          else manifest.forget(keys);
        }
        expect(manifest.count()).toBe(everyRow(manifest, 50).length);
        manifest.close();
      }),
      { numRuns: 60 },
    );
  });

  test('a batch that fails half-way leaves nothing of itself, or a half-true row would be trusted', () => {
    const manifest = fresh();
    const broken = rowOf('b', { size: Number.NaN });
    expect(() => manifest.commit([rowOf('a'), broken])).toThrow(expect.objectContaining({ code: 'internal' }));
    expect(manifest.count()).toBe(0);
  });

  test('a closed manifest fails as an XsyncError, not as a stranger', () => {
    const manifest = fresh();
    manifest.close();
    expect(() => manifest.count()).toThrow(expect.toSatisfy((error) => isXsyncError(error)));
  });
});

describe('checkpoints', () => {
  const upload = { key: 'big', uploadId: 'u1', sourceEtag: 'e1', size: 20, partSize: 10, createdMs: 7 };

  test('an upload and its parts come back, ascending, or a resumed object would be sent again', () => {
    const manifest = fresh();
    manifest.beginUpload(upload);
    manifest.addPart('big', { partNumber: 10, size: 10, etag: 'p10', md5: 'ab', crc64ecma: '18446744073709551615' });
    manifest.addPart('big', { partNumber: 2, size: 10, etag: 'p2' });
    expect(manifest.upload('big')).toEqual(upload);
    expect(manifest.uploads()).toEqual([upload]);
    expect(manifest.parts('big')).toEqual([
      { partNumber: 2, size: 10, etag: 'p2' },
      { partNumber: 10, size: 10, etag: 'p10', md5: 'ab', crc64ecma: '18446744073709551615' },
    ]);
  });

  test('parts of an older upload never mix with those of its successor, or the object would be torn', () => {
    const manifest = fresh();
    manifest.beginUpload(upload);
    manifest.addPart('big', { partNumber: 1, size: 10, etag: 'old' });
    manifest.beginUpload({ ...upload, uploadId: 'u2' });
    expect(manifest.upload('big')?.uploadId).toBe('u2');
    expect(manifest.parts('big')).toEqual([]);
  });

  test('a part that is sent again replaces itself; dropped parts and ended uploads are gone, and only those', () => {
    const manifest = fresh();
    manifest.beginUpload(upload);
    manifest.beginUpload({ ...upload, key: 'bigger' });
    for (const etag of ['x', 'y']) manifest.addPart('big', { partNumber: 1, size: 10, etag });
    manifest.addPart('big', { partNumber: 2, size: 10, etag: 'z' });
    manifest.addPart('bigger', { partNumber: 1, size: 10, etag: 'other' });
    expect(manifest.parts('big').map((part) => part.etag)).toEqual(['y', 'z']);
    manifest.dropParts('big', [2, 3]);
    expect(manifest.parts('big').map((part) => part.etag)).toEqual(['y']);
    manifest.endUpload('big');
    expect(manifest.upload('big')).toBeUndefined();
    expect(manifest.parts('big')).toEqual([]);
    expect(manifest.parts('bigger')).toHaveLength(1);
  });
});

describe('failures and facts', () => {
  test('a failure counts its attempts and keeps its first time, until its object is committed', () => {
    const manifest = fresh();
    manifest.fail(failureOf('k', 100, 'first'));
    manifest.fail(failureOf('k', 200, 'second'));
    manifest.fail(failureOf('other', 300));
    expect(manifest.failures()).toEqual([
      { ...failureOf('k', 200, 'second'), attempts: 2, firstMs: 100, seenMs: 200, dropped: false },
      { ...failureOf('other', 300), attempts: 1, firstMs: 300, seenMs: 300, dropped: false },
    ]);
    manifest.commit([rowOf('k')]);
    expect(manifest.failures().map((failure) => failure.key)).toEqual(['other']);
    manifest.clearFailures(['other']);
    expect(manifest.failureCount()).toBe(0);
  });

  test('a failure dates from the oldest version that has not arrived', () => {
    const manifest = fresh();
    manifest.fail({ ...failureOf('k', 100), sourceMtimeMs: 70, arrivedMs: 60 });
    manifest.fail({ ...failureOf('k', 200), sourceMtimeMs: 90, arrivedMs: 80 });
    expect(manifest.failure('k')).toMatchObject({ sourceMtimeMs: 70, arrivedMs: 60 });
  });

  test('the sums of the failed list count what is given up apart, and the oldest are those that miss most', () => {
    const manifest = fresh();
    for (const [key, arrivedMs] of [
      ['late', 90],
      ['b', 40],
      ['a', 40],
      ['dropped', 1],
    ] as const) {
      manifest.fail({ ...failureOf(key, 100), arrivedMs });
    }
    manifest.fail({ ...failureOf('person', 100), class: 'person', arrivedMs: 60 });
    manifest.dropFailures(['dropped']);
    const sums = manifest.failureSums(60);
    expect(sums).toHaveLength(3);
    expect(sums).toEqual(
      expect.arrayContaining([
        { class: 'temporary', dropped: false, objects: 3, bytes: 15, behind: 2, arrivedMs: 40 },
        { class: 'temporary', dropped: true, objects: 1, bytes: 5, behind: 1, arrivedMs: 1 },
        { class: 'person', dropped: false, objects: 1, bytes: 5, behind: 0, arrivedMs: 60 },
      ]),
    );
    expect(manifest.oldestFailures(3).map(({ key }) => key)).toEqual(['a', 'b', 'person']);
  });

  test('a fact is the last thing said', () => {
    const manifest = fresh();
    expect(manifest.getFact('ordered')).toBeUndefined();
    manifest.setFact('ordered', 'no');
    manifest.setFact('ordered', 'yes');
    expect(manifest.getFact('ordered')).toBe('yes');
  });
});
