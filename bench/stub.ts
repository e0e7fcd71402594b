/** Compiles (on first use), starts and queries the C programs of the bench. */
import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const HERE = import.meta.dirname;
const ADDRESS = '127.0.0.1';
const BUILT = join(HERE, '..', 'node_modules', '.cache', 'xsync-bench');

export interface Counters {
  list: number;
  head: number;
  get: number;
  put: number;
  part: number;
  createUpload: number;
  completeUpload: number;
  other: number;
  connections: number;
  /** Bytes written, in objects and parts. */
  bytesIn: number;
  /** Bytes read, in objects. */
  bytesOut: number;
  /** Requests that wait for their delay. */
  held?: number;
}

export interface Stub {
  /** Two endpoints of one server, so that clients see two services and cannot copy server-side. */
  source: string;
  destination: string;
  /** File of the certificate (PEM) that clients must trust; absent without TLS. */
  certificate?: string;
  reset(): Promise<void>;
  counters(): Promise<Counters>;
  stop(): Promise<void>;
}

/** The sources and libraries of each program. */
const PROGRAMS = {
  measure: { files: () => [join(HERE, 'measure.c')], libraries: [] },
  stub: { files: () => filesIn('stub'), libraries: ['-lssl', '-lcrypto'] },
  line: { files: () => filesIn('wan'), libraries: ['-lm'] },
};

function filesIn(folder: string): string[] {
  const paths = readdirSync(join(HERE, folder)).map((file) => join(HERE, folder, file));
  return paths.filter((file) => /\.[ch]$/.test(file));
}

/** The path of the program, which is compiled once for each state of its sources. */
export function compile(name: keyof typeof PROGRAMS): string {
  const { files, libraries } = PROGRAMS[name];
  const paths = files();
  const hash = createHash('sha256');
  for (const path of paths) hash.update(readFileSync(path));
  const program = join(BUILT, `${name}-${hash.digest('hex').slice(0, 12)}`);
  if (existsSync(program)) return program;
  mkdirSync(BUILT, { recursive: true });
  const sources = paths.filter((file) => file.endsWith('.c'));
  // Two benches may compile at once.
  const unfinished = `${program}.${process.pid}`;
  try {
    execFileSync('gcc', ['-O2', '-Wall', '-o', unfinished, ...sources, ...libraries], { stdio: 'inherit' });
    renameSync(unfinished, program);
  } catch (cause) {
    throw new Error(`cannot compile ${name}: it needs gcc and OpenSSL's headers (apt install gcc libssl-dev)`, {
      cause,
    });
  }
  return program;
}

/** @param certificate file to write; the endpoints then speak TLS */
export async function startStub(delayMs = 0, certificate?: string): Promise<Stub> {
  const secure = certificate === undefined ? [] : [certificate];
  const args = ['2', String(delayMs), ADDRESS, ...secure];
  const child = spawn(compile('stub'), args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  const ports = line.trim().split(' ');
  const [source = '', destination = ''] = ports.map((port) => `http${certificate ? 's' : ''}://${ADDRESS}:${port}`);
  const ask = async (path: string): Promise<string> => {
    const answer = await fetch(`http://${ADDRESS}:${ports.at(-1)}${path}`);
    return answer.text();
  };
  return {
    source,
    destination,
    certificate,
    reset: async () => void (await ask('/-/reset')),
    counters: async () => JSON.parse(await ask('/-/counters')) as Counters,
    stop: async () => {
      const exited = once(child, 'exit');
      child.stdin.end();
      await exited;
    },
  };
}
