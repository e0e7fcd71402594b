import { beforeEach, describe, expect, test } from 'vitest';
import type { Manifest, ManifestRow, PairIdentity } from '../../src/manifest/port.js';
import { ReversedManifest, reversedRow } from '../../src/manifest/reversed.js';
import { IN_MEMORY, openManifest } from '../../src/manifest/sqlite/open.js';

const place = (bucket: string) => ({ kind: 'memory', endpoint: 'e', bucket, prefix: '' });
const PAIR: PairIdentity = { source: place('a'), dest: place('b') };
const ROW: ManifestRow = {
  ...{ key: 'k', size: 1, sourceEtag: 'a1', sourceMtimeMs: 1000, destEtag: 'b1', destMtimeMs: 2000 },
  ...{ verifiedBy: 'md5', ours: true, atMs: 3000 },
};

let rows: Manifest;
let own: Manifest;
let reversed: ReversedManifest;
beforeEach(() => {
  rows = openManifest(IN_MEMORY, PAIR);
  own = openManifest(IN_MEMORY, { source: PAIR.dest, dest: PAIR.source });
  reversed = new ReversedManifest(rows, own);
});

describe('the manifest of the other direction', () => {
  test('has the rows with their sides exchanged', () => {
    rows.commit([ROW]);
    const there = { ...ROW, sourceEtag: 'b1', sourceMtimeMs: 2000, destEtag: 'a1', destMtimeMs: 1000, ours: false };
    expect(reversed.get('k')).toEqual(there);
    expect(reversed.page(undefined, 9)).toEqual([there]);
    expect(reversed.count()).toBe(1);
    reversed.commit([there]);
    expect(rows.get('k')).toEqual({ ...ROW, ours: false });
    expect(own.count()).toBe(0);
  });

  test('does not know a time that the row does not have', () => {
    const { destMtimeMs: _, ...row } = ROW;
    expect(reversedRow(row).sourceMtimeMs).toBe(0);
    expect(reversedRow(reversedRow(row))).toEqual({ ...row, ours: false });
  });

  test('has its own uploads, failures, intents and deletes', () => {
    const failure = { key: 'k', size: 1, sourceEtag: 'b1', sourceMtimeMs: 0, arrivedMs: 0, settings: '', lastMs: 1 };
    reversed.fail({ ...failure, class: 'temporary', code: 'timeout', message: 'no' });
    reversed.intend([{ key: 'k', destEtag: 'a1', atMs: 1 }]);
    reversed.doom([{ key: 'k', size: 1, destEtag: 'a1', foundMs: 1 }]);
    const upload = { key: 'k', uploadId: 'u', sourceEtag: 'b1', size: 1, partSize: 1, createdMs: 1 };
    reversed.beginUpload(upload);
    reversed.setFact('f', 'v');
    expect([rows.failureCount(), rows.anyIntended(), rows.doomedCount(), rows.uploads(), rows.getFact('f')]).toEqual([
      ...[0, false, 0, [], undefined],
    ]);
    expect([own.failureCount(), own.anyIntended(), own.doomedCount(), own.upload('k'), own.getFact('f')]).toEqual([
      ...[1, true, 1, upload, 'v'],
    ]);
  });

  test('settles them with the row, and forgets a key everywhere', () => {
    reversed.fail({
      ...{ key: 'k', size: 1, sourceEtag: 'b1', sourceMtimeMs: 0, arrivedMs: 0, settings: '', lastMs: 1 },
      ...{ class: 'temporary', code: 'timeout', message: 'no' },
    });
    reversed.intend([{ key: 'k', destEtag: 'a1', atMs: 1 }]);
    reversed.commit([reversedRow(ROW)]);
    expect([own.failureCount(), own.anyIntended()]).toEqual([0, false]);
    reversed.forget(['k']);
    expect(rows.get('k')).toBeUndefined();
  });

  test('shows conflicts from its own side', () => {
    const [one, two] = [
      { etag: '1', size: 1, mtimeMs: 1 },
      { etag: '2', size: 2, mtimeMs: 2 },
    ];
    reversed.conflicts.note('k', { source: one, dest: two }, 5);
    expect(rows.conflicts.open('k')?.sides).toEqual({ source: two, dest: one });
    expect(reversed.conflicts.open('k')?.sides).toEqual({ source: one, dest: two });
    reversed.conflicts.settle('k', { winner: 'source', atMs: 6 });
    expect(rows.conflicts.list(9)[0]?.winner).toBe('destination');
    expect(reversed.conflicts.list(9)[0]?.winner).toBe('source');
    expect(reversed.conflicts.countOpen()).toBe(0);
  });
});
