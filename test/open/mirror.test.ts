import { expect, test } from 'vitest';
import { parseJob } from '../../src/engine/job/job.js';
import { mirrorOptions, watchedMirror } from '../../src/open/mirror.js';

const PLACES = { source: 'a', destination: 'b' };
const { signal } = new AbortController();

test('a mirror has the policy of its job, and looks before each delete', () => {
  const job = parseJob('mirror', { ...PLACES, conflict: 'newer', allowEmptySide: true, maxDelete: { objects: 5 } });
  const options = mirrorOptions(job, undefined, signal);
  expect(options.policy).toMatchObject({ mode: 'mirror', conflict: 'newer', conflictSuffix: '.conflict' });
  expect(options.deletes).toMatchObject({ when: 'after', max: { objects: 5 }, allowEmptySource: true });
  expect(options).toMatchObject({ command: 'mirror', noTraverse: false, failedBefore: 'try', resume: undefined });
});

test.each(['', 'a/b'])('the suffix "%s" is refused', (conflictSuffix) => {
  const job = parseJob('mirror', { ...PLACES, conflictSuffix });
  expect(() => mirrorOptions(job, undefined, signal)).toThrow('--conflict-suffix');
});

test('a watch in both directions has them too', () => {
  const job = parseJob('watch', { ...PLACES, mirror: true, conflict: 'a' });
  const options = watchedMirror(job, undefined, signal);
  expect(options).toMatchObject({ command: 'watch', policy: { mode: 'mirror', conflict: 'a' }, failedBefore: 'wait' });
  expect(options.deletes?.when).toBe('after');
});

test.each([
  [{ delete: true }, '--delete'],
  [{ backupDir: 'c' }, '--backup-dir'],
  [{ compare: 'checksum' as const }, '--checksum'],
  [{ traverse: false }, '--no-traverse'],
  [{ workers: 2 }, '--workers'],
  [{ versions: true }, '--versions'],
  [{ links: 'keep' as const }, '--links'],
])('and refuses what means one direction: %o', (given, flag) => {
  const job = parseJob('watch', { ...PLACES, mirror: true, ...given });
  expect(() => watchedMirror(job, undefined, signal)).toThrow(`${flag} has no meaning for a mirror`);
});
