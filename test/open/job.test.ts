import { describe, expect, test } from 'vitest';
import { parseJob } from '../../src/engine/job/job.js';
import { runOptions } from '../../src/open/job.js';

const MIB = 1024 ** 2;
const PLACES = { source: 'a', destination: 'b' };
const never = new AbortController().signal;

describe('a part size', () => {
  const large = { ...PLACES, partSize: 64 * MIB, maxMemory: 32 * MIB };

  test.each([parseJob('copy', large), parseJob('sync', large), parseJob('watch', large)])(
    'that is larger than the memory is refused: $mode',
    (job) => {
      expect(() => runOptions(job, undefined, never)).toThrow(
        expect.objectContaining({
          code: 'usage',
          subject: '--part-size',
          message: expect.stringContaining('67108864'),
        }),
      );
    },
  );

  test.each([
    [32 * MIB, 32 * MIB],
    [64 * MIB, 'off'],
    [undefined, 1],
  ] as const)('of %s fits into %s', (partSize, maxMemory) => {
    expect(runOptions(parseJob('copy', { ...PLACES, partSize, maxMemory }), undefined, never).partSize).toBe(partSize);
  });
});
