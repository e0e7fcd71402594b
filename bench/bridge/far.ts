/** The far store of bench/bridge.ts, in a process of its own: where it is, and when something has arrived. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { startServer, type TestServer } from '../../test/support/server/index.js';

const SELF = import.meta.filename;

/** The store, as the near end sees it. */
export interface FarStore {
  oss: TestServer['oss'];
  process: ChildProcess;
  /** Resolves once the key, or so many objects, are there. */
  arrived(what: string | number): Promise<void>;
}

/** @param prefix the command that starts a program at the far end */
export async function startFar(bucket: string, prefix: readonly string[]): Promise<FarStore> {
  const [program = process.execPath, ...args] = [...prefix, process.execPath, ...process.execArgv, SELF, bucket];
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface(child.stdout);
  const waiting = new Map<string, () => void>();
  const oss = await new Promise<TestServer['oss']>((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the far store ended with ${code}`)));
    lines.once('line', (line) => {
      resolve(JSON.parse(line));
      lines.on('line', (what) => waiting.get(what)?.());
    });
  });
  const arrived = (what: string | number): Promise<void> =>
    new Promise((resolve) => {
      waiting.set(String(what), resolve);
      child.stdin.write(`${what}\n`);
    });
  return { oss, process: child, arrived };
}

/** Looks every two milliseconds for what was asked for, a line each. */
async function serve(bucket: string): Promise<void> {
  const server = await startServer({ oss: { pathStyle: true } });
  const { oss } = server.core;
  oss.createBucket(bucket);
  console.log(JSON.stringify(server.oss));
  const awaited = new Set<string>();
  createInterface(process.stdin).on('line', (what) => awaited.add(what));
  setInterval(() => {
    for (const what of awaited) {
      const isThere = /^\d+$/.test(what) ? oss.list(bucket).length >= Number(what) : oss.get(bucket, what);
      if (!isThere) continue;
      awaited.delete(what);
      console.log(what);
    }
  }, 2);
}

if (process.argv[1] === SELF) await serve(process.argv[2] ?? '');
