/** `--sse` and the settings of a remote: how what is written is encrypted by the service. */
import { writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { expectComplaint } from './complaint.js';
import { Lab } from './harness.js';

let lab: Lab;
beforeAll(async () => {
  lab = await Lab.start();
});
beforeEach(() => lab.reset());
afterAll(() => lab.close());

const MIB = 1024 * 1024;

describe.each([
  ['west', 'aes256', { method: 'AES256' }],
  ['west', 'kms', { method: 'aws:kms' }],
  ['west', 'kms:alias/photos', { method: 'aws:kms', keyId: 'alias/photos' }],
  ['shanghai', 'aes256', { method: 'AES256' }],
  ['shanghai', 'kms:9468da86', { method: 'KMS', keyId: '9468da86' }],
  ['shanghai', 'sm4', { method: 'SM4' }],
] as const)('to %s with --sse %s', (at, sse, encryption) => {
  test.each(['lean', 'sdk'])('each object is encrypted so, in one request and in parts (%s)', async (transport) => {
    const source = lab.east.bucket();
    source.put('small', 'x');
    source.put('large', Buffer.alloc(11 * MIB, 7));
    const dest = lab[at].bucket();
    const how = ['--sse', sse, '--transport', transport, '--part-size', '5M'];
    const outcome = await lab.run(['copy', source.at(), dest.at(), ...how]);
    expect(outcome.code, outcome.stderr).toBe(0);
    expect(dest.get('small')?.encryption).toEqual(encryption);
    expect(dest.get('large')).toMatchObject({ encryption, type: 'Multipart' });
    expect(dest.read('large').byteLength).toBe(11 * MIB);
    dest.remote.server.requests.reset();
    const again = await lab.run(['copy', source.at(), dest.at(), ...how]);
    expect(again.code, again.stderr).toBe(0);
    expect(dest.requests().map(({ kind }) => kind)).toEqual(['ListObjects']);
  });
});

test.each(['east', 'shanghai'] as const)(
  'a copy by the service in %s is encrypted as asked, never with the key of its source',
  async (at) => {
    const source = lab[at].bucket();
    const keyed = { method: at === 'east' ? 'aws:kms' : 'KMS', keyId: 'of-the-source' };
    source.put('a', 'x', { encryption: keyed });
    const [asked, plain] = [lab[at].bucket(), lab[at].bucket()];
    expect(await lab.run(['copy', source.at(), asked.at(), '--sse', 'aes256'])).toMatchObject({ code: 0 });
    expect(await lab.run(['copy', source.at(), plain.at()])).toMatchObject({ code: 0 });
    expect(asked.requests().map(({ kind }) => kind)).toContain('CopyObject');
    expect(asked.get('a')?.encryption).toEqual({ method: 'AES256' });
    expect(plain.get('a')?.encryption).toEqual({});
  },
);

test('--sse none asks for nothing, whatever the remote is set to; a key of the remote stays with --sse kms', async () => {
  const source = lab.east.bucket();
  source.put('a', 'x');
  const set = { XSYNC_CONFIG_SHANGHAI_SERVER_SIDE_ENCRYPTION: 'KMS', XSYNC_CONFIG_SHANGHAI_SSE_KMS_KEY_ID: 'own' };
  const encryptions = async (...how: string[]) => {
    const dest = lab.shanghai.bucket();
    const outcome = await lab.run(['copy', source.at(), dest.at(), ...how], set);
    expect(outcome.code, outcome.stderr).toBe(0);
    return dest.get('a')?.encryption;
  };
  expect(await encryptions()).toEqual({ method: 'KMS', keyId: 'own' });
  expect(await encryptions('--sse', 'kms')).toEqual({ method: 'KMS', keyId: 'own' });
  expect(await encryptions('--sse', 'none')).toEqual({});
  expect(await encryptions('--sse', 'sm4')).toEqual({ method: 'SM4' });
});

test('what a store does not have is refused before anything is sent', async () => {
  const source = lab.east.bucket();
  source.put('a', 'x');
  const dest = lab.west.bucket();
  expectComplaint(await lab.run(['copy', source.at(), dest.at(), '--sse', 'sm4']), 'usage', '--sse sm4', 'aes256');
  const disk = await lab.run(['copy', source.at(), lab.path(), '--sse', 'aes256']);
  expectComplaint(disk, 'usage', '--sse aes256: local disk', 'mit --sse');
  expectComplaint(await lab.run(['copy', source.at(), dest.at(), '--sse', 'rot13']), 'usage', 'rot13', 'none, aes256');
  expect([...dest.requests(), ...source.requests()]).toEqual([]);
});

test('a disk is copied to an encrypted place, and a piped object is encrypted too', async () => {
  const file = lab.path('file');
  await writeFile(file, 'x');
  const dest = lab.west.bucket();
  const outcome = await lab.run(['copyto', file, dest.at('a'), '--sse', 'kms']);
  expect(outcome.code, outcome.stderr).toBe(0);
  expect(dest.get('a')?.encryption).toEqual({ method: 'aws:kms' });
});
