/**
 * Measures a bridge: tickets a second through both ends, and the delay from an event to the object in place.
 * `npx tsx bench/bridge.ts --objects 5000 --events 500 --rate 50`; `--callback`: outcomes are told. `npm run build` first.
 * On loopback; with `--line A` over an emulated long line (bench/wan/cases.ts), which needs what `--wan` needs.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Namespace } from '../test/support/server/core.js';
import { startServer } from '../test/support/server/index.js';
import { optionsFrom, refuse } from './arguments.js';
import { type FarStore, startFar } from './bridge/far.js';
import { LINES } from './wan/cases.js';
import { HERE, Lab, THERE } from './wan/lab.js';
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
    /** One of the lines of --wan. */
    line: { type: 'string' },
    /** Set by --line for the process at the near end: the far end's network namespace. */
    namespace: { type: 'string' },
  },
});
const SECRET = randomBytes(32).toString('hex');
const BUCKET = 'bridged';
const folder = mkdtempSync(join(tmpdir(), 'xsync-bridge-'));
const ends: ChildProcess[] = [];
try {
  if (values.line !== undefined) await overLine(values.line);
  else if (values.namespace !== undefined) await measure(HERE, THERE, ['ip', 'netns', 'exec', values.namespace]);
  else await measure('127.0.0.1', '127.0.0.1', []);
} finally {
  for (const end of ends) end.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
}

/** Runs this program at the near end of a line. */
async function overLine(name: string): Promise<void> {
  const line = Object.entries(LINES).find(([known]) => known === name)?.[1];
  if (!line) return refuse(import.meta.url, `no line ${name}; there are ${Object.keys(LINES).join(', ')}`);
  const lab = new Lab();
  try {
    await lab.open('cubic');
    lab.set(line);
    const { objects, events, rate, size, program, callback } = values;
    const same = Object.entries({ objects, events, rate, size, program, namespace: lab.farName });
    const args = same.flatMap(([option, value]) => [`--${option}`, value]);
    if (callback) args.push('--callback');
    const self = lab.near([process.execPath, ...process.execArgv, import.meta.filename, ...args]);
    const [code] = await once(spawn(self[0], self.slice(1), { stdio: 'inherit' }), 'exit');
    process.exitCode = code;
  } finally {
    await lab.close();
  }
}

/** @param prefix the command that starts a program at the far end */
async function measure(here: string, there: string, prefix: readonly string[]): Promise<void> {
  const server = await startServer({ host: here });
  const far = await startFar(BUCKET, prefix);
  ends.push(far.process);
  const { s3 } = server.core;
  s3.createBucket(BUCKET);
  const config = join(folder, 'config.yaml');
  writeFileSync(config, remotesOf({ s3: server.s3, oss: far.oss }), { mode: 0o600 });
  const bytes = randomBytes(Number(values.size));
  const objects = Number(values.objects);
  for (let n = 0; n < objects; n++) s3.put(BUCKET, `history/${n}`, bytes, {});

  const trust = ['--allow-private', here, '--allow-private', '127.0.0.1', '--allow-callback', here];
  const pull = start(prefix, 'pull', `shanghai:${BUCKET}`, '--listen', `${there}:0`, ...trust, '--config', config);
  const url = await pull.found(/receiving tickets at (\S+?),/);
  const port = await freePort(here);
  const told = values.callback ? ['--listen', `${here}:${port}`, '--callback', `http://${here}:${port}`] : [];
  const started = performance.now();
  const listed = ['--backfill', '--interval', 'off', '--events', ':0/events', '--config', config];
  const push = start([], 'push', `east:${BUCKET}`, url, ...listed, ...told);
  const address = await push.found(/receiving events at (\S+)/);
  await far.arrived(objects);
  const seconds = (performance.now() - started) / 1000;
  console.log(`${objects} objects of history in ${seconds.toFixed(1)} s: ${Math.round(objects / seconds)} tickets/s`);

  const events = Array.from({ length: Number(values.events) }, (_, n) => event(n, { s3, far, address, bytes }));
  const delays = (await Promise.all(events)).sort((a, b) => a - b);
  const at = (share: number): string => `${Math.round(delays[Math.floor(share * (delays.length - 1))] ?? 0)} ms`;
  console.log(
    `${delays.length} events at ${values.rate}/s: p50 ${at(0.5)}, p99 ${at(0.99)} from event to object in place`,
  );
  await server.close();
}

function start(prefix: readonly string[], ...args: string[]): { found(pattern: RegExp): Promise<string> } {
  const home = join(folder, args[0] ?? '');
  mkdirSync(home, { recursive: true });
  const secrets = { XSYNC_BRIDGE_SECRET: SECRET, XSYNC_EVENTS_SECRET: SECRET };
  const env = { ...process.env, HOME: home, XDG_STATE_HOME: home, ...secrets };
  const command = [...prefix, process.execPath, join(values.program, 'bin/xsync.js'), 'bridge', ...args];
  const [program = '', ...rest] = command;
  const end = spawn(program, rest, { env, stdio: ['ignore', 'ignore', 'pipe'] });
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

interface Measured {
  s3: Namespace;
  far: FarStore;
  /** Of push, for events. */
  address: string;
  bytes: Buffer;
}

/** Puts an object when its time has come, and tells push. @returns ms from the event to the object at the destination */
async function event(n: number, { s3, far, address, bytes }: Measured): Promise<number> {
  await sleep((1000 * n) / Number(values.rate));
  const key = `new/${n}`;
  s3.put(BUCKET, key, bytes, {});
  const record = { eventName: 'ObjectCreated:Put', eventTime: new Date().toISOString() };
  const body = JSON.stringify({ Records: [{ ...record, s3: { bucket: { name: BUCKET }, object: { key } } }] });
  const arrived = far.arrived(key);
  const began = performance.now();
  const answer = await fetch(address, { method: 'POST', headers: { authorization: `Bearer ${SECRET}` }, body });
  if (answer.status !== 200) throw new Error(`push answers ${answer.status}: ${await answer.text()}`);
  await arrived;
  return performance.now() - began;
}

async function freePort(host: string): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, host, resolve));
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  return typeof address === 'object' && address ? address.port : 0;
}
