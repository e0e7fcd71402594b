/** A temporary folder in which xsync runs as a user would run it. It is removed when this process exits. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const PROJECT = fileURLToPath(new URL('../..', import.meta.url));

/** The built program that `npm install --global` would put on the PATH. */
export const PROGRAM = join(PROJECT, 'bin', 'xsync.js');

const SHOW_CURSOR_AND_WRAP_LINES = '\x1b[?25h\x1b[?7h';

export class Sandbox {
  readonly folder = mkdtempSync(join(tmpdir(), 'xsync-quickstart-'));
  readonly config = join(this.folder, 'config.yaml');
  #running: ChildProcess | undefined;

  constructor() {
    // Every end of this process triggers `exit`, where only synchronous work is possible.
    process.once('exit', () => this.#clear());
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.once(signal, () => {
        process.stderr.write('\nStopping the quick start and removing its files …\n');
        process.exit(128 + constants.signals[signal]);
      });
    }
  }

  /** Runs `xsync …args` on this terminal. @throws Error unless it exits with 0 */
  async xsync(args: readonly string[]): Promise<void> {
    const { code, signal } = await this.#ended(this.#start(args));
    if (code !== 0) throw new Error(`xsync ended with ${signal ?? `exit code ${code}`}`);
  }

  /** The same, killed with SIGKILL when `moment` calls back. @throws Error if it ended before that */
  async xsyncKilled(args: readonly string[], moment: (kill: () => void) => void): Promise<number> {
    const child = this.#start(args);
    moment(() => child.kill('SIGKILL'));
    const { code, signal } = await this.#ended(child);
    restoreTerminal();
    if (signal !== 'SIGKILL') throw new Error(`xsync ended with ${signal ?? `exit code ${code}`} before the kill`);
    return child.pid ?? 0;
  }

  #start(args: readonly string[]): ChildProcess {
    // The user's own settings (remotes, state) must not affect the quick start.
    const own = Object.entries(process.env).filter(([name]) => !name.startsWith('XSYNC_'));
    const env = { ...Object.fromEntries(own), XSYNC_CONFIG: this.config, XDG_STATE_HOME: join(this.folder, 'state') };
    this.#running = spawn(process.execPath, [PROGRAM, ...args], { cwd: this.folder, env, stdio: 'inherit' });
    return this.#running;
  }

  #ended(child: ChildProcess): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
    return new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code, signal) => resolve({ code, signal }));
    });
  }

  #clear(): void {
    if (this.#running?.exitCode === null && this.#running.signalCode === null) {
      this.#running.kill('SIGKILL');
      restoreTerminal();
    }
    // A process that is being killed may still create a file there.
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
  }
}

/** A program that is killed while it shows progress bars leaves the cursor hidden. */
function restoreTerminal(): void {
  if (process.stderr.isTTY) process.stderr.write(`${SHOW_CURSOR_AND_WRAP_LINES}\n`);
}
