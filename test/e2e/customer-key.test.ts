/** SSE-C: a remote whose objects are encrypted with a key in a file. */
import { randomBytes } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { expectComplaint, expectFailedObject } from './complaint.js';
import { Lab } from './harness.js';

const KEY = randomBytes(32);
const MD5 = (bytes: Buffer) => bytes.toString('base64');
const MIB = 1024 * 1024;

let lab: Lab;
let keyed: NodeJS.ProcessEnv;
beforeAll(async () => {
  lab = await Lab.start();
  const file = lab.path('key');
  await writeFile(file, KEY.toString('hex'), { mode: 0o600 });
  keyed = { XSYNC_CONFIG_WEST_SSE_C_KEY_FILE: file };
});
beforeEach(() => lab.reset());
afterAll(() => lab.close());

test.each(['lean', 'sdk'])(
  'objects go to a remote with a key, are found unchanged and come back (%s)',
  async (transport) => {
    const source = lab.east.bucket();
    source.put('small', 'x');
    source.put('large', Buffer.alloc(11 * MIB, 7));
    const dest = lab.west.bucket();
    const how = ['--transport', transport, '--part-size', '5M', '--workers', '2'];
    const outcome = await lab.run(['sync', source.at(), dest.at(), ...how], keyed);
    expect(outcome.code, outcome.stderr).toBe(0);
    expect(dest.get('small')?.encryption.customerMd5).toBeDefined();
    expect(dest.get('large')).toMatchObject({ type: 'Multipart', encryption: dest.get('small')?.encryption });
    dest.remote.server.requests.reset();
    const again = await lab.run(['sync', source.at(), dest.at(), ...how], keyed);
    expect(again.code, again.stderr).toBe(0);
    expect(dest.requests().map(({ kind }) => kind)).toEqual(['ListObjects']);
    const checked = await lab.run(['check', source.at(), dest.at(), '--download', '--transport', transport], keyed);
    expect(checked.code, checked.stderr).toBe(0);
    const back = lab.east.bucket();
    const home = await lab.run(['move', dest.at(), back.at(), ...how], keyed);
    expect(home.code, home.stderr).toBe(0);
    expect([back.read('large').byteLength, back.get('large')?.encryption]).toEqual([11 * MIB, {}]);
    expect(dest.get('large')).toBeUndefined();
  },
);

test('without the key, and with another one, an object fails by name', async () => {
  const source = lab.west.bucket();
  const file = lab.path();
  await writeFile(file, 'x');
  expect(await lab.run(['copyto', file, source.at('a')], keyed)).toMatchObject({ code: 0 });
  expectFailedObject(await lab.run(['copy', source.at(), lab.path()]), 'a', 'Set sse_c_key_file of the remote');
  const other = lab.path('other-key');
  await writeFile(other, randomBytes(32));
  const wrong = await lab.run(['copy', source.at(), lab.path()], { XSYNC_CONFIG_WEST_SSE_C_KEY_FILE: other });
  expectFailedObject(wrong, 'a', 'Check that sse_c_key_file has the key');
});

test('a sync tries again what failed once the file has another key', async () => {
  const source = lab.west.bucket();
  const file = lab.path();
  await writeFile(file, 'x');
  expect(await lab.run(['copyto', file, source.at('a')], keyed)).toMatchObject({ code: 0 });
  const changing = lab.path('changing-key');
  const set = { XSYNC_CONFIG_WEST_SSE_C_KEY_FILE: changing };
  const dest = lab.path();
  await writeFile(changing, randomBytes(32));
  expectFailedObject(await lab.run(['sync', source.at(), dest], set), 'a', 'Check that sse_c_key_file has the key');
  await writeFile(changing, KEY.toString('base64'));
  const outcome = await lab.run(['sync', source.at(), dest], set);
  expect(outcome.code, outcome.stderr).toBe(0);
  expect(await readFile(join(dest, 'a'), 'utf8')).toBe('x');
});

test('the key is on no screen and in no file', async () => {
  const source = lab.west.bucket();
  const dest = lab.west.bucket();
  source.remote.store.put(source.name, 'a', 'x');
  const outcome = await lab.run(['copy', source.at(), dest.at(), '-vv', '--dump', 'headers', '--json'], keyed);
  expect(outcome.code, outcome.stderr).toBe(0);
  const { createHash } = await import('node:crypto');
  const secrets = [KEY.toString('base64'), KEY.toString('hex'), MD5(createHash('md5').update(KEY).digest())];
  const shown = outcome.stdout + outcome.stderr;
  expect(shown).toContain('x-amz-server-side-encryption-customer-key: REDACTED');
  expect(shown).toContain('x-amz-copy-source-server-side-encryption-customer-key-md5: REDACTED');
  for (const secret of secrets) expect(shown).not.toContain(secret);
  const state = await readdir(lab.directory, { recursive: true, withFileTypes: true });
  for (const entry of state.filter((one) => one.isFile() && !one.name.includes('key-'))) {
    const bytes = await readFile(join(entry.parentPath, entry.name));
    for (const secret of [KEY.toString('base64'), KEY.toString('hex'), KEY]) {
      expect([entry.name, bytes.includes(secret)]).toEqual([entry.name, false]);
    }
  }
});

test('--sse beside the key, a link, and a file without a key are refused before anything is sent', async () => {
  const source = lab.east.bucket();
  source.put('a', 'x');
  const dest = lab.west.bucket();
  const both = await lab.run(['copy', source.at(), dest.at(), '--sse', 'aes256'], keyed);
  expectComplaint(both, 'usage', 'the remote encrypts with a key of its own', 'Omit --sse');
  const bad = lab.path('bad-key');
  await writeFile(bad, 'passphrase');
  const none = await lab.run(['copy', source.at(), dest.at()], { XSYNC_CONFIG_WEST_SSE_C_KEY_FILE: bad });
  expectComplaint(none, 'fatal', 'holds no key of 32 bytes', 'openssl rand -base64 32');
  expect(none.stderr).not.toContain('passphrase');
  expect(dest.requests()).toEqual([]);
  dest.put('a', 'x');
  const link = await lab.run(['link', dest.at('a')], keyed);
  expect(link.stdout).toBe('');
  expect(link.stderr).toContain('a URL cannot carry the key');
});
