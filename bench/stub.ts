/** Compiles (on first use), starts and queries the C programs of the bench. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const HERE = import.meta.dirname;
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
}

export interface Stub {
  /** Two endpoints of one server, so that clients see two services and cannot copy server-side. */
  source: string;
  destination: string;
  reset(): Promise<void>;
  counters(): Promise<Counters>;
  stop(): Promise<void>;
}

/** The sources and libraries of each program. */
const PROGRAMS = {
  measure: { files: () => [join(HERE, 'measure.c')], libraries: [] },
  stub: { files: () => filesIn('stub'), libraries: ['-lcrypto'] },
  line: { files: () => filesIn('wan'), libraries: ['-lm'] },
};

function filesIn(folder: string): string[] {
  const paths = readdirSync(join(HERE, folder)).map((file) => join(HERE, folder, file));
  return paths.filter((file) => /\.[ch]$/.test(file));
}

/** The path of the program, which is compiled if a source is newer. */
export function compile(name: keyof typeof PROGRAMS): string {
  const { files, libraries } = PROGRAMS[name];
  const program = join(BUILT, name);
  const built = statSync(program, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const newest = Math.max(...files().map((file) => statSync(file).mtimeMs));
  if (built > newest) return program;
  mkdirSync(BUILT, { recursive: true });
  const sources = files().filter((file) => file.endsWith('.c'));
  try {
    execFileSync('gcc', ['-O2', '-Wall', '-o', program, ...sources, ...libraries], { stdio: 'inherit' });
  } catch (cause) {
    throw new Error(`cannot compile ${name}: it needs gcc and OpenSSL's headers (apt install gcc libssl-dev)`, {
      cause,
    });
  }
  return program;
}

export async function startStub(delayMs = 0): Promise<Stub> {
  const child = spawn(compile('stub'), ['2', String(delayMs)], { stdio: ['pipe', 'pipe', 'inherit'] });
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  const [source = '', destination = ''] = line.split(' ').map((port) => `http://127.0.0.1:${port}`);
  const ask = async (path: string): Promise<string> => {
    const answer = await fetch(source + path);
    return answer.text();
  };
  return {
    source,
    destination,
    reset: async () => void (await ask('/-/reset')),
    counters: async () => JSON.parse(await ask('/-/counters')) as Counters,
    stop: async () => {
      const exited = once(child, 'exit');
      child.stdin.end();
      await exited;
    },
  };
}
