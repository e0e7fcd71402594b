/** A bridge: objects and requests of a rare kind, none of which may hold up or lose the others. */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { s3Checksum } from '../support/server/hashes.js';
import { Bridge, openSides, SECRET } from './bridging.js';
import { until } from './harness.js';

const MIB = 2 ** 20;

const { lab, near, far, line, running } = await openSides();

const scene = (): Promise<Bridge> => Bridge.open({ lab, near, far, line, running });

test('an object in parts keeps its metadata', async () => {
  const s = await scene();
  near.core.s3.put(s.from, 'big', randomBytes(12 * MIB), {
    metadata: { colour: 'red' },
    headers: { 'content-type': 'text/x' },
  });
  await s.pull('--part-size', '5M');
  expect((await s.push('--backfill', '--once').done).code).toBe(0);
  expect(far.core.oss.get(s.to, 'in/big')).toMatchObject({
    metadata: { colour: 'red' },
    headers: { 'content-type': 'text/x' },
  });
});

test('an event about the folder itself, and a key that cannot be stored, hold up no other', async () => {
  const s = await scene();
  for (const key of ['p/', 'p/x', 'p/../climbs', 'p/y']) s.put(key, key);
  await s.pull();
  const push = s.pushFrom('/p', '--interval', 'off', '--events', ':0/events');
  const address = () => /receiving events at (\S+)/.exec(push.stderr)?.[1];
  await until(() => push.stderr.includes('are there already'), { orElse: push.done });
  const Records = ['p/', 'p/../climbs', 'p/x', 'p/y'].map((key) => ({
    ...{ eventSource: 'aws:s3', eventName: 'ObjectCreated:Put', eventTime: new Date().toISOString() },
    s3: { bucket: { name: s.from }, object: { key, size: 3, eTag: 'x', sequencer: '01' } },
  }));
  const headers = { authorization: `Bearer ${SECRET}` };
  const { status } = await fetch(address() ?? '', { method: 'POST', headers, body: JSON.stringify({ Records }) });
  expect(status).toBe(200);
  await until(() => s.keys().length === 2 && push.stderr.includes('given up'), { orElse: push.done });
  expect(s.keys()).toEqual(['in/x', 'in/y']);
  expect(push.stderr).not.toContain('retrying');
});

test('a queue that is shorter than a request lets all through', async () => {
  const s = await scene();
  for (let n = 0; n < 30; n++) s.put(`k${n}`, 'x');
  await s.pull('--queue-limit', '10');
  expect((await s.push('--backfill', '--once').done).code).toBe(0);
  expect(s.keys()).toHaveLength(30);
});

test('--backfill sends what an earlier run without it has left out, and --once fails as long as something is given up', async () => {
  const s = await scene();
  for (const key of ['a', 'b/../c', 'd']) s.put(key, key);
  await s.pull();
  const first = await s.push('--once').done;
  expect(first.stderr).toContain('3 objects are there already; only changes are pushed (--backfill: all)');
  expect([first.code, s.keys()]).toEqual([0, []]);
  for (const _ of ['first', 'second']) {
    const { code, stderr } = await s.push('--once', '--backfill').done;
    expect(code).toBe(6);
    expect(stderr).toContain('66% at the other end (2 of 3 objects), 1 given up');
  }
  expect(s.keys()).toEqual(['in/a', 'in/d']);
});

test('an object that is gone before it is pulled arrives when it comes back', async () => {
  const s = await scene();
  s.put('a', 'same');
  near.faults.add({ match: { kind: 'GetObject', nth: 1 }, fault: { kind: 'status', status: 404, code: 'NoSuchKey' } });
  near.faults.add({ match: { kind: 'HeadObject', nth: 1 }, fault: { kind: 'status', status: 404, code: 'NoSuchKey' } });
  await s.pull();
  expect((await s.push('--backfill', '--once').done).code).toBe(0);
  expect(s.keys()).toEqual([]);
  expect((await s.push('--once').done).code).toBe(0);
  expect(s.keys()).toEqual(['in/a']);
});

test('deletes that are refused hold up no copies; a push that is stopped early says so', async () => {
  const s = await scene();
  for (const key of ['a', 'b', 'c']) s.put(key, key);
  const pull = await s.pull('--delete');
  expect((await s.push('--backfill', '--once', '--delete').done).code).toBe(0);
  for (const key of ['a', 'b']) s.remove(key);
  s.put('new', 'new');
  const refused = await s.push('--once', '--delete', '--max-delete', '1').done;
  expect(refused).toMatchObject({ code: 7, stderr: expect.stringContaining('2 of 3 objects are gone') });
  expect(s.keys()).toEqual(['in/a', 'in/b', 'in/c', 'in/new']);

  line.cut();
  pull.kill('SIGKILL');
  await pull.done;
  s.put('late', 'late');
  const stopped = s.push('--once');
  await until(() => stopped.stderr.includes('; retrying'), { orElse: stopped.done });
  stopped.kill('SIGTERM');
  expect((await stopped.done).code).toBe(130);
});

test('a URL of the other end with a password, or one that anybody can read, is told', async () => {
  const s = await scene();
  const push = (url: string) => lab.run(['bridge', 'push', `own:${s.from}`, url, '--once'], s.pushHome);
  const secret = await push('https://user:pass-word@h.example');
  expect(secret).toMatchObject({ code: 2, stderr: expect.stringContaining('has a user name, a password or a query') });
  expect(secret.stderr).not.toContain('pass-word');
  expect((await push('http://h.example')).stderr).toContain('the other end has an http URL');
});

test('a right that is revoked at the destination: the ticket waits for it, and nothing is given up', async () => {
  const s = await scene();
  s.put('a', 'a');
  const fault = { kind: 'status', status: 403, code: 'AccessDenied' } as const;
  far.faults.add({ match: { kind: 'PutObject', times: 1 }, fault });
  const file = lab.path('told');
  const pull = await s.pull('--notify', `file:${file}`);
  const push = await s.push('--backfill', '--once').done;
  expect(push).toMatchObject({ code: 0, stderr: expect.stringContaining('100% at the other end (1 of 1 objects)') });
  expect(pull.stderr).toMatch(/its ticket waits, and is tried again[\s\S]*well again/);
  pull.kill('SIGTERM');
  await pull.done;
  const told = readFileSync(file, 'utf8').trim().split('\n');
  expect(told.map((line) => JSON.parse(line)).map(({ type, error }) => `${type} ${error?.code}`)).toEqual([
    'TicketsHeldUp access-denied',
    'TicketsResumed undefined',
  ]);
});

test('keys that are revoked while a ticket waits: the URL is replaced, also where deletes are allowed', async () => {
  const s = await scene();
  for (const key of ['a', 'old']) s.put(key, key);
  const fault = { kind: 'status', status: 403, code: 'InvalidAccessKeyId' } as const;
  near.faults.add({ match: { kind: 'GetObject', key: 'a', times: 1 }, fault });
  const old = { ...fault, code: 'AccessDenied', message: 'Request has expired' };
  near.faults.add({ match: { kind: 'GetObject', key: 'old', times: 1 }, fault: old });
  await s.pull('--delete');
  const push = await s.push('--backfill', '--once').done;
  expect(push).toMatchObject({ code: 0, stderr: expect.stringContaining('100% at the other end (2 of 2 objects)') });
  // Two refused ones; and one HEAD, by which the pushing end finds out whether its own keys are still good.
  expect(near.requests.counts()).toMatchObject({ GetObject: 4, HeadObject: 1 });
});

test('bytes that are damaged on the way are not stored, and each object is proved by the checksum of its ticket', async () => {
  const s = await scene();
  const bytes = { small: randomBytes(1000), big: randomBytes(12 * MIB) };
  const log = lab.path('proved');
  await s.pull('--part-size', '5M', '--audit-log', log);
  const push = s.push('--interval', 'off', '--events', ':0/events');
  const address = () => /receiving events at (\S+)/.exec(push.stderr)?.[1];
  await until(() => push.stderr.includes('are there already'), { orElse: push.done });
  // Their ETags are no MD5s, as those of uploads in parts.
  for (const [key, name] of [
    ['small', 'sha256'],
    ['big', 'crc64nvme'],
  ] as const) {
    const checksum = { name, value: s3Checksum(name, [bytes[key]]), type: 'FULL_OBJECT' } as const;
    near.core.s3.put(s.from, key, bytes[key], { checksum, encryption: { method: 'aws:kms' } });
    near.faults.add({ match: { kind: 'GetObject', key, times: 1 }, fault: { kind: 'flip-bit', where: 'response' } });
  }
  const Records = Object.keys(bytes).map((key) => ({
    ...{ eventSource: 'aws:s3', eventName: 'ObjectCreated:Put', eventTime: new Date().toISOString() },
    s3: { bucket: { name: s.from }, object: { key, size: 3, eTag: 'x', sequencer: '01' } },
  }));
  const headers = { authorization: `Bearer ${SECRET}` };
  await fetch(address() ?? '', { method: 'POST', headers, body: JSON.stringify({ Records }) });
  await until(() => s.keys().length === 2, { orElse: push.done });
  for (const [key, whole] of Object.entries(bytes)) expect(s.read(key).equals(whole)).toBe(true);
  // Read by nothing but GETs; the HEADs are those of the events.
  expect(near.requests.counts()).toEqual({ ListObjects: 1, HeadObject: 2, GetObject: 2 + 2 * 3 });
  expect(far.requests.counts()).toMatchObject({ PutObject: 1 });
  const proved = () =>
    readFileSync(log, 'utf8')
      .trim()
      .split('\n')
      .flatMap((text) => {
        const { event, key, verifiedBy } = JSON.parse(text);
        return event === 'done' ? [`${key} ${verifiedBy}`] : [];
      });
  await until(() => proved().length === 2);
  expect(proved().sort()).toEqual(['big crc64', 'small sha256']);
});
