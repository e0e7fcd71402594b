import { expect, test } from 'vitest';
import { detailOf, keyOfParameter, keyParameter } from '../../src/web/detail.js';
import { AWKWARD_KEYS } from '../manifest/fixtures.js';
import { HOSTILE_KEYS, manifestWith } from './support.js';

test('the failed list is shown a hundred at a time, each once', () => {
  const keys = Array.from({ length: 250 }, (_, n) => `key ${String(n).padStart(3, '0')}`);
  const manifest = manifestWith(keys);
  const seen: string[] = [];
  let after: string | undefined;
  for (let more = true; more; ) {
    const detail = detailOf(manifest, after);
    seen.push(...detail.failed.map(({ key }) => key));
    expect(detail.failed.length).toBeLessThanOrEqual(100);
    after = seen.at(-1);
    more = detail.more;
  }
  expect(seen).toEqual(keys);
});

test('the open conflicts are shown, and those of the past are not', () => {
  const manifest = manifestWith([]);
  const side = { etag: 'e', size: 1, mtimeMs: 1 };
  for (const key of ['open', 'past']) manifest.conflicts.note(key, { source: side, dest: side }, 5);
  manifest.conflicts.settle('past', { atMs: 6 });
  expect(detailOf(manifest).conflicts.map(({ key }) => key)).toEqual(['open']);
});

test('a key survives an address and a form, whatever is in it', () => {
  for (const key of [...AWKWARD_KEYS, ...HOSTILE_KEYS]) {
    const text = keyParameter(key);
    expect(text).toMatch(/^[\w-]*$/);
    expect(keyOfParameter(text)).toBe(key);
  }
  for (const text of ['%', 'a b', 'YQ==', '_w', '<'] as const) expect(keyOfParameter(text)).toBeUndefined();
});
