import { describe, expect, test } from 'vitest';
import {
  JOB_VERSION,
  type JobData,
  validJob,
  validNews,
  validPresence,
  validResult,
  validUpload,
} from '../../src/cluster/messages.js';
import { copyTicket } from './tickets.js';

const job: JobData = {
  version: JOB_VERSION,
  program: '0.1.0',
  terms: { pair: 'from-to-0123456789abcdef', source: 'a:from', dest: 'b:to', sse: 'aes256', tpslimit: 10 },
  work: [
    { type: 'copy', ticket: copyTicket('a', 10), again: true },
    {
      type: 'parts',
      ticket: copyTicket('b', 100, 10),
      uploadId: 'u',
      hashing: { md5: true, crc64ecma: false },
      numbers: [1, 2],
    },
  ],
};

describe('a job', () => {
  test('survives JSON', () => {
    expect(validJob(JSON.parse(JSON.stringify(job)))).toEqual(job);
  });

  test.each<[string, unknown]>([
    ['nothing', undefined],
    ['an unknown field', { ...job, more: 1 }],
    ['a pair that names another key of Redis', { ...job, terms: { ...job.terms, pair: 'a:b' } }],
    ['more objects than a job has', { ...job, work: Array.from({ length: 1001 }, () => job.work[0]) }],
    ['a ticket that is none', { ...job, work: [{ type: 'copy', ticket: { action: 'copy' } }] }],
    ['a part without a number', { ...job, work: [{ ...job.work[1], numbers: [0] }] }],
  ])('with %s is refused', (_, value) => {
    expect(() => validJob(value)).toThrow();
  });

  test('of another version says who wrote it', () => {
    expect(() => validJob({ version: 2, program: '9.9.9' })).toThrow('the coordinator is xsync 9.9.9');
  });
});

describe('what else is read from Redis', () => {
  const copied = { kind: 'copied', destEtag: 'e', verifiedBy: 'md5', parts: 1, resumedParts: 0, resumedBytes: 0 };

  test.each<[unknown, boolean]>([
    [{ outcome: copied }, true],
    [{ outcome: { kind: 'vanished' } }, true],
    [{ outcome: { kind: 'deleted' } }, false],
    [{ outcome: { ...copied, parts: 'many' } }, false],
    [{ sent: { row: { partNumber: 1, size: 1, etag: 'e' }, confirmed: true, contradicted: false } }, true],
    [{ sent: { row: { partNumber: 0, size: 1, etag: 'e' }, confirmed: true, contradicted: false } }, false],
    [{ error: { type: 'error', code: 'network', message: 'm', details: {} } }, true],
    ['copied', false],
  ])('the result %j', (value, valid) => {
    expect(validResult(value) !== undefined).toBe(valid);
  });

  test('damaged news, presences and uploads are none', () => {
    expect(validNews('{"job":1}')).toBeUndefined();
    expect(validNews('{"job":"j","worker":"w"}')).toEqual({ job: 'j', worker: 'w' });
    for (const wrong of [
      { traffic: { source: { requests: {}, bytesIn: 'many', bytesOut: 0 } } },
      { results: [['0', { outcome: { kind: 'copied' } }]] },
      { observed: [{ type: 'progress', bytes: 1 }] },
      { observed: [{ type: 'end' }] },
      { retried: [{ side: 'middle', event: { kind: 'read', message: 'failed' } }] },
      { checkpoints: [{ call: 'addPart', key: 'key', part: { partNumber: 0 } }] },
    ]) {
      expect(validNews(JSON.stringify({ job: 'j', worker: 'w', ...wrong })), JSON.stringify(wrong)).toBeUndefined();
    }
    expect(validPresence('null')).toBeUndefined();
    expect(validUpload({ row: undefined, parts: [] })).toBeUndefined();
  });
});
