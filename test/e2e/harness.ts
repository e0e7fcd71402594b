/**
 * What the end-to-end tests stand on: strict servers in the test's own process, a home of its own for the program,
 * and the built binary as a child process.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Summary } from '../../src/engine/events.js';
import type {
  Fault,
  FaultMatch,
  LogEntry,
  Protocol,
  PutInput,
  RequestKind,
  TestServer,
} from '../support/server/index.js';
import { startServer } from '../support/server/index.js';

/** Leads virtual hosts to the test servers. */
const RESOLVER = new URL('../support/resolver.mjs', import.meta.url).href;
const BINARY = fileURLToPath(new URL('../../bin/xsync.js', import.meta.url));
/** For compiled code, which all tests share. */
const CACHE = fileURLToPath(new URL('../../node_modules/.cache', import.meta.url));

/** A line of `--json` (docs/json.md), as far as the tests look at it. */
export interface JsonEvent {
  event: string;
  level: string;
  key?: string;
  code?: string;
  class?: string;
  message?: string;
  remedy?: string;
  reason?: string;
  attempts?: number;
  delayMs?: number;
  resumedParts?: number;
  exitCode?: number;
}

/** How a run of the binary ended. */
export interface Outcome {
  /** Null when a signal ended it. */
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
  /** Of `--json`; empty without. */
  events: JsonEvent[];
}

/** A run that goes on. */
export class Running {
  readonly pid: number;
  readonly done: Promise<Outcome>;
  stdout = '';
  stderr = '';
  readonly #child: ChildProcess;

  constructor(program: string, args: readonly string[], env: NodeJS.ProcessEnv) {
    const child = spawn(process.execPath, [program, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    this.pid = child.pid ?? 0;
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
    const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code, signal) => resolve({ code, signal }));
    });
    this.done = ended.then(({ code, signal }) => ({
      code,
      signal,
      stdout: this.stdout,
      stderr: this.stderr,
      events: args.includes('--json') ? eventsOf(this.stdout, signal !== null) : [],
    }));
  }

  /** To this process alone; nothing when it has ended. */
  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }
}

/** A killed process may have been in the middle of its last line. */
function eventsOf(stdout: string, cut: boolean): JsonEvent[] {
  const lines = stdout.split('\n');
  const last = lines.pop() ?? '';
  if (!cut && last !== '') throw new Error(`--json ended within a line: ${last}`);
  return lines.map((line) => JSON.parse(line) as JsonEvent);
}

/** One service as the config names it. */
export class Remote {
  readonly name: string;
  readonly protocol: Protocol;
  readonly server: TestServer;
  #buckets = 0;

  constructor(name: string, protocol: Protocol, server: TestServer) {
    this.name = name;
    this.protocol = protocol;
    this.server = server;
  }

  get store() {
    return this.server.core[this.protocol];
  }

  /** A new, empty bucket. */
  bucket(): Bucket {
    const name = `${this.name}-${++this.#buckets}`;
    this.store.createBucket(name);
    return new Bucket(this, name);
  }
}

/** One bucket, seen from behind the server. */
export class Bucket {
  readonly remote: Remote;
  readonly name: string;

  constructor(remote: Remote, name: string) {
    this.remote = remote;
    this.name = name;
  }

  /** As a person types it. */
  at(path = ''): string {
    return `${this.remote.name}:${this.name}/${path}`;
  }

  put(key: string, bytes: Uint8Array | string, input: PutInput = {}): void {
    this.remote.store.put(this.name, key, bytes, input);
  }

  remove(key: string): void {
    this.remote.store.delete(this.name, key);
  }

  read(key: string): Buffer {
    return this.remote.store.read(this.name, key);
  }

  get(key: string) {
    return this.remote.store.get(this.name, key);
  }

  keys(): string[] {
    return this.remote.store.list(this.name).map((object) => object.key);
  }

  uploads() {
    return this.remote.store.uploads(this.name);
  }

  /** Keys of the uploads that were neither completed nor aborted. */
  unfinished(): string[] {
    return this.uploads().map((upload) => upload.key);
  }

  /** Requests that reached it since the log was emptied. */
  requests(kind?: RequestKind, key?: string): LogEntry[] {
    const { protocol, server } = this.remote;
    return server.requests.find(kind, { protocol, bucket: this.name, ...(key === undefined ? {} : { key }) });
  }

  counts(): Partial<Record<RequestKind, number>> {
    return this.remote.server.requests.counts({ protocol: this.remote.protocol, bucket: this.name });
  }

  /** Hurts requests to this bucket. */
  fault(fault: Fault, match: Omit<FaultMatch, 'bucket' | 'protocol'> = {}): () => void {
    const { protocol, server } = this.remote;
    return server.faults.add({ match: { ...match, protocol, bucket: this.name }, fault });
  }
}

/** Two S3 services with credentials of their own, an OSS service, and a machine to run xsync on. */
export class Lab {
  /** S3. */
  readonly east: Remote;
  /** S3, elsewhere and under another account. */
  readonly west: Remote;
  /** OSS. */
  readonly shanghai: Remote;
  readonly directory: string;
  /** The path of `xsync.js`. */
  program = BINARY;
  readonly #servers: readonly TestServer[];
  readonly #running = new Set<Running>();
  #names = 0;

  private constructor(directory: string, main: TestServer, other: TestServer) {
    this.directory = directory;
    this.#servers = [main, other];
    this.east = new Remote('east', 's3', main);
    this.west = new Remote('west', 's3', other);
    this.shanghai = new Remote('shanghai', 'oss', main);
  }

  static async start(): Promise<Lab> {
    const main = await startServer();
    const other = await startServer({
      s3: { accessKeyId: 'AKIAOTHERACCOUNT', secretAccessKey: 'another-test-secret', region: 'cn-north-1' },
    });
    const lab = new Lab(await mkdtemp(join(tmpdir(), 'xsync-e2e-')), main, other);
    await mkdir(join(lab.directory, 'config/xsync'), { recursive: true });
    await writeFile(join(lab.directory, 'config/xsync/config.yaml'), configOf(main, other), { mode: 0o600 });
    return lab;
  }

  /** Everything that the program sees of its surroundings. */
  get env(): NodeJS.ProcessEnv {
    return {
      PATH: process.env.PATH,
      HOME: this.directory,
      XDG_CONFIG_HOME: join(this.directory, 'config'),
      XDG_STATE_HOME: join(this.directory, 'state'),
      XDG_CACHE_HOME: CACHE,
      LANG: 'C.UTF-8',
      NODE_OPTIONS: `--import=${RESOLVER}`,
    };
  }

  /** A path that nothing is at yet. */
  path(name = 'tree'): string {
    return join(this.directory, `${name}-${++this.#names}`);
  }

  start(args: readonly string[], env: NodeJS.ProcessEnv = {}): Running {
    const options = [this.env.NODE_OPTIONS, env.NODE_OPTIONS].filter(Boolean).join(' ');
    const running = new Running(this.program, args, { ...this.env, ...env, NODE_OPTIONS: options });
    this.#running.add(running);
    void running.done.then(() => this.#running.delete(running));
    return running;
  }

  run(args: readonly string[], env?: NodeJS.ProcessEnv): Promise<Outcome> {
    return this.start(args, env).done;
  }

  /** `xsync copy … --json`. */
  copy(source: string, destination: string, ...options: string[]): Promise<Outcome> {
    return this.run(['copy', source, destination, '--json', ...options]);
  }

  /** Forgets requests and faults. */
  reset(): void {
    for (const server of this.#servers) {
      server.requests.reset();
      server.faults.clear();
      server.clockOffsetMs = 0;
    }
  }

  /** Ends what is still running, and throws when a server had a fault of its own. */
  async close(): Promise<void> {
    for (const running of this.#running) running.kill('SIGKILL');
    await Promise.all([...this.#running].map((running) => running.done));
    await Promise.all(this.#servers.map((server) => server.close()));
    await rm(this.directory, { recursive: true, force: true });
    const bugs = this.#servers.flatMap((server) => server.bugs);
    if (bugs.length > 0) throw new AggregateError(bugs, 'the test server itself failed');
  }
}

function configOf(main: TestServer, other: TestServer): string {
  const s3 = (server: TestServer, provider: string) => ({
    type: 's3',
    provider,
    endpoint: server.s3.endpoint,
    region: server.s3.region,
    access_key_id: server.s3.accessKeyId,
    secret_access_key: server.s3.secretAccessKey,
    force_path_style: true,
  });
  const oss = {
    type: 'oss',
    endpoint: main.oss.endpoint,
    region: main.oss.region,
    access_key_id: main.oss.accessKeyId,
    secret_access_key: main.oss.accessKeySecret,
  };
  // JSON is YAML.
  return JSON.stringify({ remotes: { east: s3(main, 'aws'), west: s3(other, 'minio'), shanghai: oss } });
}

/** The summary of a `--json` run. */
export function summaryOf(outcome: Outcome): Summary & { exitCode: number } {
  const end = outcome.events.find((event) => event.event === 'end');
  if (!end) throw new Error(`no summary; standard error: ${outcome.stderr}`);
  return end as unknown as Summary & { exitCode: number };
}

/** Waits until `holds`, looking often: for instants told by what a server has seen. */
export async function until(holds: () => boolean, options: { orElse?: Promise<unknown> } = {}): Promise<void> {
  let over = false;
  void options.orElse?.finally(() => {
    over = true;
  });
  while (!holds() && !over) await new Promise((resolve) => setTimeout(resolve, 1));
}
