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
  elapsedMs: number;
  copied: { objects: number; bytes: number };
  failed: { objects: number };
}

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
    console.log(`${name}: ${what}: 1 worker ${seconds(a)}, ${values.workers} workers ${seconds(b)}: ${times} times`);
  }
} finally {
  await stub.stop();
  await redis.close();
  rmSync(folder, { recursive: true, force: true });
}

function seconds({ elapsedMs }: Measured): string {
  return `${(elapsedMs / 1000).toFixed(1)} s`;
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
  await once(child, 'close');
  const end = text.split('\n').find((line) => line.includes('"event":"end"'));
  if (end === undefined) throw new Error(`the copy ended with ${child.exitCode}`);
  const summary = JSON.parse(end) as Measured;
  if (summary.failed.objects > 0) throw new Error(`objects failed: ${end}`);
  return summary;
}
