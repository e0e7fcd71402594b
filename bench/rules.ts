/**
 * Measures `serve` with many rules: how long changes take to arrive with all destinations well, and with one that fails
 * and one that is slow; and how often each source is listed.
 * `npx tsx bench/rules.ts --rules 100 --sources 5 --seconds 600`; a smoke run: `--rules 20 --seconds 15`
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startServer, type TestServer } from '../test/support/server/index.js';
import { optionsFrom } from './arguments.js';
import { remotesOf } from './watch/remotes.js';

const values = optionsFrom(import.meta.url, {
  options: {
    rules: { type: 'string', default: '100' },
    sources: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '600' },
    interval: { type: 'string', default: '10s' },
    /** Changes per second over all sources. */
    rate: { type: 'string', default: '5' },
    /** The folder of bin/xsync.js and dist. */
    program: { type: 'string', default: join(import.meta.dirname, '..') },
  },
});
const [RULES, SOURCES, SECONDS, RATE] = [values.rules, values.sources, values.seconds, values.rate].map(Number) as [
  number,
  number,
  number,
  number,
];
/** Before the answer of the slow destination. */
const SLOW_MS = 20_000;
const LOOK_MS = 100;

for (const hurt of [false, true]) {
  const server = await startServer({ oss: { pathStyle: true } });
  const folder = mkdtempSync(join(tmpdir(), 'xsync-rules-'));
  try {
    console.log(await measured(server, folder, hurt));
  } finally {
    await server.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** One line about a run. @param hurt the first destination fails, and the second one is slow */
async function measured(server: TestServer, folder: string, hurt: boolean): Promise<string> {
  const { core } = server;
  const sources = Array.from({ length: SOURCES }, (_, index) => `source-${index}`);
  const dests = Array.from({ length: RULES }, (_, index) => `dest-${index}`);
  for (const bucket of [...sources, ...dests]) core[sources.includes(bucket) ? 's3' : 'oss'].createBucket(bucket);
  if (hurt) {
    server.faults.add({ match: { bucket: 'dest-0' }, fault: { kind: 'status', status: 503, code: 'SlowDown' } });
    server.faults.add({ match: { bucket: 'dest-1' }, fault: { kind: 'slow', delayMs: SLOW_MS } });
  }
  const config = join(folder, 'config.yaml');
  writeFileSync(config, remotesOf(server), { mode: 0o600 });
  const rules = dests.map((dest, index) => {
    const source = `east:${sources[index % SOURCES]}/`;
    const { interval } = values;
    // Always the same, so that listings can be counted.
    const times = { interval, minInterval: interval, maxInterval: interval };
    return [`rule-${index}`, { source, destination: `shanghai:${dest}/`, ...times }] as const;
  });
  writeFileSync(join(folder, 'rules.yaml'), JSON.stringify({ rules: Object.fromEntries(rules) }));
  const child = serve(folder, config);
  await sleep(5000);
  server.requests.reset();
  const beganMs = performance.now();
  const lags = await change(server, sources, dests.slice(2));
  const lists = sources.map((bucket) => server.requests.find('ListObjects', { bucket }).length);
  const reads = sources.reduce((sum, bucket) => sum + server.requests.find('GetObject', { bucket }).length, 0);
  const seconds = Math.round((performance.now() - beganMs) / 1000);
  const memory = memoryOf(child.pid ?? 0);
  const ended = once(child, 'close');
  child.kill('SIGTERM');
  await ended;
  const sorted = lags.sort((a, b) => a - b);
  const at = (share: number): string =>
    `${Math.round(sorted[Math.floor(share * (sorted.length - 1))] ?? Number.NaN)} ms`;
  return (
    `${hurt ? 'one fails, one is slow' : 'all are well'}: lag of the others p50 ${at(0.5)}, p99 ${at(0.99)}, ` +
    `max ${at(1)} (${sorted.length} arrivals); lists per source ${lists.join(', ')} in ${seconds} s; ` +
    `${reads} reads of ${sorted.length} copies; ${memory} MiB`
  );
}

function serve(folder: string, config: string): ChildProcess {
  const env = { ...process.env, HOME: folder, XDG_STATE_HOME: folder };
  const args = ['serve', '--rules', join(folder, 'rules.yaml'), '--config', config, '--quiet'];
  return spawn(process.execPath, [join(values.program, 'bin/xsync.js'), ...args], { env, stdio: 'ignore' });
}

/** Writes to the sources, and looks how long it takes to reach each destination, in ms. */
async function change(server: TestServer, sources: readonly string[], dests: readonly string[]): Promise<number[]> {
  const { core } = server;
  const lags: number[] = [];
  const waiting = new Map<string, { dest: string; key: string; atMs: number }>();
  const until = performance.now() + SECONDS * 1000;
  let written = 0;
  for (let nextMs = performance.now(); performance.now() < until || waiting.size > 0; await sleep(LOOK_MS)) {
    if (performance.now() > until + 60_000) break;
    for (; nextMs < performance.now() && nextMs < until; nextMs += 1000 / RATE) {
      const index = written++ % sources.length;
      const key = `key-${written}`;
      core.s3.put(sources[index] ?? '', key, Buffer.alloc(1000));
      for (const dest of dests) {
        if (Number(dest.slice(5)) % sources.length !== index) continue;
        waiting.set(`${dest} ${key}`, { dest, key, atMs: performance.now() });
      }
    }
    for (const [id, { dest, key, atMs }] of waiting) {
      if (!core.oss.get(dest, key)) continue;
      lags.push(performance.now() - atMs);
      waiting.delete(id);
    }
  }
  return lags;
}

function memoryOf(pid: number): number {
  const [, kib = '0'] = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Math.round(Number(kib) / 1024);
}
