import { describe, expect, it } from 'vitest';
import { openFilesLimit, procText } from '../../src/native/proc.js';

describe('the limit of open files', () => {
  it.each([
    ['Limit  Soft Limit  Hard Limit  Units\nMax open files            1024                 524288    files\n', 1024],
    ['Max processes 5 5 processes\nMax open files            unlimited            unlimited files \n', Infinity],
    ['Max processes 5 5 processes\n', undefined],
  ])('is what the kernel says: %j', (text, limit) => expect(openFilesLimit(text)).toBe(limit));

  it('is unknown where the system has no such file', () => {
    expect(procText('/proc/self/no-such-file')).toBeUndefined();
  });

  it.runIf(process.platform === 'linux')('is read from this process', () => {
    expect(openFilesLimit()).toBeGreaterThan(0);
  });
});
