/** A watch survives what happens to a service: signals, kills, lost networks, full disks, rotated keys. */
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startServer, type TestServer } from '../support/server/index.js';
import { smallDisk } from './disk.js';
import { bytesOf, MiB } from './fixtures.js';
import { type Bucket, Lab } from './harness.js';
import { Gate, Watching } from './watching.js';

const QUICK = ['--interval', '150ms', '--min-interval', '100ms', '--max-interval', '200ms', '--full-interval', '1s'];
const SLOW = ['--interval', '10m'];
const SECRET = 'a secret for tests only';

let lab: Lab;
let source: Bucket;
let dest: Bucket;
const running = new Set<Watching>();
const closing: (() => Promise<unknown> | unknown)[] = [];

beforeAll(async () => {
  lab = await Lab.start();
});
beforeEach(() => {
  lab.reset();
  source = lab.east.bucket();
  dest = lab.shanghai.bucket();
});
afterEach(async () => {
  for (const watching of running) watching.kill('SIGKILL');
  await Promise.all([...running].map(({ done }) => done));
  running.clear();
  for (const close of closing.splice(0)) await close();
});
afterAll(() => lab.close());

function watch(options: readonly string[], env: NodeJS.ProcessEnv = {}, places = [source.at(), dest.at()]): Watching {
  const watching = new Watching([...places, ...options], { ...lab.env, ...env });
  running.add(watching);
  return watching;
}

function put(count: number, bytes = 100, name = 'k'): string[] {
  const keys = Array.from({ length: count }, (_, n) => `${name}${String(n).padStart(3, '0')}`);
  for (const key of keys) source.put(key, bytesOf(key, bytes));
  return keys;
}

/** How often each key was written. */
function writes(bucket: Bucket): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { key = '' } of bucket.requests('PutObject')) counts[key] = (counts[key] ?? 0) + 1;
  return counts;
}

describe('a watch', () => {
  test('copies what is new, copies what is overwritten, deletes what is gone with --delete, and ends with 0', async () => {
    put(3);
    const watching = watch([...QUICK, '--delete']);
    await watching.until(() => dest.keys().length === 3);
    source.put('new', 'new');
    await watching.until(() => dest.keys().length === 4);
    source.put('k000', 'overwritten');
    await watching.until(() => dest.read('k000').toString() === 'overwritten');
    source.remote.store.delete(source.name, 'k001');
    await watching.until(() => dest.keys().length === 3);
    expect(dest.keys()).toEqual(['k000', 'k002', 'new']);
    expect(await watching.end()).toEqual({ code: 0, signal: null });
    expect(writes(dest)).toEqual({ k000: 2, k001: 1, k002: 1, new: 1 });
    expect(watching.stderr).toBe('');
  });

  test('lists the source alone and copies nothing while nothing happens', async () => {
    put(3);
    const watching = watch(QUICK);
    await watching.until(() => watching.passes >= 1);
    const before = dest.counts();
    await watching.morePasses(4);
    expect(dest.counts()).toEqual(before);
    expect(before.ListObjects).toBe(1);
  });
});

describe('signals', () => {
  /** Parts of a large object trickle, one after the other. */
  function large(): void {
    source.put('large', bytesOf('large', 2 * MiB));
    dest.fault({ kind: 'slow', delayMs: 60 }, { kind: 'UploadPart', times: 1000 });
  }
  const PARTS = ['--part-size', '128K', '--part-concurrency', '1', '--transfers', '1'];

  test('SIGTERM: the large object in flight arrives, nothing is begun after it, and the exit code is 0', async () => {
    large();
    put(5, 100, 'z');
    const watching = watch([...QUICK, ...PARTS]);
    await watching.until(() => dest.requests('UploadPart').length >= 2);
    watching.kill('SIGTERM');
    expect(await watching.done).toEqual({ code: 0, signal: null });
    expect(dest.keys()).toEqual(['large']);
    expect(dest.unfinished()).toEqual([]);
    expect(watching.says('ending: what has begun is finished')).toBe(true);
  });

  test('a second SIGTERM: the large object is checkpointed, and the next watch sends no part twice', async () => {
    large();
    const watching = watch([...QUICK, ...PARTS]);
    await watching.until(() => dest.requests('UploadPart').length >= 3);
    watching.kill('SIGTERM');
    await watching.until(() => watching.says('ending'));
    watching.kill('SIGTERM');
    expect(await watching.done).toEqual({ code: 0, signal: null });
    expect(dest.keys()).toEqual([]);
    lab.reset();
    const again = watch([...QUICK, ...PARTS]);
    await again.until(() => dest.keys().length === 1);
    expect(dest.requests('UploadPart').length).toBeLessThanOrEqual(14);
    expect(dest.read('large').equals(bytesOf('large', 2 * MiB))).toBe(true);
  });

  test('SIGINT: 130, so that a script sees that a person wanted it', async () => {
    put(1);
    const watching = watch(QUICK);
    await watching.until(() => watching.passes >= 1);
    watching.kill('SIGINT');
    expect(await watching.done).toEqual({ code: 130, signal: null });
  });

  test('SIGHUP: rotated keys are taken from the config file; a file with a fault in it changes nothing', async () => {
    const old = lab.west.server;
    const rotated = await startServer({
      s3: { accessKeyId: 'AKIAROTATED', secretAccessKey: 'rotated-secret', region: old.s3.region },
    });
    closing.push(() => rotated.close());
    const gate = new Gate();
    await gate.open(old.s3.endpoint);
    closing.push(() => gate.shut());
    const config = lab.path('config.yaml');
    const write = async (server: TestServer): Promise<void> => {
      const { accessKeyId, secretAccessKey, region } = server.s3;
      const remote = { type: 's3', provider: 'minio', endpoint: gate.endpoint, region, force_path_style: true };
      const { endpoint, accessKeyId: id, accessKeySecret, region: there } = lab.shanghai.server.oss;
      const oss = { type: 'oss', endpoint, region: there, access_key_id: id, secret_access_key: accessKeySecret };
      const gated = { ...remote, access_key_id: accessKeyId, secret_access_key: secretAccessKey };
      await writeFile(`${config}.new`, JSON.stringify({ remotes: { gated, shanghai: oss } }), { mode: 0o600 });
      await rename(`${config}.new`, config);
    };
    old.core.s3.createBucket('keys');
    old.core.s3.put('keys', 'a', Buffer.from('a'), {});
    rotated.core.s3.createBucket('keys');
    rotated.core.s3.put('keys', 'b', Buffer.from('b'), {});
    await write(old);
    const watching = watch([...QUICK, '--config', config], {}, ['gated:keys', dest.at()]);
    await watching.until(() => dest.keys().length === 1);

    await gate.shut();
    await gate.open(rotated.s3.endpoint);
    await watching.until(() => watching.of('trouble').some(({ code }) => code === 'bad-credentials'));
    await writeFile(config, 'remotes: {gated: {type: s4}}');
    watching.kill('SIGHUP');
    await watching.until(() => watching.says('the configuration stays as it was'));
    await write(rotated);
    watching.kill('SIGHUP');
    await watching.until(() => dest.keys().length === 2);
    await watching.until(() => watching.of('well').length === 1);
    expect(watching.of('trouble').filter(({ code }) => code === 'bad-credentials')).toHaveLength(1);
    expect((await watching.end()).code).toBe(0);
  });
});

describe('what happens to it', () => {
  test('kill -9 and a new start: it goes on, and no object is copied twice', async () => {
    put(40, 1000);
    dest.fault({ kind: 'slow', delayMs: 30 }, { kind: 'PutObject', times: 1000 });
    const watching = watch([...QUICK, '--transfers', '2']);
    await watching.until(() => dest.keys().length >= 10);
    // What was answered is written down within so long.
    watching.kill('SIGKILL');
    await watching.done;
    const there = dest.keys();
    const again = watch(QUICK);
    await again.until(() => dest.keys().length === 40 && again.passes >= 1);
    // Only what had arrived without being noted may be looked at again; it is found equal.
    expect(there.filter((key) => (writes(dest)[key] ?? 0) > 1)).toEqual([]);
    expect((await again.end()).code).toBe(0);
  });

  test('the source cannot be reached for a while: one line of trouble, one when it is well, and it catches up', async () => {
    const { endpoint, region, accessKeyId, secretAccessKey } = lab.east.server.s3;
    const gate = new Gate();
    await gate.open(endpoint);
    closing.push(() => gate.shut());
    const env = {
      XSYNC_CONFIG_GATE_TYPE: 's3',
      XSYNC_CONFIG_GATE_PROVIDER: 'minio',
      XSYNC_CONFIG_GATE_ENDPOINT: gate.endpoint,
      XSYNC_CONFIG_GATE_REGION: region,
      XSYNC_CONFIG_GATE_ACCESS_KEY_ID: accessKeyId,
      XSYNC_CONFIG_GATE_SECRET_ACCESS_KEY: secretAccessKey,
      XSYNC_CONFIG_GATE_FORCE_PATH_STYLE: 'true',
    };
    put(2);
    const watching = watch([...QUICK, '--low-level-retries', '2'], env, [`gate:${source.name}`, dest.at()]);
    await watching.until(() => dest.keys().length === 2);
    await gate.shut();
    await watching.until(() => watching.of('trouble').length === 1);
    put(4);
    await new Promise((resolve) => setTimeout(resolve, 2500));
    await gate.open(endpoint);
    await watching.until(() => dest.keys().length === 4);
    await watching.until(() => watching.of('well').length === 1);
    expect(watching.of('trouble')).toHaveLength(1);
    expect(Math.max(...Object.values(writes(dest)))).toBe(1);
  });

  test('the destination answers 503 for a while: nothing is lost, and nothing is copied twice', async () => {
    put(1);
    const watching = watch([...QUICK, '--low-level-retries', '2', '--retries', '1']);
    await watching.until(() => dest.keys().length === 1);
    const heal = dest.fault({ kind: 'status', status: 503, code: 'ServiceUnavailable' }, { times: 10_000 });
    put(5);
    await watching.until(() => watching.of('failed').length >= 4);
    heal();
    await watching.until(() => dest.keys().length === 5);
    expect((await watching.end()).code).toBe(0);
  });

  test('the credentials expire: it says so once, waits, and goes on with what is renewed', async () => {
    put(1);
    const watching = watch(QUICK);
    await watching.until(() => dest.keys().length === 1);
    const renew = source.fault({ kind: 'expired-credentials' }, { times: 10_000 });
    await watching.until(() => watching.of('trouble').length === 1);
    put(2);
    await new Promise((resolve) => setTimeout(resolve, 1500));
    renew();
    await watching.until(() => watching.of('well').length === 1);
    expect(watching.of('trouble')).toMatchObject([{ code: 'expired-credentials' }]);
    await watching.until(() => dest.keys().length === 2);
  });

  test('the disk is full for a while: it says so once, waits for room, and no file is torn', async () => {
    const root = lab.path('disk');
    await mkdir(root);
    const disk = smallDisk(root);
    closing.push(() => disk.remove());
    put(15, 100_000);
    const watching = watch([...QUICK, '--transfers', '2'], disk.env, [source.at(), root]);
    await watching.until(() => watching.of('trouble').some(({ code }) => code === 'disk-full'));
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect(watching.of('trouble').filter(({ code }) => code === 'disk-full')).toHaveLength(1);
    if (disk.env.NODE_OPTIONS !== undefined) return;
    disk.grow();
    await watching.until(() => watching.of('well').length === 1);
    expect((await watching.end()).code).toBe(0);
    const copied = await lab.run(['check', source.at(), root]);
    expect(copied.code, copied.stderr).toBe(0);
  });
});

describe('change events', () => {
  const record = (eventName: string, key: string, sequencer: number) => ({
    eventVersion: '2.1',
    eventSource: 'aws:s3',
    awsRegion: 'us-east-1',
    eventTime: new Date().toISOString(),
    eventName,
    s3: {
      s3SchemaVersion: '1.0',
      bucket: { name: source.name, arn: `arn:aws:s3:::${source.name}` },
      object: { key: encodeURIComponent(key), sequencer: sequencer.toString(16).padStart(16, '0') },
    },
  });

  test('by HTTP: an object crosses at once although the next look is in ten minutes', async () => {
    const watching = watch([...SLOW, '--events', ':0/events'], { XSYNC_EVENTS_SECRET: SECRET });
    await watching.until(() => watching.of('waiting').length === 1);
    const [, url = ''] = /(http:\/\/127\.0\.0\.1:\d+\/events)/.exec(watching.stdout) ?? [];
    source.put('by event', 'hello');
    const body = JSON.stringify({ Records: [record('ObjectCreated:Put', 'by event', 1)] });
    const refused = await fetch(url, { method: 'POST', body });
    const taken = await fetch(url, { method: 'POST', body, headers: { authorization: `Bearer ${SECRET}` } });
    expect([refused.status, taken.status]).toEqual([401, 200]);
    await watching.until(() => dest.keys().length === 1);
    expect(watching.says(SECRET)).toBe(false);
    expect((await watching.end()).code).toBe(0);
  });

  test('without --delete none is an order to delete; on standard input a line is a key', async () => {
    put(2);
    const watching = watch([...SLOW, '--events', '-']);
    await watching.until(() => watching.of('waiting').length === 1);
    source.remote.store.delete(source.name, 'k000');
    source.put('new', 'new');
    const gone = JSON.stringify({ Records: [record('ObjectRemoved:Delete', 'k000', 2)] });
    watching.child.stdin?.write(`${gone}\nnew\n`);
    await watching.until(() => dest.keys().includes('new'));
    expect(dest.keys()).toEqual(['k000', 'k001', 'new']);
    watching.child.stdin?.end();
    await watching.until(() => watching.says('no more change events'));
    expect((await watching.end()).code).toBe(0);
  });

  test('with --delete what is gone is deleted long before the next look, what stands at the source is not', async () => {
    put(3);
    const watching = watch([...SLOW, '--delete', '--events', '-']);
    await watching.until(() => watching.of('waiting').length === 1);
    source.remote.store.delete(source.name, 'k000');
    for (const key of ['k000', 'k001']) {
      watching.child.stdin?.write(`${JSON.stringify({ Records: [record('ObjectRemoved:Delete', key, 3)] })}\n`);
    }
    await watching.until(() => dest.keys().length === 2);
    expect(dest.keys()).toEqual(['k001', 'k002']);
  });

  test('a bucket that is emptied by mistake: a thousand deletes are believed, the rest waits, and it says so once', async () => {
    const keys = Array.from({ length: 1300 }, (_, n) => `k${n}`);
    for (const key of keys) source.put(key, key);
    const watching = watch([...SLOW, '--delete', '--events', '-', '--transfers', '32']);
    await watching.until(() => watching.of('waiting').length === 1);
    for (const key of keys) source.remote.store.delete(source.name, key);
    watching.child.stdin?.write(`${keys.join('\n')}\n`);
    await watching.until(() => watching.says('more deletes than are allowed'));
    watching.child.stdin?.write('k0\nk1299\n');
    await new Promise((resolve) => setTimeout(resolve, 1000));
    expect(dest.keys().length).toBeGreaterThanOrEqual(300);
    expect(watching.stdout.split('more deletes than are allowed')).toHaveLength(2);
  });
});

describe('as a service', () => {
  test('tells the service manager that it is ready, alive, reading its configuration again, and ending', async () => {
    const socket = lab.path('notify');
    const manager = await receiver(socket);
    put(3);
    const watching = watch([...SLOW], { NOTIFY_SOCKET: socket, WATCHDOG_USEC: '300000' });
    await watching.until(() => manager.heard.includes('READY=1'));
    await watching.until(() => manager.heard.filter((line) => line === 'WATCHDOG=1').length >= 3);
    await watching.until(() => manager.heard.some((line) => /^STATUS=next pass at .*; 3 objects, 300 B/.test(line)));
    manager.heard.length = 0;
    const now = (): number => Number(process.hrtime.bigint() / 1000n);
    const before = now();
    watching.kill('SIGHUP');
    await watching.until(() => manager.heard.includes('READY=1'));
    const [reloading = ''] = manager.heard.filter((line) => line.startsWith('RELOADING'));
    const [, microseconds = ''] = /^RELOADING=1\nMONOTONIC_USEC=(\d+)$/.exec(reloading) ?? [];
    expect(Number(microseconds)).toBeGreaterThanOrEqual(before);
    expect(Number(microseconds)).toBeLessThanOrEqual(now());
    expect((await watching.end()).code).toBe(0);
    expect(manager.heard.some((line) => line.startsWith('STOPPING=1'))).toBe(true);
    expect(watching.stderr).toBe('');
  });

  test('hears no word of life from a pass that hangs, although the program turns', async () => {
    const socket = lab.path('notify');
    const manager = await receiver(socket);
    put(3);
    dest.fault({ kind: 'stall', at: 'before' }, { kind: 'PutObject', times: 100 });
    const watching = watch([...SLOW], { NOTIFY_SOCKET: socket, WATCHDOG_USEC: '300000' });
    await watching.until(() => dest.requests('PutObject').length > 0 && manager.heard.includes('WATCHDOG=1'));
    // What was sent before may arrive late.
    let heard = manager.heard.length;
    let quietSinceMs = performance.now();
    await watching.until(() => {
      if (manager.heard.length !== heard) quietSinceMs = performance.now();
      heard = manager.heard.length;
      return performance.now() - quietSinceMs > 1500;
    });
  });

  test('an abstract socket is told too; one that nobody reads is complained of once at -v and does no harm', async () => {
    const name = `@xsync-test-${process.pid}`;
    const manager = await receiver(name);
    put(1);
    const [told, untold] = [
      watch([...SLOW], { NOTIFY_SOCKET: name }),
      watch([...SLOW], { NOTIFY_SOCKET: '/nobody/reads/this' }, [source.at(), lab.shanghai.bucket().at()]),
    ];
    await told.until(() => manager.heard.includes('READY=1'));
    await untold.until(() => untold.of('waiting').length === 1);
    expect(untold.stdout.split('cannot report to the service manager')).toHaveLength(2);
    expect((await untold.end()).code).toBe(0);
  });

  const alone = canBeFirst();
  test.skipIf(!alone)(
    `as the first process of a container (${alone ? 'unshare' : 'unshare is not allowed here'}): signals work, and no child stays behind`,
    async () => {
      put(3);
      const env = { ...lab.env, NOTIFY_SOCKET: '/nobody/reads/this' };
      const before = ['unshare', '--pid', '--fork', '--mount-proc', '--kill-child=SIGKILL'];
      const first = new Watching([source.at(), dest.at(), ...QUICK], env, before);
      running.add(first);
      await first.until(() => first.passes >= 1);
      const pid = childOf(first.child.pid ?? 0);
      expect(zombiesBelow(pid)).toEqual([]);
      process.kill(pid, 'SIGHUP');
      await first.until(() => first.says('the configuration was read again'));
      process.kill(pid, 'SIGTERM');
      expect(await first.done).toEqual({ code: 0, signal: null });
      expect(first.says('ended; everything in flight')).toBe(true);
    },
  );
});

/** Receives datagrams as a service manager does, in Python: Node has no such sockets. */
async function receiver(name: string): Promise<{ heard: string[] }> {
  const script = [
    'import json, socket, sys',
    's = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)',
    's.bind(sys.argv[1].replace("@", "\\0", 1) if sys.argv[1].startswith("@") else sys.argv[1])',
    'print(json.dumps("bound"), flush=True)',
    'while True: print(json.dumps(s.recv(4096).decode()), flush=True)',
  ].join('\n');
  const child = spawn('python3', ['-c', script, name], { stdio: ['ignore', 'pipe', 'inherit'] });
  closing.push(() => child.kill('SIGKILL'));
  const heard: string[] = [];
  const lines = createInterface(child.stdout);
  await new Promise((resolve) => lines.once('line', resolve));
  lines.on('line', (line) => heard.push(JSON.parse(line) as string));
  return { heard };
}

/** Whether this host lets us start the first process of a PID namespace. */
function canBeFirst(): boolean {
  return spawnSync('unshare', ['--pid', '--fork', '--mount-proc', 'true']).status === 0;
}

function childOf(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim());
}

function zombiesBelow(pid: number): string[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean);
  return children.filter((child) => /^State:\s+Z/m.test(readFileSync(`/proc/${child}/status`, 'utf8')));
}
