/**
 * Measures a bridge on loopback: tickets a second through both ends, and the delay from an event to the object in place.
 * `npx tsx bench/bridge.ts --objects 5000 --events 500 --rate 50`; `--callback`: outcomes are told. `npm run build` first.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startServer } from '../test/support/server/index.js';
import { optionsFrom } from './arguments.js';
import { remotesOf } from './watch/remotes.js';

const values = optionsFrom(import.meta.url, {
  options: {
    /** Of the history. */
    objects: { type: 'string', default: '5000' },
    events: { type: 'string', default: '500' },
    /** Events per second. */
    rate: { type: 'string', default: '50' },
    /** Bytes of each object. */
    size: { type: 'string', default: '1024' },
    callback: { type: 'boolean', default: false },
    /** The folder of bin/xsync.js and dist. */
    program: { type: 'string', default: join(import.meta.dirname, '..') },
  },
});
const SECRET = randomBytes(32).toString('hex');
const BUCKET = 'bridged';

const folder = mkdtempSync(join(tmpdir(), 'xsync-bridge-'));
const server = await startServer({ oss: { pathStyle: true } });
const { s3, oss } = server.core;
const ends: ChildProcess[] = [];
try {
  for (const side of [s3, oss]) side.createBucket(BUCKET);
  const config = join(folder, 'config.yaml');
  writeFileSync(config, remotesOf(server), { mode: 0o600 });
  const bytes = randomBytes(Number(values.size));
  const objects = Number(values.objects);
  for (let n = 0; n < objects; n++) s3.put(BUCKET, `history/${n}`, bytes, {});

  const trust = ['--allow-private', '127.0.0.1', '--allow-callback', '127.0.0.1'];
  const pull = start('pull', `shanghai:${BUCKET}`, '--listen', ':0', ...trust, '--config', config);
  const url = await pull.found(/receiving tickets at (\S+?),/);
  const port = await freePort();
  const told = values.callback ? ['--listen', `:${port}`, '--callback', `http://127.0.0.1:${port}`] : [];
  const started = performance.now();
  const listed = ['--backfill', '--interval', 'off', '--events', ':0/events', '--config', config];
  const push = start('push', `east:${BUCKET}`, url, ...listed, ...told);
  const address = await push.found(/receiving events at (\S+)/);
  while (oss.list(BUCKET).length < objects) await sleep(20);
  const seconds = (performance.now() - started) / 1000;
  console.log(`${objects} objects of history in ${seconds.toFixed(1)} s: ${Math.round(objects / seconds)} tickets/s`);

  const delays = await Promise.all(Array.from({ length: Number(values.events) }, (_, n) => event(n, address, bytes)));
  delays.sort((a, b) => a - b);
  const at = (share: number): string => `${Math.round(delays[Math.floor(share * (delays.length - 1))] ?? 0)} ms`;
  console.log(
    `${delays.length} events at ${values.rate}/s: p50 ${at(0.5)}, p99 ${at(0.99)} from event to object in place`,
  );
} finally {
  for (const end of ends) end.kill('SIGKILL');
  await server.close();
  rmSync(folder, { recursive: true, force: true });
}

function start(...args: string[]): { found(pattern: RegExp): Promise<string> } {
  const home = join(folder, args[0] ?? '');
  mkdirSync(home, { recursive: true });
  const secrets = { XSYNC_BRIDGE_SECRET: SECRET, XSYNC_EVENTS_SECRET: SECRET };
  const env = { ...process.env, HOME: home, XDG_STATE_HOME: home, ...secrets };
  const end = spawn(process.execPath, [join(values.program, 'bin/xsync.js'), 'bridge', ...args], {
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  ends.push(end);
  let text = '';
  end.stderr.setEncoding('utf8').on('data', (more: string) => {
    text += more;
  });
  return {
    async found(pattern) {
      for (;;) {
        const found = pattern.exec(text)?.[1];
        if (found !== undefined) return found;
        if (end.exitCode !== null) throw new Error(text);
        await sleep(20);
      }
    },
  };
}

/** Puts an object when its time has come, and tells push. @returns ms from the event to the object at the destination */
async function event(n: number, address: string, bytes: Buffer): Promise<number> {
  await sleep((1000 * n) / Number(values.rate));
  const key = `new/${n}`;
  s3.put(BUCKET, key, bytes, {});
  const record = { eventName: 'ObjectCreated:Put', eventTime: new Date().toISOString() };
  const body = JSON.stringify({ Records: [{ ...record, s3: { bucket: { name: BUCKET }, object: { key } } }] });
  const began = performance.now();
  const answer = await fetch(address, { method: 'POST', headers: { authorization: `Bearer ${SECRET}` }, body });
  if (answer.status !== 200) throw new Error(`push answers ${answer.status}: ${await answer.text()}`);
  while (!oss.get(BUCKET, key)) await sleep(2);
  return performance.now() - began;
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  return typeof address === 'object' && address ? address.port : 0;
}
