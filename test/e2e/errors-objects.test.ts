/** Objects that cannot be copied, and sources that are not there: named one by one, and nothing else suffers. */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { EXIT } from '../../src/cli/exit.js';
import { expectComplaint, expectFailedObject, expectTemporaryFailure } from './complaint.js';
import { type Bucket, Lab } from './harness.js';

let lab: Lab;
beforeAll(async () => {
  lab = await Lab.start();
});
beforeEach(() => lab.reset());
afterAll(() => lab.close());

/** A bucket with an object that is well. */
function bucketOf(at: 'east' | 'shanghai'): Bucket {
  const bucket = lab[at].bucket();
  bucket.put('fine', 'fine');
  return bucket;
}

describe('one object', () => {
  test('whose key the destination cannot hold is failed by name, for the reason', async () => {
    const source = bucketOf('east');
    source.put('/leading', 'x');
    const dest = lab.shanghai.bucket();
    const outcome = await lab.run(['copy', source.at(), dest.at()]);
    expectFailedObject(outcome, '/leading', 'OSS cannot hold this key', 'begins with a slash', 'exclude it');
    expect(dest.keys()).toEqual(['fine']);
  });

  test('whose key would leave a folder on disk is failed, and nothing is written beside', async () => {
    const source = bucketOf('east');
    source.put('a/../../b', 'x');
    const root = lab.path('disk');
    const outcome = await lab.run(['copy', source.at(), root]);
    expectFailedObject(outcome, 'a/../../b', 'cannot be a file name', 'the component ..');
    expect(await readdir(root)).toEqual(['fine']);
  });

  test.each([
    ['east', 'GLACIER'],
    ['shanghai', 'Archive'],
  ] as const)('that is archived in %s says to restore it', async (at, storageClass) => {
    const source = bucketOf(at);
    source.put('frozen', 'x'.repeat(100), { storageClass });
    const dest = lab.west.bucket();
    const outcome = await lab.run(['copy', source.at(), dest.at()]);
    expect(outcome.code, outcome.stderr).toBe(EXIT.ok);
    expect(outcome.stderr).toContain('archived 1');
    expect(outcome.stderr).toContain('1 archived object was left out; --restore asks the service for it');
    expect(dest.keys()).toEqual(['fine']);
    expectComplaint(await lab.run(['cat', source.at('frozen')]), 'objectsFailed', 'frozen: ', 'estore');
    const single = await lab.run(['copyto', source.at('frozen'), lab.path('thawed')]);
    expectFailedObject(single, 'frozen', 'estore');
  });

  test('that vanishes after it was listed is no failure', async () => {
    const source = bucketOf('east');
    source.put('moving', 'x');
    source.fault({ kind: 'vanish' }, { kind: 'GetObject', key: 'moving' });
    const root = lab.path('vanished');
    const outcome = await lab.run(['copy', source.at(), root]);
    expect(outcome.code, outcome.stderr).toBe(EXIT.ok);
    expect(outcome.stderr).toContain('vanished 1');
    expect(await readdir(root)).toEqual(['fine']);
  });

  test('that is listed and not given out is failed as such', async () => {
    const source = bucketOf('east');
    source.put('ghost', 'x');
    source.fault({ kind: 'status', status: 404, code: 'NoSuchKey' }, { kind: 'GetObject', key: 'ghost' });
    const outcome = await lab.run(['copy', source.at(), lab.path('ghosts')]);
    expectFailedObject(outcome, 'ghost', 'lists it but does not return it');
  });

  test('that changes while it is read is read anew, and given up when it never rests', async () => {
    const source = bucketOf('east');
    source.put('moving', 'x'.repeat(1000));
    const change = () => source.fault({ kind: 'change' }, { kind: 'GetObject', key: 'moving', nth: 1 });
    change();
    const once = await lab.run(['copy', source.at(), lab.shanghai.bucket().at()]);
    expect(once.code, once.stderr).toBe(EXIT.ok);
    expect(once.stderr).toContain('1 restart of objects that changed while being read');
    source.fault({ kind: 'change' }, { kind: 'GetObject', key: 'moving' });
    const dest = lab.shanghai.bucket();
    const always = await lab.run(['copy', source.at(), dest.at()]);
    expectTemporaryFailure(always, 'moving', '(3 attempts)', 'it is being written to', 'changed while it was read');
    expect(dest.keys()).toEqual(['fine']);
  });

  test('whose metadata is too large for the destination says how large it may be', async () => {
    const source = bucketOf('shanghai');
    // Nothing makes it shorter.
    source.put('much', 'x', { metadata: { m: randomBytes(3000).toString('base64') } });
    const lenient = await lab.run(['copy', source.at(), lab.west.bucket().at()]);
    expect(lenient.code, lenient.stderr).toBe(EXIT.ok);
    expect(lenient.stderr).toMatch(/Lost +1 object: metadata 1/);
    const strict = await lab.run(['copy', source.at(), lab.west.bucket().at(), '--fidelity', 'strict']);
    expectFailedObject(strict, 'much', 'metadata', '2048');
  });
});

describe('what is not there', () => {
  test.each(['east', 'shanghai'] as const)('cat of a missing object of %s names it and exits with 4', async (at) => {
    const bucket = bucketOf(at);
    const outcome = await lab.run(['cat', bucket.at('nope')]);
    expectComplaint(outcome, 'objectNotFound', `there is no object ${bucket.at('nope')}`, 'xsync ls');
    const second = await lab.run(['cat', bucket.at('fine'), bucket.at('nope')]);
    expect([second.code, second.stdout]).toEqual([EXIT.objectNotFound, 'fine']);
    expectComplaint(await lab.run(['cat', bucket.at()]), 'usage', 'does not name an object');
  });

  test('a prefix or an object with nothing at it is told, as is a local path', async () => {
    const bucket = bucketOf('east');
    const [missing, never] = [bucket.at('nope'), lab.path('never')];
    expectComplaint(await lab.run(['ls', missing]), 'directoryNotFound', `there is nothing at ${missing}`);
    const copy = await lab.run(['copy', missing, never]);
    expectComplaint(copy, 'directoryNotFound', `there is nothing at ${missing}`, 'Check the path.');
    expect(copy.stderr).not.toContain('warning');
    expectComplaint(await lab.run(['copyto', missing, never]), 'objectNotFound', `there is nothing at ${missing}`);
    expect(existsSync(never)).toBe(false);
    expectComplaint(await lab.run(['copy', '/no/such', bucket.at()]), 'directoryNotFound', '/no/such does not exist');
    expectComplaint(await lab.run(['cat', '/no/such']), 'objectNotFound', '/no/such does not exist');
    expectComplaint(await lab.run(['ls', '/no/such']), 'directoryNotFound', '/no/such does not exist');
  });
});

describe('a listing that breaks off', () => {
  test.each([
    ['is cut in the middle of a page', { kind: 'truncated-xml' }],
    ['fails with a 500', { kind: 'status', status: 500 }],
    ['loses its connection', { kind: 'reset', at: 'response' }],
  ] as const)('because it %s ends the run as temporary, and is no shorter listing', async (_, fault) => {
    const source = lab.east.bucket();
    for (let i = 0; i < 1100; i++) source.put(`key-${String(i).padStart(4, '0')}`, '');
    source.fault(fault, { kind: 'ListObjects', nth: 2, times: 100 });
    const outcome = await lab.run(['copy', source.at(), lab.path('part'), '--low-level-retries', '2', '--dry-run']);
    expectComplaint(outcome, 'temporary', 'Ended with an error');
    const ls = await lab.run(['ls', source.at(), '--low-level-retries', '2']);
    expect(ls.code).toBe(EXIT.temporary);
  });
});
