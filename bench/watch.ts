/**
 * Measures a watch under a steady stream of changes: the delay of changes, duplicate copies, and memory growth.
 * `npx tsx bench/watch.ts --minutes 10 [--events]`
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startServer } from '../test/support/server/index.js';
import { optionsFrom } from './arguments.js';
import { Changes } from './watch/changes.js';
import { remotesOf } from './watch/remotes.js';
import { listen } from './watch/told.js';

const values = optionsFrom(import.meta.url, {
  options: {
    minutes: { type: 'string', default: '10' },
    rate: { type: 'string', default: '50' },
    interval: { type: 'string' },
    events: { type: 'boolean', default: false },
    /** The folder of bin/xsync.js and dist. Use a copy if a build may run at the same time. */
    program: { type: 'string', default: join(import.meta.dirname, '..') },
  },
});
const SECRET = 'a secret for the bench only';
const SEEDED = 2000;
/** Time for pending changes at the end. */
const SETTLE_MS = 30_000;

const program = join(values.program, 'bin/xsync.js');
const folder = mkdtempSync(join(tmpdir(), 'xsync-watch-'));
const env = { ...process.env, HOME: folder, XDG_STATE_HOME: folder, XSYNC_EVENTS_SECRET: SECRET };
const server = await startServer({ oss: { pathStyle: true } });
let watch: ChildProcess | undefined;
try {
  const changes = new Changes(server, SEEDED);
  const config = join(folder, 'config.yaml');
  writeFileSync(config, remotesOf(server), { mode: 0o600 });
  const interval = values.interval ?? (values.events ? '10m' : '5s');
  const events = values.events ? ['--events', ':0/events'] : [];
  const pair = ['east:source', 'shanghai:dest'];
  const common = ['--config', config];
  const args = ['watch', ...pair, ...common, '--delete', '--interval', interval, ...events, '-v', '--json'];
  watch = spawn(process.execPath, [program, ...args], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const told = listen(watch);
  await told.until('"waiting"');
  if (values.events) changes.tell(/http:\/\/127\.0\.0\.1:\d+\/events/.exec(told.text)?.[0] ?? '', SECRET);
  changes.measureFromNow();

  const pid = watch.pid ?? 0;
  const started = performance.now();
  const rates: number[] = [];
  const minutes = Number(values.minutes);
  for (let next = 0; next < minutes * 60 * Number(values.rate); next++) {
    const due = started + (1000 * next) / Number(values.rate);
    if (due > performance.now()) await sleep(due - performance.now());
    changes.make();
    changes.look();
    const minute = Math.floor((performance.now() - started) / 60_000);
    if (minute > rates.length) {
      rates.push(memoryOf(pid));
      console.log(`minute ${minute}: ${rates.at(-1)} MiB; ${changes.text()}`);
    }
  }
  for (const end = performance.now() + SETTLE_MS; changes.different > 0 && performance.now() < end; ) {
    await sleep(20);
    changes.look();
  }
  console.log(
    `at the end: ${memoryOf(pid)} MiB, ${cpuOf(pid)} CPU s; ${changes.text()}; ${changes.different} keys differ`,
  );
  console.log(`xsync status: ${JSON.stringify(statusOf(pair, common))}`);
  const list = server.requests.counts();
  console.log(`requests since the driver's last check: ${JSON.stringify(list)}`);
} finally {
  watch?.kill('SIGTERM');
  if (watch) await new Promise((resolve) => watch?.once('close', resolve));
  await server.close();
  rmSync(folder, { recursive: true, force: true });
}

function memoryOf(pid: number): number {
  const [, kib = '0'] = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Math.round(Number(kib) / 1024);
}

/** utime and stime of proc(5), in hundredths of a second. */
function cpuOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

function statusOf(pair: readonly string[], common: readonly string[]): unknown {
  const text = execFileSync(process.execPath, [program, 'status', ...pair, ...common, '--json'], { env });
  const { lag, synchronised } = JSON.parse(text.toString()) as Record<string, unknown>;
  return { lag, synchronised };
}
