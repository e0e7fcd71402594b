/** Starts the workers of a pair. Tests: test/e2e/workers.test.ts */
import { channel } from 'node:diagnostics_channel';
import { Worker } from 'node:worker_threads';
import type { ConfiguredLocation } from '../config/location.js';
import type { Order, Report } from '../engine/workers/messages.js';
import { busyOf, type Listener, Pool, type Thread } from '../engine/workers/pool.js';
import { learnedOffsets } from '../store/http/clock.js';
import type { Following } from './links.js';
import type { OpenSettings, OpenSide } from './settings.js';

/** What a worker is started with. It stays in this process. */
export interface WorkerData {
  settings: OpenSettings;
  source: ConfiguredLocation;
  dest: ConfiguredLocation;
  /** Of the source's links. */
  follows?: Following;
  /** Of the services' clocks, as far as they are known. */
  offsets: ReturnType<typeof learnedOffsets>;
}

/** The file that a worker runs: beside this one, or beside the bundle (build/bundle.ts). */
const ENTRY = new URL(import.meta.url.endsWith('.cjs') ? './worker.cjs' : './worker.js', import.meta.url);
/** A worker that has been told to end, and has not, is ended. */
const CLOSE_MS = 2000;

/** Undefined where this thread does the work: it was asked to, or a rate that is shared by all requests is the limit. */
export function workersOf(
  { source, dest }: { source: OpenSide; dest: OpenSide },
  settings: OpenSettings,
): Pool | undefined {
  const { workers = 1, tpslimit, bandwidth } = settings;
  if (workers === 1 || !source.again || !dest.again) return undefined;
  if (tpslimit !== undefined || bandwidth) {
    source.notes = [...source.notes, '--workers has no effect: --bwlimit and --tpslimit are paced by one thread'];
    return undefined;
  }
  // Whoever watches the requests of this thread (--dump headers) sees all of them.
  if (channel('xsync:request').hasSubscribers) return undefined;
  const env = { ...settings.env };
  const data = {
    settings: { ...settings, env, accelerate: undefined, bandwidth: undefined },
    source: source.again,
    dest: dest.again,
    follows: source.follows,
  };
  const { connections } = settings;
  const findings = { source: source.findings, dest: dest.findings };
  return new Pool({ wanted: workers, connections }, (listener) => start(data, listener), findings);
}

function start(data: Omit<WorkerData, 'offsets'>, { heard, failed }: Listener): Thread {
  const workerData: WorkerData = { ...data, offsets: learnedOffsets() };
  const worker = new Worker(ENTRY, { workerData });
  const ended = new Promise<void>((resolve) => {
    worker.on('exit', (code) => {
      failed(new Error(`it exited with code ${code}`));
      resolve();
    });
  });
  worker.on('message', (reports: readonly Report[]) => heard(reports));
  worker.on('error', failed);
  worker.on('messageerror', failed);
  return {
    post: (orders) => worker.postMessage(orders),
    busy: busyOf(worker.performance),
    close: async () => {
      const orders: readonly Order[] = [{ type: 'close' }];
      worker.postMessage(orders);
      const timer = setTimeout(() => void worker.terminate(), CLOSE_MS);
      await ended;
      clearTimeout(timer);
    },
  };
}
