import { describe, expect, it } from 'vitest';
import { parseJob } from '../../src/engine/job/job.js';
import { carryPolicy } from '../../src/open/carry-policy.js';

const policy = (given: object = {}) => carryPolicy(parseJob('copy', { source: 'a', destination: 'b', ...given }));

describe('what a job copies besides the bytes', () => {
  it('is metadata, and what was asked for', () => {
    expect(policy()).toEqual({ metadata: true, fidelity: 'warn', storageClass: undefined });
    expect(policy({ tags: true, acl: true, lock: true, fidelity: 'strict', storageClass: 'IA' })).toEqual({
      ...{ metadata: true, tags: true, acl: true, lock: true, fidelity: 'strict', storageClass: 'IA' },
    });
    expect(policy({ metadata: false }).metadata).toBe(false);
  });

  it('is what --metadata-set and --header-upload set, content headers by their names', () => {
    const metadataSet = ['Team=a=b', 'cache-control=no-cache', 'mtime=5'];
    const headerUpload = ['Content-Language: de', 'X-Amz-Meta-Owner:  me '];
    expect(policy({ metadataSet, headerUpload }).set).toEqual({
      headers: { cacheControl: 'no-cache', contentLanguage: 'de' },
      metadata: { team: 'a=b', mtime: '5', owner: 'me' },
    });
  });

  it.each([
    [
      'a header of another kind',
      { headerUpload: ['Authorization: x'] },
      '--header-upload: "authorization" is not a content header',
    ],
    ['a header without its value', { headerUpload: ['Expires'] }, '--header-upload: "Expires" is not of the form'],
    ['a header with a line end', { headerUpload: ['Expires: a\nb'] }, '--header-upload: "Expires: a\\nb" is not'],
    ['metadata without a value', { metadataSet: ['a'] }, '--metadata-set: "a" is not of the form name=value'],
    ['metadata without a name', { metadataSet: ['=a'] }, '--metadata-set: "=a" is not of the form name=value'],
  ])('is not %s', (_name, given, message) => {
    expect(() => policy(given)).toThrow(
      expect.objectContaining({ code: 'usage', message: expect.stringContaining(message) }),
    );
  });
});
