import { describe, expect, it } from 'vitest';
import { errorLines } from '../../../src/cli/render/error.js';
import { XsyncError } from '../../../src/model/error.js';
import { plain } from '../fixtures.js';

describe('an error', () => {
  const denied = new XsyncError('access-denied', 'bucket b: AccessDenied', {
    remedy: 'Grant s3:ListBucket.',
    status: 403,
    serviceCode: 'AccessDenied',
    requestId: '4711',
    cause: new Error('outer', { cause: new Error('inner') }),
  });

  it('is one line with what is wrong and what to do', () => {
    expect(errorLines(denied, false, plain)).toEqual(['xsync: bucket b: AccessDenied — Grant s3:ListBucket.']);
  });

  it('with -vv has what the support desk of the service asks for, and never a stack trace', () => {
    expect(errorLines(denied, true, plain)).toEqual([
      'xsync: bucket b: AccessDenied — Grant s3:ListBucket.',
      '  code: access-denied (person)',
      '  status: 403',
      '  service code: AccessDenied',
      '  request id: 4711',
      '  caused by: Error: outer',
      '  caused by: Error: inner',
    ]);
  });

  it('of our own making says that it is a bug, and shows its stack with -vv alone', () => {
    const bug = new XsyncError('internal', 'x is undefined', { cause: new TypeError('x is undefined') });
    expect(errorLines(bug, false, plain)).toEqual([
      'xsync: a bug in xsync: x is undefined — please report it with the output of -vv',
    ]);
    expect(errorLines(bug, true, plain).some((line) => line.includes('error.test.ts'))).toBe(true);
  });

  it('cannot be made to break the screen by a key in its text', () => {
    const lines = errorLines(new XsyncError('object-not-found', 'a\n\u001b[2Jb'), false, plain);
    expect(lines).toEqual(['xsync: a\\n\\x1b[2Jb']);
  });

  it('of a config has a line for each fault', () => {
    const faults = new XsyncError('config', 'c.yaml:2:3: one\nc.yaml:5:1: two', { remedy: 'Mend it.' });
    expect(errorLines(faults, false, plain)).toEqual(['xsync: c.yaml:2:3: one', '  c.yaml:5:1: two — Mend it.']);
  });
});
