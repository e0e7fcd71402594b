/**
 * Compares one worker with several on a queue (docs/cluster.md), against the stub with 20 ms an answer. Needs redis-server.
 * Few transfers a worker: what limits is the latency, not the cores of this machine.
 * `npx tsx bench/cluster.ts --objects 50000 --large 4 --size 1024`
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RedisServer } from '../test/support/redis.js';
import { optionsFrom } from './arguments.js';
import { startStub } from './stub.js';

const values = optionsFrom(import.meta.url, {
  options: {
    workers: { type: 'string', default: '8' },
    /** Objects of 20 KiB. */
    objects: { type: 'string', default: '4000' },
    large: { type: 'string', default: '4' },
    /** Of each large object, MiB. */
    size: { type: 'string', default: '256' },
    delay: { type: 'string', default: '20' },
    transfers: { type: 'string', default: '4' },
    /** The folder of bin/xsync.js and dist. */
    program: { type: 'string', default: join(import.meta.dirname, '..') },
  },
});

interface Measured {
  /** Requests in flight at the stub, on average over the looks that found some. */
  held: number;
  most: number;
  elapsedMs: number;
  copied: { objects: number; bytes: number };
  failed: { objects: number };
}

/** How often the requests in flight are counted. */
const LOOK_MS = 100;
const folder = mkdtempSync(join(tmpdir(), 'xsync-cluster-'));
const [stub, redis] = await Promise.all([startStub(Number(values.delay)), RedisServer.start()]);
const program = join(values.program, 'bin/xsync.js');
const env = { ...process.env, HOME: folder, XDG_STATE_HOME: folder, XSYNC_QUEUE: redis.url };
const config = join(folder, 'config.yaml');
const remote = (endpoint: string) => ({
  ...{ type: 's3', provider: 'minio', endpoint, region: 'us-east-1', force_path_style: true },
  ...{ access_key_id: 'bench', secret_access_key: 'bench' },
});
writeFileSync(config, JSON.stringify({ remotes: { from: remote(stub.source), to: remote(stub.destination) } }), {
  mode: 0o600,
});
const cases = {
  small: `from:small-${values.objects}-20480-flat`,
  large: `from:large-${values.large}-${Number(values.size) * 2 ** 20}-flat`,
};

try {
  const one = await measure(1);
  const many = await measure(Number(values.workers));
  for (const name of ['small', 'large'] as const) {
    const [a, b] = [one[name], many[name]];
    const times = (a.elapsedMs / b.elapsedMs).toFixed(2);
    const what = `${a.copied.objects} objects, ${Math.round(a.copied.bytes / 2 ** 20)} MiB`;
    console.log(`${name}: ${what}: 1 worker ${figures(a)}, ${values.workers} workers ${figures(b)}: ${times} times`);
  }
} finally {
  await stub.stop();
  await redis.close();
  rmSync(folder, { recursive: true, force: true });
}

function figures({ elapsedMs, held, most }: Measured): string {
  return `${(elapsedMs / 1000).toFixed(1)} s (${held.toFixed(1)} requests in flight, at most ${most})`;
}

async function measure(count: number): Promise<Record<keyof typeof cases, Measured>> {
  const workers = await Promise.all(Array.from({ length: count }, (_, n) => startWorker(`w${n}`)));
  try {
    return { small: await copy(cases.small, count), large: await copy(cases.large, count) };
  } finally {
    for (const worker of workers) {
      const ended = once(worker, 'exit');
      worker.kill('SIGTERM');
      await ended;
    }
  }
}

async function startWorker(name: string): Promise<ChildProcess> {
  const shape = ['--transfers', values.transfers, '--part-concurrency', '1'];
  const args = ['worker', '--name', name, '--config', config, ...shape];
  const child = spawn(process.execPath, [program, ...args], { env, stdio: ['ignore', 'inherit', 'pipe'] });
  await new Promise<void>((resolve) => {
    child.stderr.on('data', (text: Buffer) => text.includes('takes jobs') && resolve());
  });
  return child;
}

async function copy(source: string, count: number): Promise<Measured> {
  const args = ['copy', source, `to:copied${count}-0-0-flat`, '--config', config, '--json'];
  const child = spawn(process.execPath, [program, ...args], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (more: string) => {
    text += more;
  });
  const held: number[] = [];
  const look = setInterval(() => void stub.counters().then((counters) => held.push(counters.held ?? 0)), LOOK_MS);
  await once(child, 'close');
  clearInterval(look);
  const busy = held.filter((count) => count > 0);
  const end = text.split('\n').find((line) => line.includes('"event":"end"'));
  if (end === undefined) throw new Error(`the copy ended with ${child.exitCode}`);
  const mean = busy.reduce((sum, count) => sum + count, 0) / Math.max(1, busy.length);
  const summary: Measured = { ...(JSON.parse(end) as Measured), held: mean, most: Math.max(...held) };
  if (summary.failed.objects > 0) throw new Error(`objects failed: ${end}`);
  return summary;
}
