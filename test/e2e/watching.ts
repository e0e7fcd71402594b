/** A watch as a child process that a test looks at while it goes on, and a gate on its way to a server. */
import { type ChildProcess, spawn } from 'node:child_process';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { JsonEvent } from './harness.js';

const BINARY = fileURLToPath(new URL('../../bin/xsync.js', import.meta.url));

export interface WatchEnd {
  code: number | null;
  signal: NodeJS.Signals | null;
}

export class Watching {
  readonly child: ChildProcess;
  readonly done: Promise<WatchEnd>;
  stdout = '';
  stderr = '';
  #ended = false;

  /** @param before a program that starts it, such as `unshare` */
  constructor(args: readonly string[], env: NodeJS.ProcessEnv, before: readonly string[] = []) {
    const [program = '', ...rest] = [...before, process.execPath, BINARY, 'watch', ...args, '--json'];
    this.child = spawn(program, rest, { env, stdio: ['pipe', 'pipe', 'pipe'] });
    this.child.stdin?.on('error', () => undefined);
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => (this.stdout += text));
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
    this.done = new Promise((resolve, reject) => {
      this.child.on('error', reject);
      this.child.on('close', (code, signal) => {
        this.#ended = true;
        resolve({ code, signal });
      });
    });
  }

  /** What was told so far. */
  get events(): JsonEvent[] {
    const whole = this.stdout.slice(0, this.stdout.lastIndexOf('\n') + 1);
    return whole
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as JsonEvent);
  }

  of(type: string): JsonEvent[] {
    return this.events.filter(({ event }) => event === type);
  }

  says(text: string): boolean {
    return this.stdout.includes(text);
  }

  /** How many passes have ended. */
  get passes(): number {
    return this.stdout.split('"event":"pass"').length - 1;
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** @throws when the watch ends before */
  async until(holds: () => boolean): Promise<void> {
    while (!holds()) {
      if (this.#ended) {
        throw new Error(`the watch has ended:\n${this.stdout.slice(-4000)}\n${this.stderr.slice(-2000)}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  /** So many more passes, begun from now on. */
  async morePasses(count: number): Promise<void> {
    const before = this.passes;
    await this.until(() => this.passes >= before + count + 1);
  }

  async end(): Promise<WatchEnd> {
    this.kill('SIGTERM');
    return this.done;
  }
}

/** Passes connections on to another port; it can be shut, and can lead elsewhere. */
export class Gate {
  #server: Server | undefined;
  #port = 0;
  #target = 0;
  readonly #sockets = new Set<Socket>();

  /** @param endpoint of a server on this host */
  async open(endpoint: string): Promise<void> {
    this.#target = Number(new URL(endpoint).port);
    const server = createServer((near) => {
      const far = connect(this.#target, '127.0.0.1');
      for (const [one, other] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#sockets.add(one);
        one.pipe(other);
        one.on('error', () => other.destroy());
        one.on('close', () => {
          this.#sockets.delete(one);
          other.destroy();
        });
      }
    });
    await new Promise<void>((resolve) => server.listen(this.#port, '127.0.0.1', resolve));
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Connections are cut, and new ones refused. */
  async shut(): Promise<void> {
    const closed = new Promise((resolve) => this.#server?.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}
