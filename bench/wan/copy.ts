/** Runs one copy over an emulated line with the built program, and samples it every second. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, ftruncateSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { LINES, type WanCase } from './cases.js';
import { Lab } from './lab.js';
import { type Second, type Shares, sharesOf } from './score.js';

const XSYNC = join(import.meta.dirname, '..', '..', 'bin', 'xsync.js');
const REMOTE = 'type: s3, provider: minio, region: us-east-1, access_key_id: bench, secret_access_key: test-secret';
/** A longer run is considered hung. */
const LONGEST_MS = 20 * 60_000;

export interface WanRun {
  wallS: number;
  shares: Shares;
  /** Parts and bytes that races sent in vain. */
  waste: { parts: number; bytes: number };
  retries: number;
  /** The tuner's messages, newest last. */
  tuned: string[];
  /** Packets that the line lost, and packets that its full queue dropped. */
  lost: number;
  queueFull: number;
  /** Maximum delay of a packet's delivery. Above 20 ms the machine was too busy. */
  lateMs: number;
  /** Payload and headers in Mbit/s, for each second. */
  mbit: number[];
}

/** @throws Error: when xsync failed or did not do the work */
export async function copyOver(bench: WanCase): Promise<WanRun> {
  const folder = mkdtempSync(join(tmpdir(), 'xsync-wan-'));
  const lab = new Lab();
  // Ctrl-C ends the measured program, and the cleanup follows.
  const stopped = new AbortController();
  const stop = (): void => stopped.abort();
  process.on('SIGINT', stop).on('SIGTERM', stop);
  try {
    if (bench.way === 'up') fill(join(folder, 'data'), bench);
    await lab.open(bench.congestion);
    const remotes = Object.entries({ far: lab.endpoint, near: lab.nearEndpoint });
    const lines = remotes.map(([name, endpoint]) => `  ${name}: {${REMOTE}, endpoint: "${endpoint}"}\n`);
    writeFileSync(join(folder, 'xsync.yaml'), `remotes:\n${lines.join('')}`, { mode: 0o600 });
    return await watched(lab, bench, folder, stopped.signal);
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop);
    await lab.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Writes sparse files. Nothing compresses the data, so zeros suffice. */
function fill(folder: string, { objects, size }: WanCase): void {
  mkdirSync(folder);
  for (let i = 0; i < objects; i++) {
    const file = openSync(join(folder, String(i).padStart(6, '0')), 'w');
    ftruncateSync(file, size);
    closeSync(file);
  }
}

/** The source, the destination, and the way of the bytes on the line. */
function placesOf({ way, objects, size }: WanCase): { from: string; to: string; counted: 'up' | 'down' } {
  const full = `src-${objects}-${size}-flat`;
  switch (way) {
    case 'up':
      return { from: 'data', to: 'far:dst-0-0-flat', counted: 'up' };
    case 'down':
      return { from: `far:${full}`, to: 'out', counted: 'down' };
    case 'between':
      return { from: `near:${full}`, to: 'far:dst-0-0-flat', counted: 'up' };
  }
}

async function watched(lab: Lab, bench: WanCase, folder: string, signal: AbortSignal): Promise<WanRun> {
  const { stalls, dip } = bench;
  lab.set({ ...LINES[bench.line], stall_every_s: stalls?.everyS ?? 0, stall_ms: stalls?.ms ?? 0 });
  const before = await lab.stat();
  const started = performance.now();
  const elapsed = (): number => (performance.now() - started) / 1000;
  const { from, to, counted } = placesOf(bench);
  const copy = ['copy', from, to, '--congestion', bench.congestion, '--config', 'xsync.yaml'];
  const [program, ...args] = lab.near([process.execPath, XSYNC, ...copy, '--json', '-v', '--stats', '0']);
  const child = spawn(program, args, {
    cwd: folder,
    env: { PATH: process.env.PATH, HOME: folder, XDG_STATE_HOME: join(folder, 'state') },
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: LONGEST_MS,
    signal,
  });
  const events = collect(createInterface(child.stdout));
  const seconds: Second[] = [];
  let lateMs = 0;
  let dipped = false;
  const look = async (): Promise<void> => {
    const stat = await lab.stat();
    lateMs = Math.max(lateMs, stat.lateMs);
    const atS = elapsed();
    seconds.push({ atS, bytes: stat[counted].bytes - before[counted].bytes });
    const low = dip !== undefined && atS >= dip.fromS && atS < dip.untilS;
    if (low !== dipped) lab.set({ rate_mbit: LINES[bench.line].rate_mbit * (low ? dip.share : 1) });
    dipped = low;
  };
  let looking = Promise.resolve();
  const timer = setInterval(() => {
    looking = looking.then(look);
  }, 1000);
  let wallS = 0;
  let code: number | null;
  try {
    [code] = (await once(child, 'close')) as [number | null];
    wallS = elapsed();
  } finally {
    clearInterval(timer);
    await looking;
  }
  const after = await lab.stat();
  const { end, tuned } = events;
  const { bytesIn, bytesOut } = lab.counters();
  const sent = counted === 'up' ? bytesIn : bytesOut;
  if (code !== 0 || !end || sent < bench.objects * bench.size) {
    throw new Error(`${bench.name}: xsync exited with ${code} after ${sent} bytes`);
  }
  return {
    wallS,
    shares: sharesOf(bench, wallS, seconds),
    waste: end.waste,
    retries: end.retries,
    tuned,
    lost: after[counted].lost - before[counted].lost,
    queueFull: after[counted].queueFull - before[counted].queueFull,
    lateMs,
    mbit: seconds.map(({ bytes }, i) => Math.round(((bytes - (seconds[i - 1]?.bytes ?? 0)) * 8) / 1e5) / 10),
  };
}

interface Told {
  end?: { waste: WanRun['waste']; retries: number };
  tuned: string[];
}

/** Collects the program's events. */
function collect(lines: NodeJS.EventEmitter): Told {
  const told: Told = { tuned: [] };
  lines.on('line', (line: string) => {
    const event = JSON.parse(line) as { event: string; message: string } & NonNullable<Told['end']>;
    if (event.event === 'tuned') told.tuned.push(event.message);
    if (event.event === 'end') told.end = event && { waste: event.waste, retries: event.retries };
  });
  return told;
}
