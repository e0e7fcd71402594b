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
    ['of nothing', { partSize: 0 }, '--part-size', '--part-size is 0'],
    ['of a memory that holds none', { maxMemory: 8 * MIB - 1 }, '--max-memory', 'does not hold one part'],
    ['of a memory of nothing', { maxMemory: 0 }, '--max-memory', 'does not hold one part'],
  ])('%s is refused', (_, given, subject, message) => {
    expect(() => runOptions(parseJob('copy', { ...PLACES, ...given }), undefined, never)).toThrow(
      expect.objectContaining({ code: 'usage', subject, message: expect.stringContaining(message) }),
    );
  });

  test.each([
    [32 * MIB, 32 * MIB],
    [64 * MIB, 'off'],
    [undefined, 8 * MIB],
  ] as const)('of %s fits into %s', (partSize, maxMemory) => {
    expect(runOptions(parseJob('copy', { ...PLACES, partSize, maxMemory }), undefined, never).partSize).toBe(partSize);
  });
});
