/** --ignore-checksum: damaged objects arrive, and nothing that was copied counts as verified. */
import { describe, expect, test } from 'vitest';
import { bytesOf, contentOf, Pair, POLICY } from '../support.js';

const KiB = 1024;
const PARTS = { partSize: 100 * KiB };
const SIZES = [
  ['in one request', 1000],
  ['in parts', 250 * KiB],
] as const;

describe.each(SIZES)('an object %s', (_, size) => {
  async function damaged(): Promise<Pair> {
    const pair = new Pair();
    await pair.source.put('a', bytesOf('a', size));
    pair.faults.source.damage('read', 3);
    return pair;
  }

  test('that disagrees with its source fails, and with --ignore-checksum arrives as not verified', async () => {
    const pair = await damaged();
    const strict = await pair.copy(PARTS);
    expect(strict.failed.list).toMatchObject([{ key: 'a', code: 'checksum-mismatch' }]);

    const run = await pair.copy({ ...PARTS, ignoreChecksum: true });

    expect(run.verified).toEqual({ none: 1 });
    expect(run.failed.objects).toBe(0);
    expect((await contentOf(pair.dest, 'a')).byteLength).toBe(size);
    expect(pair.manifest.get('a')).toMatchObject({ verifiedBy: 'none' });
  });
});

test('an object that arrived so is inspected again by --checksum, and copied', async () => {
  const pair = new Pair();
  await pair.source.put('a', bytesOf('a', 1000));
  const repair = pair.faults.source.damage('read', 3);
  await pair.copy({ ignoreChecksum: true });
  repair();

  const run = await pair.copy({ policy: { ...POLICY, compare: 'checksum' } });

  expect(run.verified.none).toBeUndefined();
  expect(run.copied.objects).toBe(1);
  expect(Buffer.compare(await contentOf(pair.dest, 'a'), bytesOf('a', 1000))).toBe(0);
});

test('what the destination answers is not compared either', async () => {
  const capabilities = { partEtagIsMd5: false, answersCrc64ecma: true, checksContentMd5: false };
  const pair = new Pair({ dest: { capabilities } });
  await pair.source.put('a', bytesOf('a', 1000));
  pair.faults.dest.damage('put', 3);

  const run = await pair.copy({ ignoreChecksum: true });

  expect(run.verified).toEqual({ none: 1 });
});
