import { expect, test } from 'vitest';
import { jobOf } from '../../src/serverless/job.js';

const jobWith = (options: Record<string, unknown>, deletes = false) =>
  jobOf({ XSYNC_JOB: options, XSYNC_DELETE: deletes, XSYNC_DESTINATION: 'far:b' }, 'near:a');

test('options of a copy and its attributes are taken', () => {
  const job = jobWith({ partSize: 5_242_880, tags: true, acl: true, compare: 'checksum' });
  expect(job).toMatchObject({ mode: 'copy', source: 'near:a', destination: 'far:b', tags: true, compare: 'checksum' });
  expect(jobWith({}, true).mode).toBe('sync');
});

test.each([
  ['versions', true],
  ['dryRun', true],
  ['backupDir', 'far:b/old'],
  ['exclude', ['*.tmp']],
  ['maxTransfer', 1000],
])('%s, which would be ignored, is refused', (name, value) => {
  expect(() => jobWith({ [name]: value }, true)).toThrow(`${name} in XSYNC_JOB has no effect in a function`);
});

test('what is no option at all is refused as one', () => {
  expect(() => jobWith({ nonsense: 1 })).toThrow('nonsense');
});
