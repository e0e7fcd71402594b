/** `filterOf` of src/open/job.ts: a run without filters does not load the matcher. */
import { expect, test, vi } from 'vitest';
import { filterOf } from '../../src/open/job.js';

vi.mock('re2js', () => {
  throw new Error('re2js was loaded');
});

test('the matcher is loaded only for a job that has filters, since it takes megabytes', async () => {
  await expect(filterOf({})).resolves.toBeUndefined();
  await expect(filterOf({ ignoreCase: true, include: undefined })).resolves.toBeUndefined();
  await expect(filterOf({ include: ['*.jpg'] })).rejects.toThrow();
});
