/** A process of a function, as a cloud keeps it: one call at a time, killed when its time is over. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';

export interface FunctionOptions {
  name: string;
  /** Where the zip was unpacked. */
  folder: string;
  /** `index.receive` */
  handler: string;
  env: NodeJS.ProcessEnv;
  timeoutMs: number;
}

/** What came of a call. */
export interface Called {
  result?: unknown;
  /** Message of the error with which it ended. */
  error?: string;
}

/** The cloud ended the call. */
export const TIMED_OUT = 'timed out';

export abstract class Environment {
  readonly options: FunctionOptions;
  /** Standard output, of all processes. */
  log = '';
  protected child: ChildProcess | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: FunctionOptions) {
    this.options = options;
  }

  /** Waits for the calls before. */
  invoke(event: unknown): Promise<Called> {
    const call = this.#last.then(() => this.#invoke(event));
    this.#last = call.catch(() => undefined);
    return call;
  }

  async close(): Promise<void> {
    await this.#last;
    await this.kill();
  }

  /** A process that waits for a call: its start is not part of the call. @returns why there is none */
  protected abstract ready(): Promise<string | undefined>;

  protected abstract run(id: string, event: unknown): Promise<Called>;

  protected start(runtime: string, env: NodeJS.ProcessEnv): ChildProcess {
    const resolver = new URL('../resolver.mjs', import.meta.url).href;
    const script = fileURLToPath(new URL(runtime, import.meta.url));
    const child = spawn(process.execPath, ['--import', resolver, script], {
      // No node_modules above it.
      cwd: this.options.folder,
      env: { PATH: process.env.PATH, ...this.options.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.log += text;
      });
    }
    this.child = child;
    return child;
  }

  protected async kill(): Promise<void> {
    const { child } = this;
    this.child = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
  }

  async #invoke(event: unknown): Promise<Called> {
    const fault = await this.ready();
    if (fault !== undefined) return { error: fault };
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<Called>((resolve) => {
      timer = setTimeout(() => resolve({ error: TIMED_OUT }), this.options.timeoutMs);
    });
    const called = await Promise.race([this.run(randomUUID(), event), timeout]);
    clearTimeout(timer);
    if (called.error === TIMED_OUT) await this.kill();
    return called;
  }
}
