/** A bridge: two processes with different credentials, and what can happen to them. */
import { randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { PullClient } from '../../src/bridge/push/client.js';
import type { BridgeTicket } from '../../src/bridge/ticket.js';
import { ticketId } from '../../src/manifest/queues.js';
import { HttpTransport } from '../../src/store/http/transport.js';
import { Bridge, openSides, SECRET } from './bridging.js';
import { until } from './harness.js';

const MIB = 2 ** 20;

const { lab, near, far, line, running } = await openSides();

const scene = (): Promise<Bridge> => Bridge.open({ lab, near, far, line, running });

/** All that an end keeps. */
async function stateOf({ XDG_STATE_HOME = '' }: NodeJS.ProcessEnv): Promise<string> {
  const directory = join(XDG_STATE_HOME, 'xsync');
  const files = await readdir(directory);
  return (await Promise.all(files.map((file) => readFile(join(directory, file), 'latin1')))).join('\n');
}

test('history crosses with its metadata, and neither end is given the credentials of the other', async () => {
  const s = await scene();
  const big = randomBytes(20 * MIB);
  near.core.s3.put(s.from, 'a', 'one', { metadata: { colour: 'red' }, headers: { 'content-type': 'text/x' } });
  s.put('dir/b', 'two');
  s.put('big', big);
  const pull = await s.pull('--part-size', '5M', '--audit-log', join(s.pullHome.HOME ?? '', 'audit'));
  const push = await s.push('--backfill', '--once').done;

  expect(push).toMatchObject({ code: 0, stderr: expect.stringContaining('100% at the other end (3 of 3 objects)') });
  expect(s.keys()).toEqual(['in/a', 'in/big', 'in/dir/b']);
  expect(s.read('big').equals(big)).toBe(true);
  expect(far.core.oss.get(s.to, 'in/a')).toMatchObject({
    metadata: { colour: 'red' },
    headers: { 'content-type': 'text/x' },
  });
  // One GET an object, and one each of the parts; no listing or HEAD of the source but the first one.
  expect(near.requests.counts()).toEqual({ ListObjects: 1, GetObject: 2 + 4 });
  const audit = (await readFile(join(s.pullHome.HOME ?? '', 'audit'), 'utf8')).trim().split('\n');
  expect(audit.map((text) => JSON.parse(text).event).sort()).toEqual([
    'done',
    'done',
    'done',
    'taken',
    'taken',
    'taken',
  ]);

  pull.kill('SIGTERM');
  const ended = await pull.done;
  expect(ended.code).toBe(0);
  const seen = [await stateOf(s.pullHome), ended.stderr, audit.join('\n'), JSON.stringify(s.pullHome)].join('\n');
  for (const secret of ['near-secret-of-the-source', 'X-Amz-Signature']) expect(seen).not.toContain(secret);
  expect([await stateOf(s.pushHome), push.stderr, JSON.stringify(s.pushHome)].join('\n')).not.toContain(
    'far-secret-of-the-destination',
  );
});

test('events are repeated, late and about what has changed since: the newest version is there, and deletes follow', async () => {
  const s = await scene();
  s.put('kept', 'old');
  s.put('gone', 'x');
  const pull = await s.pull('--delete');
  const push = s.push('--backfill', '--delete', '--interval', 'off', '--events', ':0/events');
  const address = () => /receiving events at (\S+)/.exec(push.stderr)?.[1];
  await until(() => address() !== undefined && s.keys().length === 2, { orElse: push.done });

  const event = (eventName: string, key: string, sequencer: string) => ({
    ...{ eventSource: 'aws:s3', eventName, eventTime: new Date().toISOString() },
    s3: { bucket: { name: s.from }, object: { key, size: 3, eTag: 'of-an-older-version', sequencer } },
  });
  const send = async (...Records: object[]) => {
    const headers = { authorization: `Bearer ${SECRET}` };
    const { status } = await fetch(address() ?? '', { method: 'POST', headers, body: JSON.stringify({ Records }) });
    expect(status).toBe(200);
  };
  s.put('kept', 'new');
  s.put('fresh', 'fresh');
  s.remove('gone');
  await send(event('ObjectCreated:Put', 'kept', '02'), event('ObjectCreated:Put', 'kept', '01'));
  await send(event('ObjectRemoved:Delete', 'gone', '03'), event('ObjectCreated:Put', 'fresh', '01'));
  await send(event('ObjectRemoved:Delete', 'fresh', '00'), event('ObjectCreated:Put', 'kept', '02'));
  await until(() => s.keys().join() === 'in/fresh,in/kept' && s.read('kept').toString() === 'new', {
    orElse: push.done,
  });

  expect(far.requests.find('PutObject', { key: 'in/kept' })).toHaveLength(2);
  expect(far.requests.find('PutObject', { key: 'in/fresh' })).toHaveLength(1);
  // No interval: one listing.
  expect(near.requests.counts().ListObjects).toBe(1);

  for (const key of ['kept', 'fresh']) s.remove(key);
  await send(event('ObjectRemoved:Delete', 'kept', '09'), event('ObjectRemoved:Delete', 'fresh', '09'));
  await until(() => s.keys().length === 0, { orElse: push.done });
  for (const one of [push, pull]) {
    one.kill('SIGTERM');
    expect((await one.done).code).toBe(0);
  }
});

test.each([
  {
    ends: 'with its keys',
    fault: { kind: 'status', status: 403, code: 'AccessDenied', message: 'Request has expired' },
  },
  // The server compares its clock with the X-Amz-Date and X-Amz-Expires of the URL.
  { ends: 'by its time', fault: { kind: 'clock-skew', ms: 90_000 } },
] as const)('a URL that ends half-way, $ends, is replaced, and the parts that have arrived stay', async ({ fault }) => {
  const s = await scene();
  const big = randomBytes(40 * MIB);
  s.put('big', big);
  near.faults.add({ match: { kind: 'GetObject', nth: 4, times: 3 }, fault });
  await s.pull('--part-size', '5M', '--part-concurrency', '1');
  const push = await s.push('--backfill', '--once', '--expire', '1m').done;
  expect(push.code).toBe(0);
  expect(s.read('big').equals(big)).toBe(true);
  expect(near.requests.find('GetObject').filter(({ status }) => status === 403)).toHaveLength(3);
  expect(far.requests.find('UploadPart')).toHaveLength(8);
  expect(far.requests.find('CreateMultipartUpload')).toHaveLength(1);
});

test('a version that was overwritten meanwhile is not stored; the newest one is', async () => {
  const s = await scene();
  s.put('a', 'old');
  near.faults.add({ match: { kind: 'GetObject', nth: 1 }, fault: { kind: 'change', bytes: 'new' } });
  await s.pull();
  const push = await s.push('--backfill', '--once').done;
  expect(push.code).toBe(0);
  expect(s.read('a').toString()).toBe('new');
  expect(far.requests.find('PutObject')).toHaveLength(1);
});

test('what cannot be stored is given up, listed and replayed, and nothing else is', async () => {
  const s = await scene();
  s.put('good', 'x');
  s.put('bad', 'x');
  s.put('other', 'x');
  far.faults.add({
    match: { kind: 'PutObject', key: 'in/bad' },
    fault: { kind: 'status', status: 403, code: 'AccessDenied' },
  });
  const notified = (end: string) => join(s.pullHome.HOME ?? '', `notified-${end}`);
  const pull = await s.pull('--notify', `file:${notified('pull')}`, '--metrics-addr', ':0', '--attempts', '1');
  const push = await s.push('--backfill', '--once', '--notify', `file:${notified('push')}`).done;
  expect(push.code).toBe(6);
  expect(push.stderr).toContain('given up "bad"');
  for (const end of ['pull', 'push']) {
    const told = (await readFile(notified(end), 'utf8')).trim().split('\n');
    expect(told.map((text) => JSON.parse(text))).toEqual([
      expect.objectContaining({
        ...{ type: 'ObjectReplicationFailed', key: 'bad', operation: 'copy' },
        error: expect.objectContaining({ code: 'access-denied' }),
      }),
    ]);
  }
  const [page] = /http:\S+\/metrics/.exec(pull.stderr) ?? [];
  const metrics = await (await fetch(page ?? '')).text();
  expect(metrics).toMatch(/^xsync_bridge_tickets\{state="done",.*\} 2$/m);
  expect(metrics).toMatch(/^xsync_bridge_tickets\{state="dead",.*\} 1$/m);
  expect(s.keys()).toEqual(['in/good', 'in/other']);

  const about = (command: string, ...more: string[]) =>
    lab.run([command, `own:${s.from}`, line.url, ...more], s.pushHome);
  expect((await about('failed')).stdout).toMatch(/^bad {2}1 B {2}access-denied: /);
  const [row] = (await about('failed', '--json')).stdout
    .trim()
    .split('\n')
    .map((text) => JSON.parse(text));
  expect(row).toMatchObject({ key: 'bad', code: 'access-denied' });
  expect((await about('status')).stdout).toContain('66% at the other end (2 of 3 objects), 1 given up');
  far.faults.clear();
  expect((await about('retry')).stderr).toContain('1 ticket will be sent again');
  expect((await s.push('--once').done).code).toBe(0);
  expect(s.keys()).toEqual(['in/bad', 'in/good', 'in/other']);
  expect((await about('failed')).stdout).toBe('No ticket was given up.\n');
  const elsewhere = await lab.run(['failed', `own:${s.from}`, 'http://127.0.0.1:1'], s.pushHome);
  expect(elsewhere).toMatchObject({ code: 2, stderr: expect.stringContaining('nothing was pushed') });
  pull.kill('SIGTERM');
  await pull.done;
  // Of the pulling end, the pair is shown, and left to the pushing end.
  const shown = await lab.run(['status'], s.pullHome);
  expect(shown).toMatchObject({ code: 0, stdout: expect.stringContaining('bridge://bridge → ') });
  expect(await lab.run(['retry'], s.pullHome)).toMatchObject({ code: 0 });
});

test('a pulling end asks nobody whom it was not told to trust, whatever a ticket, a redirect or DNS says', async () => {
  const s = await scene();
  let asked = 0;
  const inside = createServer((_, response) => void response.end(`secret ${++asked}`));
  const outside = createServer((_, response) => void response.writeHead(302, { location: inner }).end());
  const [inner, outer] = await Promise.all([listen(inside), listen(outside)]);
  const audit = join(s.pullHome.HOME ?? '', 'audit');
  const trusts = ['--allow-private', 'localhost', '--allow-host', '*.oss.test'];
  await s.pull(...trusts, '--audit-log', audit, '--attempts', '1');
  const transport = new HttpTransport({ userAgent: 'test' });
  const client = new PullClient(transport, line.to ?? '', () => SECRET);
  const ticket = (revision: number, key: string, url: string): BridgeTicket => ({
    ...{
      version: 1,
      id: ticketId({ key, revision }),
      revision,
      key,
      action: 'copy',
      url,
      expiresMs: Date.now() + 60_000,
    },
    ...{ etag: 'e', size: 8, mtimeMs: 1 },
  });
  const { port } = new URL(inner);
  const { refused } = await client.send([
    ticket(1, 'redirect', outer.replace('127.0.0.1', 'localhost')),
    // A trusted name, which leads to a private address when it is connected to.
    ticket(2, 'dns', `http://rebound.oss.test:${port}/`),
    ticket(3, 'host', inner),
    ticket(4, 'metadata', 'http://169.254.169.254/latest/meta-data'),
    ticket(5, '../out', outer.replace('127.0.0.1', 'localhost')),
  ]);
  expect(refused.map(({ id, code }) => `${id.split('-')[0]} ${code}`)).toEqual([
    ...['r3 untrusted-host', 'r4 untrusted-host', 'r5 key-not-representable'],
  ]);
  const states = async () =>
    (await client.ask([ticketId({ key: 'redirect', revision: 1 }), ticketId({ key: 'dns', revision: 2 })])).map(
      ({ state, fault }) => `${state} ${fault?.code}`,
    );
  while ((await states()).some((text) => text.startsWith('queued'))) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  expect(await states()).toEqual(['dead untrusted-host', 'dead untrusted-host']);
  expect(asked).toBe(0);
  expect(s.keys()).toEqual([]);
  const lines = (await readFile(audit, 'utf8'))
    .trim()
    .split('\n')
    .map((text) => JSON.parse(text));
  expect(lines.filter(({ event }) => event === 'refused')).toHaveLength(3);
  expect(lines.filter(({ event }) => event === 'dead')).toHaveLength(2);
  await transport.close();
  for (const server of [inside, outside]) server.close();
});

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return `http://127.0.0.1:${address.port}/`;
}
