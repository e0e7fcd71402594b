/** What all checkpoints and rows of written objects do. */
import { expect, it } from 'vitest';
import type { Checkpoints, PartRow, UploadRow } from '../../../src/manifest/checkpoints.js';
import type { ManifestRow } from '../../../src/manifest/port.js';
import type { WrittenRows } from '../../../src/manifest/state.js';

const row = (key: string, uploadId: string): UploadRow => ({
  ...{ key, uploadId, sourceEtag: 'e', size: 30, partSize: 10, createdMs: 5 },
});
const part = (partNumber: number): PartRow => ({ partNumber, size: 10, etag: `p${partNumber}`, md5: 'aa' });
const numbers = async (checkpoints: Checkpoints, key: string) =>
  (await checkpoints.parts(key)).map(({ partNumber }) => partNumber);

/** @param make those of before, as another process sees them, if `again` */
export function checkpointSuite(make: (how?: { again: true }) => Promise<Checkpoints>): void {
  it('keeps an upload and its parts for another process', async () => {
    const first = await make();
    expect(await first.upload('k')).toBeUndefined();
    await first.beginUpload(row('k', 'u1'));
    await Promise.all([3, 1, 12, 2].map((number) => first.addPart('k', part(number))));
    await first.noteHash('k', { upTo: 2, state: 's' });
    const next = await make({ again: true });
    expect(await next.upload('k')).toEqual({ ...row('k', 'u1'), hashed: { upTo: 2, state: 's' } });
    expect(await next.parts('k')).toEqual([1, 2, 3, 12].map(part));
    expect(await numbers(next, 'other')).toEqual([]);
  });

  it('replaces an upload together with its parts, and parts one by one', async () => {
    const checkpoints = await make();
    await checkpoints.beginUpload(row('k', 'u1'));
    for (const number of [1, 2, 3]) await checkpoints.addPart('k', part(number));
    await checkpoints.addPart('k', { ...part(2), etag: 'again' });
    await checkpoints.dropParts('k', [3, 9]);
    expect((await checkpoints.parts('k')).map(({ etag }) => etag)).toEqual(['p1', 'again']);
    await (await make({ again: true })).beginUpload(row('k', 'u2'));
    const next = await make({ again: true });
    expect([(await next.upload('k'))?.uploadId, await numbers(next, 'k')]).toEqual(['u2', []]);
  });

  it('forgets an upload that has ended', async () => {
    const checkpoints = await make();
    await checkpoints.beginUpload(row('k', 'u1'));
    await checkpoints.addPart('k', part(1));
    await checkpoints.endUpload('k');
    await checkpoints.endUpload('k');
    expect([await checkpoints.upload('k'), await numbers(checkpoints, 'k')]).toEqual([undefined, []]);
  });
}

export function writtenSuite(make: () => Promise<WrittenRows>): void {
  it('knows what was written, until it is gone', async () => {
    const written = await make();
    const object = (key: string, destEtag: string): ManifestRow => ({
      ...{ key, size: 1, sourceEtag: 's', sourceMtimeMs: 1, destEtag, verifiedBy: 'md5', ours: true, atMs: 9 },
    });
    await written.commit([object('a', '1'), object('b', '2'), object('c/../d', '3')]);
    await written.commit([object('a', '4')]);
    await written.forget(['b', 'never']);
    const rows = await written.rows(['a', 'b', 'c/../d', 'x']);
    expect(rows.sort((x, y) => (x.key < y.key ? -1 : 1))).toEqual([object('a', '4'), object('c/../d', '3')]);
  });
}
